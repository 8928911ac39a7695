#!/usr/bin/python3
"""Several fetchers at once, some of them other clients, and when the seeder leaves. For slow links see slow_links_test.py."""

import signal
import time
import unittest

from harness import free_port, is_listening, main, wait_until
from images import Extent, Image, odd_image
from swarm_case import SwarmTest

try:
    import libtorrent
except ImportError:
    libtorrent = None


class StockClient:
    """python3-libtorrent with one torrent and default settings, on loopback only. What it seeds or gets is in `directory`."""

    def __init__(self, torrent, directory):
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        self._session = libtorrent.session({
            "listen_interfaces": self.address, "enable_dht": False, "enable_lsd": False, "enable_upnp": False,
            "enable_natpmp": False, "allow_multiple_connections_per_ip": True})
        params = libtorrent.add_torrent_params()
        params.ti = libtorrent.torrent_info(str(torrent))
        params.save_path = str(directory)
        self._torrent = self._session.add_torrent(params)
        wait_until(lambda: is_listening(port), "the stock client to listen")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._torrent = self._session = None  # waits for its threads

    def connect(self, address):
        host, port = address.split(":")
        self._torrent.connect_peer((host, int(port)))

    def wait_until_complete(self):
        wait_until(lambda: self._torrent.status().is_seeding, lambda: self._torrent.status().progress)


def write_as_files(image, directory):
    """A directory as other clients have it: one file per extent."""
    (directory / "sda1").mkdir(parents=True)
    for extent, data in image.extents_with_data():
        (directory / "sda1" / extent.name).write_bytes(data)
    return directory


@unittest.skipIf(libtorrent is None, "needs python3-libtorrent")
class WithAnotherClient(SwarmTest):
    def setUp(self):
        super().setUp()
        self.image = odd_image()
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent")
        self.source = self.image.write_to(self.dir / "source.img")

    def test_three_fetchers_get_everything_from_a_stock_seeder(self):
        files = write_as_files(self.image, self.dir / "stock")
        seeder = self.enterContext(StockClient(self.torrent, files))
        seeder.wait_until_complete()
        fetchers, targets, _ = self.start_fetchers(3, seeder.address)
        for fetcher, target in zip(fetchers, targets):
            self.assert_fetched(fetcher, target)

    def test_a_stock_fetcher_among_ours_gets_everything_and_so_do_they(self):
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--clients", "3", "--max-upload", "16M")
        stock = self.enterContext(StockClient(self.torrent, self.dir / "stock"))
        stock.connect(address)
        fetchers, targets, addresses = self.start_fetchers(2, address)
        for other in addresses:
            stock.connect(other)
        for fetcher, target in zip(fetchers, targets):
            self.assert_fetched(fetcher, target)
        stock.wait_until_complete()
        for extent, data in self.image.extents_with_data():
            self.assertEqual((self.dir / "stock" / "sda1" / extent.name).read_bytes(), data)
        self.assertEqual(seeder.wait(), 0, seeder)  # it has counted the stock client, too


    def test_a_stock_seeder_is_no_client(self):
        files = write_as_files(self.image, self.dir / "stock")
        stock = self.enterContext(StockClient(self.torrent, files))
        stock.wait_until_complete()
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--clients", "1", "--peer", stock.address)
        time.sleep(3)  # the connection is not always one that is told of: neither wants anything
        self.assertTrue(seeder.is_running(), seeder)
        self.fetch(self.torrent, self.dir / "target.img", "--peer", address)
        self.assertEqual(seeder.wait(), 0, seeder)


class EndOfSeeding(SwarmTest):
    def setUp(self):
        super().setUp()
        self.image = odd_image(4 << 20)
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent")
        self.source = self.image.write_to(self.dir / "source.img")

    def test_a_seeder_leaves_when_so_many_clients_are_complete(self):
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--clients", "2")
        first, second = self.dir / "first.img", self.dir / "second.img"
        self.fetch(self.torrent, first, "--peer", address, "--seed-time", "0")
        self.assertTrue(seeder.is_running(), seeder)
        self.fetch(self.torrent, second, "--peer", address, "--seed-time", "0")
        self.assertEqual(seeder.wait(), 0, seeder)
        self.assertEqual(seeder.events_named("error"), [], seeder)

    def test_the_same_client_counts_once(self):
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--clients", "2")
        port = free_port()
        for attempt in range(2):
            fetcher = self.start("fetch", self.torrent, self.dir / f"again{attempt}.img", "--json", "--no-lsd", "--no-tracker",
                                 "--listen", f"127.0.0.1:{port}", "--peer", address, "--seed-time", "0")
            self.assert_complete(fetcher)
        self.fetch(self.torrent, self.dir / "slow.img", "--peer", address, "--seed-time", "0")
        self.assertEqual(seeder.wait(), 0, seeder)
        counts = {event["clients_complete"] for event in seeder.events_named("progress")}
        self.assertLessEqual(counts, {0, 1, 2})

    def test_as_many_clients_as_are_waited_for_can_be_connected(self):
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--clients", "3", "--max-peers", "1")
        fetchers, targets, _ = self.start_fetchers(3, address)
        for fetcher, target in zip(fetchers, targets):
            self.assert_fetched(fetcher, target)
        self.assertEqual(seeder.wait(), 0, seeder)

    def test_a_seeder_leaves_when_nobody_has_asked_for_anything_for_a_while(self):
        seeder, _ = self.start_listening("seed", self.torrent, self.source, "--idle-timeout", "1s")
        self.assertEqual(seeder.wait(), 0, seeder)


class AtTheEnd(SwarmTest):
    """When every piece is with some client, and one leaves."""

    SIZE = 20 << 20

    def setUp(self):
        super().setUp()
        self.image = Image([Extent(0, self.SIZE)])
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent", self.SIZE // 10)
        self.source = self.image.write_to(self.dir / "source.img")

    def test_who_stops_for_some_seconds_still_gets_from_the_seeder_what_nobody_else_has(self):
        _, address = self.start_listening("seed", self.torrent, self.source, "--max-upload", "6M")
        fetchers = [self.start_listening("fetch", self.torrent, self.dir / f"target{number}.img", "--peer", address, "--max-upload",
                                         "50K", "--stall-timeout", "30s", "--interval", "100ms")[0] for number in range(2)]

        def done():
            return sum(fetcher.events_named("progress")[-1]["done_bytes"] if fetcher.events_named("progress") else 0
                       for fetcher in fetchers)
        wait_until(lambda: done() >= self.SIZE or not fetchers[1].is_running(), "every piece to be somewhere")
        fetchers[0].signal(signal.SIGKILL)
        time.sleep(1)
        fetchers[1].signal(signal.SIGSTOP)
        time.sleep(5)
        fetchers[1].signal(signal.SIGCONT)
        self.assert_fetched(fetchers[1], self.dir / "target1.img")


if __name__ == "__main__":
    main()
