#!/usr/bin/python3
"""Limits that hold whatever a name server, a file, a torrent or a web seed does."""

import contextlib
import os
import socket
import threading
import time
import unittest

from certificates import Authority
from harness import EndToEndTest, main, missing_tools, run
from image_case import ImageCase
from images import bencode, odd_image

SLACK = 6  # seconds: 2.5, and what a busy machine may take besides


class SilentNameServer:
    """The only one that there is, while its context lasts. In the test's own mounts and network (see harness.isolate)."""

    def __init__(self, directory):
        self._resolv_conf = directory / "resolv.conf"
        self._resolv_conf.write_text("nameserver 127.0.0.1\n")
        self._hosts = directory / "nsswitch.conf"
        self._hosts.write_text("hosts: files dns\n")
        self._mounted = []

    def __enter__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        for file in self._resolv_conf, self._hosts:
            place = f"/etc/{file.name}"
            if os.path.exists(place):
                run("mount", "--bind", file, os.path.realpath(place))
                self._mounted.append(os.path.realpath(place))
        return self

    def was_asked(self):
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            return bool(self._socket.recv(512))
        return False

    def __exit__(self, *_):
        for place in reversed(self._mounted):
            run("umount", place)
        self._socket.close()


class LimitsCase(EndToEndTest):
    def assert_ends_in_time(self, seconds, *arguments, says=""):
        start = time.monotonic()
        ended = self.ends_with(7, "fetch", *arguments, seconds=60)
        self.assertLess(time.monotonic() - start, seconds + SLACK, ended)
        self.assertEqual(ended.stderr.count("ezio-cli: "), 1, ended)
        self.assertIn(says, ended.stderr)
        self.assertNotIn("the kernel gives", ended.stderr)
        return ended


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class NameServers(LimitsCase):
    def setUp(self):
        super().setUp()
        self.torrent = odd_image(100_000).write_torrent(self.dir / "sda1.torrent")
        self.target = self.dir / "target.img"
        self.name_server = self.enterContext(SilentNameServer(self.dir))

    def tearDown(self):
        self.assertTrue(self.name_server.was_asked())

    def test_a_peer_s_name(self):
        says = "the name server has not answered"
        self.assert_ends_in_time(1, self.torrent, self.target, "--peer", "a.test:1", "--timeout", "1s", says=says)
        self.assert_ends_in_time(1, self.torrent, self.target, "--peer", "a.test:1", "--stall-timeout", "1s", says=says)
        self.assertFalse(self.target.exists())

    def test_the_name_in_a_torrent_s_url(self):
        self.assert_ends_in_time(1, "http://a.test/sda1.torrent", self.target, "--timeout", "1s", says="http://a.test/sda1.torrent")

    def test_a_tracker_s_name_in_a_magnet_link(self):
        link = f"magnet:?xt=urn:btih:{'0123456789' * 4}&tr=http://a.test/announce"
        self.assert_ends_in_time(1, link, self.target, "--timeout", "1s", says="no metadata for the magnet link after 1")

    def test_a_tracker_s_name_does_not_delay_what_comes_from_a_peer(self):
        seeder, peer = self.start_listening("seed", self.torrent, odd_image(100_000).write_to(self.dir / "source.img"))
        link = self.ends_with(0, "info", "--magnet", self.torrent).stdout.strip() + "&tr=http://a.test/announce"
        start = time.monotonic()
        fetcher = self.start("fetch", link, self.target, "--json", "--no-lsd", "--peer", peer, "--seed-time", "0")
        fetcher.wait_for_event("complete")
        self.assertLess(time.monotonic() - start, SLACK, fetcher)
        self.assertEqual(fetcher.wait(), 0, fetcher)
        self.assertTrue(seeder.is_running())


class Files(LimitsCase):
    def test_a_pipe_that_nobody_writes_to(self):
        pipe = self.dir / "pipe"
        os.mkfifo(pipe)
        self.assert_ends_in_time(1, pipe, self.dir / "target.img", "--timeout", "1s", says=f"the torrent {pipe} has not arrived")
        self.assert_ends_in_time(1, pipe, self.dir / "target.img", "--stall-timeout", "1s", says="no data for 1")

    @unittest.skipIf(missing_tools("openssl"), "needs openssl")
    def test_a_pipe_that_nobody_writes_to_as_key(self):
        ours = Authority(self.dir, "ours")
        source = odd_image(100_000).write_to(self.dir / "source.img")
        torrent = self.dir / "private.torrent"
        self.ends_with(0, "create", "--all", source, "-o", torrent, "--ssl-ca", ours.certificate)
        key = self.dir / "key"
        os.mkfifo(key)
        certificate = ours.issue("host")[:2]
        self.assert_ends_in_time(1, torrent, self.dir / "target.img", *certificate, "--ssl-key", key, "--timeout", "1s",
                                 says="what --ssl-cert, --ssl-key and --ssl-dh name was still being read")
        self.assertFalse((self.dir / "target.img").exists())

    def test_what_comes_from_a_pipe_is_a_torrent(self):
        pipe = self.dir / "pipe"
        os.mkfifo(pipe)
        torrent = odd_image(100_000).write_torrent(self.dir / "sda1.torrent")
        writer = threading.Thread(target=lambda: pipe.write_bytes(torrent.read_bytes()))
        writer.start()
        self.ends_with(0, "info", pipe)
        writer.join()


class Torrents(LimitsCase):
    """Torrents that take long to look at."""

    FILE = b"d6:lengthi16384e4:pathl16:0000000000000000ee"

    def refused(self, torrent):
        path = self.dir / "odd.torrent"
        path.write_bytes(torrent)
        return self.ends_with(3, "fetch", path, self.dir / "target.img", seconds=10 + SLACK).stderr

    def info(self, files):
        return b"4:infod5:filesl" + files + b"e4:name4:sda112:piece lengthi16384e6:pieces20:" + bytes(20) + b"e"

    def test_one_with_very_many_trackers(self):
        trackers = bencode([[f"http://10.0.0.1:{number}/announce"] for number in range(100_000)])
        said = self.refused(b"d13:announce-list" + trackers + self.info(self.FILE) + b"e")
        self.assertIn("names 100000 trackers", said)

    def test_one_with_very_many_files_of_one_name(self):
        said = self.refused(b"d" + self.info(self.FILE + self.FILE.replace(b"16384", b"0") * 300_000) + b"e")
        self.assertIn("300000 of its files have the name of another", said)


class EndlessChunk:
    """A web seed whose answer is a chunk of 2^63 - 1 bytes. `address` is where it listens."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.answered = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with contextlib.suppress(OSError), connection:
            connection.recv(4096)
            self.answered.set()
            connection.sendall(b"HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\n"
                               b"Content-Range: bytes 0-16383/16384\r\n\r\n7fffffffffffffff\r\n" + bytes(4096))
            connection.recv(1)
            time.sleep(60)


class WebSeeds(ImageCase):
    def setUp(self):
        super().setUp()
        self.server = self.enterContext(EndlessChunk())
        self.torrent = self.image.write_torrent(self.dir / "web.torrent", **{"url-list": [f"http://{self.server.address}/"]})

    def fetch_from_it(self, *options):
        return self.start("fetch", self.torrent, self.dir / "target.img", "--json", "--no-lsd", *options)

    def test_one_that_keeps_the_network_thread_busy_keeps_no_limit_from_ending_it(self):
        for limit in ["--timeout", "3s"], ["--stall-timeout", "3s"]:
            start = time.monotonic()
            fetcher = self.fetch_from_it("--web-seed", *limit)
            self.assertEqual(fetcher.wait(30), 7, fetcher)
            self.assertLess(time.monotonic() - start, 3 + SLACK, fetcher)
            (error,) = fetcher.events_named("error")
            self.assertNotIn("the kernel gives", error["message"])
        self.assertTrue(self.server.answered.is_set())

    def test_none_is_used_unless_asked_for_and_that_is_said(self):
        for options in [], ["--no-web-seed"]:
            fetcher = self.fetch_from_it(*options, "--stall-timeout", "1s")
            self.assertEqual(fetcher.wait(), 7, fetcher)
            said = [event["message"] for event in fetcher.events_named("warning")]
            self.assertEqual(said, ["the torrent names 1 web seed, not used without --web-seed"], fetcher)
        self.assertFalse(self.server.answered.is_set())


if __name__ == "__main__":
    main()
