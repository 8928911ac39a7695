#!/usr/bin/python3
"""Files shared with others: directories that another BitTorrent client has begun or finishes, and web seeds."""

import shutil
import signal

import clients
from harness import UNTOUCHED, main, wait_until
from interop_case import InteropTest


class SlowAria2(clients.Aria2):
    def command(self):
        return [*super().command(), "--max-overall-download-limit=6M", "--file-allocation=none"]


class HalfADirectory(InteropTest):
    size, payload = 24 << 20, (12 << 20) + 12_345  # so that half of it is not all of it a moment later

    def test_what_our_fetch_has_left_is_finished_by_another_client(self):
        seeder = self.start_seed()
        download = self.dir / "images"
        download.mkdir()
        fetcher = self.start_ezio("fetch", self.torrent, download, "--max-download", "6M", "--interval", "100ms")
        half = len(self.image.payload) // 2
        wait_until(lambda: any(event["done_bytes"] > half for event in fetcher.events_named("progress"))
                   or not fetcher.is_running(), fetcher)
        fetcher.signal(signal.SIGINT)
        self.assertEqual(fetcher.wait(), 128 + signal.SIGINT, fetcher)
        other = self.start_client(clients.Aria2, download)
        other.wait_until_complete()
        self.assert_downloaded(download)
        sent = seeder.events_named("progress")[-1]["uploaded_bytes"]
        self.assertLess(sent, len(self.image.payload) * 1.3, (seeder, other))
        self.end_seed(seeder)

    def test_what_another_client_has_left_when_it_was_killed_is_finished_by_our_fetch(self):
        seeder = self.start_seed("--interval", "100ms")
        download = self.dir / "images"
        other = self.start_client(SlowAria2, download)
        half = len(self.image.payload) // 2
        wait_until(lambda: any(event["uploaded_bytes"] > half for event in seeder.events_named("progress")), (seeder, other))
        other.kill()
        fetcher = self.start_ezio("fetch", self.torrent, download, "--resume", "--seed-time", "0")
        self.assert_complete(fetcher)
        self.assert_downloaded(download)
        received = fetcher.events_named("summary")[0]["received_bytes"]
        self.assertLess(received, len(self.image.payload) * 0.75, (fetcher, other))
        self.end_seed(seeder)


class HttpServers(InteropTest):
    def start_server(self):
        server = self.start_client(clients.Nginx, self.write_directory(self.dir / "images"))
        wait_until(server.is_complete, server)
        return server

    def test_a_torrent_is_named_by_its_url(self):
        server = self.start_server()
        self.torrent = shutil.copy(self.torrent, server.download)
        url = f"http://{server.address}/sda1.torrent"
        link = self.ends_with(0, "info", "--magnet", url).stdout
        self.assertEqual(link, self.ends_with(0, "info", "--magnet", self.torrent).stdout)
        missing = self.ends_with(3, "info", f"http://{server.address}/missing.torrent")
        self.assertIn("404", missing.stderr)
        self.ends_with(6, "info", "http://10.99.0.1:9/sda1.torrent")

    def test_a_web_seed_serves_the_directory(self):
        server = self.start_server()
        url = f"http://{server.address}/"
        torrent = self.image.write_torrent(self.dir / "web.torrent", **{"url-list": [url]})
        target = self.loop_device("target", self.size, fill=UNTOUCHED)
        fetcher = self.start_ezio("fetch", torrent, target.path, "--web-seed", "--seed-time", "0")
        self.assert_complete(fetcher)
        self.assert_device_has_the_image(target)
        self.assertGreater(len(server.requests), 0)

    def test_a_web_seed_is_left_out_when_asked(self):
        server = self.start_server()
        torrent = self.image.write_torrent(self.dir / "web.torrent", **{"url-list": [f"http://{server.address}/"]})
        target = self.loop_device("target", self.size, fill=UNTOUCHED)
        fetcher = self.start_ezio("fetch", torrent, target.path, "--no-web-seed", "--stall-timeout", "2s")
        self.assertEqual(fetcher.wait(), 7, fetcher)
        self.assertEqual(server.requests, [])


if __name__ == "__main__":
    main()
