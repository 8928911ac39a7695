#!/usr/bin/python3
"""ezio-cli among other BitTorrent clients: each downloads from our seed of a block device, each seeds a directory to our fetch.

All of it happens in a network of the test's own, in which every program has an address, and from which nothing leads
outside: the clients can keep their defaults (DHT, local peer discovery, encryption, uTP).
"""

import ctypes
import hashlib
import itertools
import os
import shutil
import signal
import unittest

import clients
from harness import UNTOUCHED, EndToEndTest, main, needs_loop_devices, run, wait_until
from images import Extent, Image, differing_extents, info_of, odd_image, touched_gaps, write_padded_torrent
from tracker import Tracker

NETWORK = "10.99.0"
ADDRESSES = 12
SIZE = 64 << 20


def enter_a_network_of_our_own():
    """Returns whether that worked. The addresses are the loopback interface's, 10.99.0.1 and up."""
    clone_newnet = 0x40000000
    if os.geteuid() != 0 or ctypes.CDLL(None).unshare(clone_newnet) != 0:
        return False
    run("ip", "link", "set", "lo", "up")
    for host in range(1, ADDRESSES + 1):
        run("ip", "address", "add", f"{NETWORK}.{host}/24", "dev", "lo")
    return True


needs_network = unittest.skipUnless(enter_a_network_of_our_own(), "needs root, for a network of its own")


@needs_network
@needs_loop_devices
class InteropTest(EndToEndTest):
    """Has a tracker, an image, its torrent that names the tracker, and the image on a block device."""

    def setUp(self):
        super().setUp()
        self.hosts = (f"{NETWORK}.{host}" for host in range(2, ADDRESSES + 1))
        self.tracker = self.enterContext(Tracker(f"{NETWORK}.1"))
        self.image = odd_image()
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent", tracker=self.tracker.url)
        self.source = self.loop_device("source", SIZE)
        self.image.write_to(self.source.path)

    def start_ezio(self, *arguments):
        return self.start(*arguments, "--json", "--no-lsd", "--listen", f"{next(self.hosts)}:6881")

    def start_seed(self):
        seeder = self.start_ezio("seed", self.torrent, self.source.path)
        seeder.wait_for_event("start")
        return seeder

    def start_fetch(self, name):
        target = self.loop_device(name, SIZE, fill=UNTOUCHED)
        return self.start_ezio("fetch", self.torrent, target.path, "--seed-time", "90s"), target

    def start_client(self, client, download):
        if not client.is_installed():
            self.skipTest(f"needs {client.program}")
        return self.enterContext(client(self.dir / f"{client.program}.home", self.torrent, download, next(self.hosts)))

    def end_seed(self, seeder):
        seeder.signal(signal.SIGINT)
        self.assertEqual(seeder.wait(), 128 + signal.SIGINT, seeder)
        self.assert_clean(seeder)

    def assert_device_has_the_image(self, target):
        self.assertEqual(differing_extents(self.source.path, target.backing, self.image.extents), [])
        self.assertEqual(touched_gaps(target.backing, self.image.extents, UNTOUCHED), [])

    def assert_downloaded(self, download):
        directory = download / "sda1"
        self.assertEqual(sorted(path.name for path in directory.iterdir()), sorted(e.name for e in self.image.extents))
        for extent, data in self.image.extents_with_data():
            self.assertTrue((directory / extent.name).read_bytes() == data, f"{extent.name} differs")

    def check_seeds(self, client):
        other = self.start_client(client, self.write_directory(self.dir / "images"))
        fetcher, target = self.start_fetch("target")
        wait_until(lambda: not fetcher.is_running() or fetcher.events_named("complete"), (fetcher, other))
        self.assert_complete(fetcher)
        self.assert_device_has_the_image(target)

    def write_directory(self, download, image=None):
        directory = download / "sda1"
        directory.mkdir(parents=True)
        for extent, data in (image or self.image).extents_with_data():
            (directory / extent.name).write_bytes(data)
        return download


class OneOfThem(InteropTest):
    def check_downloads(self, client):
        seeder = self.start_seed()
        other = self.start_client(client, self.dir / "downloads")
        wait_until(lambda: other.is_complete() or not seeder.is_running(), (other, seeder))
        self.assert_downloaded(self.dir / "downloads")
        self.end_seed(seeder)

    def test_aria2_downloads_from_our_seed(self):
        self.check_downloads(clients.Aria2)

    def test_our_fetch_downloads_from_aria2(self):
        self.check_seeds(clients.Aria2)

    def test_transmission_downloads_from_our_seed(self):
        self.check_downloads(clients.Transmission)

    def test_our_fetch_downloads_from_transmission(self):
        self.check_seeds(clients.Transmission)

    def test_qbittorrent_downloads_from_our_seed(self):
        self.check_downloads(clients.QBittorrent)

    def test_our_fetch_downloads_from_qbittorrent(self):
        self.check_seeds(clients.QBittorrent)

    def test_rtorrent_downloads_from_our_seed(self):
        self.check_downloads(clients.RTorrent)

    def test_our_fetch_downloads_from_rtorrent(self):
        self.check_seeds(clients.RTorrent)


class AllOfThem(InteropTest):
    def test_a_swarm_of_our_seeder_two_of_ours_and_one_of_each_of_theirs(self):
        seeder = self.start_seed()
        others = [self.start_client(client, self.dir / f"{client.program}.downloads")
                  for client in clients.ALL if client.is_installed()]
        fetchers = [self.start_fetch(name) for name in ("one", "other")]
        for other in others:
            other.wait_until_complete()
            self.assert_downloaded(other.download)
        for fetcher, target in fetchers:
            self.assert_complete(fetcher)
            self.assert_device_has_the_image(target)
        self.end_seed(seeder)


class SlowAria2(clients.Aria2):
    def command(self):
        return [*super().command(), "--max-overall-download-limit=6M", "--file-allocation=none"]


class HalfADirectory(InteropTest):
    def test_what_our_fetch_has_left_is_finished_by_another_client(self):
        seeder = self.start_seed()
        download = self.dir / "images"
        download.mkdir()
        fetcher = self.start_ezio("fetch", self.torrent, download, "--max-download", "8M")
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
        seeder = self.start_seed()
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


class Padding(InteropTest):
    """A torrent in which each extent begins with a piece."""

    def setUp(self):
        super().setUp()
        numbers = itertools.count()  # rtorrent does not take two files of one name
        self.torrent, _ = write_padded_torrent(self.torrent, self.image, 65536, lambda length: [".pad", str(next(numbers))],
                                               tracker=self.tracker.url)

    def assert_downloaded(self, download):
        shutil.rmtree(download / "sda1" / ".pad", ignore_errors=True)  # of those that take it for a directory
        super().assert_downloaded(download)

    def test_all_of_them_download_it_from_our_seed(self):
        seeder = self.start_seed()
        for other in [self.start_client(client, self.dir / f"{client.program}.downloads")
                      for client in clients.ALL if client.is_installed()]:
            other.wait_until_complete()
            self.assert_downloaded(other.download)
        self.end_seed(seeder)

    def test_our_fetch_downloads_it_from_one_that_knows_padding(self):
        self.check_seeds(clients.QBittorrent)


class MagnetLinks(InteropTest):
    def link(self, torrent=None):
        return self.ends_with(0, "info", "--magnet", torrent or self.torrent).stdout.strip()

    def fetch_link(self, link, *options):
        self.target = self.loop_device("target", SIZE, fill=UNTOUCHED)
        return self.start_ezio("fetch", link, self.target.path, "--seed-time", "0", *options)

    def test_a_link_names_the_torrent_and_its_tracker(self):
        link = self.link()
        self.assertRegex(link, r"^magnet:\?xt=urn:btih:[0-9a-f]{40}&dn=sda1&tr=http%3A%2F%2F10\.99\.0\.1%3A\d+%2Fannounce$")

    def test_the_metadata_comes_from_the_peers_of_the_links_tracker(self):
        seeder = self.start_seed()
        fetcher = self.fetch_link(self.link())
        self.assert_complete(fetcher)
        self.assert_device_has_the_image(self.target)
        self.end_seed(seeder)

    def test_the_metadata_comes_from_a_named_peer_and_is_kept(self):
        seeder = self.start_seed()
        peer = seeder.events_named("start")[0]["listen"]
        kept = self.dir / "kept.torrent"
        fetcher = self.fetch_link(self.link().split("&")[0], "--peer", peer, "--save-torrent", kept)
        self.assert_complete(fetcher)
        self.assert_device_has_the_image(self.target)
        one, other = (self.ends_with(0, "info", "--magnet", torrent).stdout for torrent in (self.torrent, kept))
        self.assertEqual(one.split("&")[:2], other.strip().split("&")[:2])
        self.end_seed(seeder)

    def check_serves_metadata(self, client):
        other = self.start_client(client, self.write_directory(self.dir / "images"))
        other.wait_until_complete()
        fetcher = self.fetch_link(self.link().split("&")[0], "--peer", f"{other.address}:{clients.PORT}")
        self.assert_complete(fetcher)
        self.assert_device_has_the_image(self.target)

    def test_aria2_serves_the_metadata(self):
        self.check_serves_metadata(clients.Aria2)

    def test_transmission_serves_the_metadata(self):
        self.check_serves_metadata(clients.Transmission)

    def test_qbittorrent_serves_the_metadata(self):
        self.check_serves_metadata(clients.QBittorrent)

    def test_rtorrent_serves_the_metadata(self):
        self.check_serves_metadata(clients.RTorrent)

    def test_all_of_them_get_the_metadata_from_us(self):
        seeder = self.start_seed()
        self.torrent = self.link()
        others = [self.start_client(client, self.dir / f"{client.program}.downloads")
                  for client in clients.ALL if client.is_installed()]
        for other in others:
            other.wait_until_complete()
            self.assert_downloaded(other.download)
        self.end_seed(seeder)

    def test_what_is_no_image_is_refused_before_anything_is_written(self):
        overlapping = Image([Extent(0, 65536), Extent(4096, 65536)])
        self.torrent = overlapping.write_torrent(self.dir / "bad.torrent", announce=self.tracker.url)
        other = self.start_client(clients.Aria2, self.write_directory(self.dir / "images", overlapping))
        other.wait_until_complete()
        fetcher = self.fetch_link("magnet:?xt=urn:btih:" + hashlib.sha1(info_of(self.torrent)).hexdigest(),
                                  "--peer", f"{other.address}:{clients.PORT}")
        self.assertEqual(fetcher.wait(), 3, fetcher)
        self.assertIn("overlap", fetcher.stderr)
        self.assertEqual(touched_gaps(self.target.backing, [], UNTOUCHED), [])

    def test_the_wait_for_metadata_is_bounded(self):
        fetcher = self.fetch_link("magnet:?xt=urn:btih:" + "ab" * 20, "--stall-timeout", "1s")
        self.assertEqual(fetcher.wait(), 7, fetcher)
        self.assertIn("no peer is connected", fetcher.stderr)

    def test_the_wait_for_metadata_can_be_interrupted(self):
        fetcher = self.fetch_link("magnet:?xt=urn:btih:" + "ab" * 20)
        fetcher.wait_for_event("progress")
        fetcher.signal(signal.SIGINT)
        self.assertEqual(fetcher.wait(), 130, fetcher)


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
        target = self.loop_device("target", SIZE, fill=UNTOUCHED)
        fetcher = self.start_ezio("fetch", torrent, target.path, "--seed-time", "0")
        self.assert_complete(fetcher)
        self.assert_device_has_the_image(target)
        self.assertGreater(len(server.requests), 0)

    def test_a_web_seed_is_left_out_when_asked(self):
        server = self.start_server()
        torrent = self.image.write_torrent(self.dir / "web.torrent", **{"url-list": [f"http://{server.address}/"]})
        target = self.loop_device("target", SIZE, fill=UNTOUCHED)
        fetcher = self.start_ezio("fetch", torrent, target.path, "--no-web-seed", "--stall-timeout", "2s")
        self.assertEqual(fetcher.wait(), 7, fetcher)
        self.assertEqual(server.requests, [])


if __name__ == "__main__":
    main()
