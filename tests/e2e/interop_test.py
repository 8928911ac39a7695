#!/usr/bin/python3
"""ezio-cli among other BitTorrent clients: each downloads from our seed of a block device, each seeds a directory to our fetch.

All of it happens in a network of the test's own, in which every program has an address, and from which nothing leads
outside: the clients can keep their defaults (DHT, local peer discovery, encryption, uTP).
"""

import ctypes
import os
import signal
import unittest

import clients
from harness import UNTOUCHED, EndToEndTest, main, needs_loop_devices, run, wait_until
from images import differing_extents, odd_image, touched_gaps
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

    def check_seeds(self, client):
        other = self.start_client(client, self.write_directory(self.dir / "images"))
        fetcher, target = self.start_fetch("target")
        wait_until(lambda: not fetcher.is_running() or fetcher.events_named("complete"), (fetcher, other))
        self.assert_complete(fetcher)
        self.assert_device_has_the_image(target)

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


if __name__ == "__main__":
    main()
