"""What the tests stand on in which ezio-cli is among other BitTorrent clients.

All of it happens in a network of the test's own, in which every program has an address, and from which nothing leads
outside: the clients can keep their defaults (DHT, local peer discovery, encryption, uTP).
"""

import signal
import unittest

import clients
from harness import UNTOUCHED, EndToEndTest, isolate, needs_loop_devices, run, wait_until
from images import differing_extents, odd_image, touched_gaps
from tracker import Tracker

NETWORK = "10.99.0"
ADDRESSES = 12
SIZE = 24 << 20
PAYLOAD = (4 << 20) + 12_345  # some clients begin slowly


def add_addresses():
    """Returns whether that worked. The addresses are the loopback interface's, 10.99.0.1 and up."""
    if not isolate():
        return False
    for host in range(1, ADDRESSES + 1):
        run("ip", "address", "add", f"{NETWORK}.{host}/24", "dev", "lo")
    return True


needs_network = unittest.skipUnless(add_addresses(), "needs root, for a network of its own")


@needs_network
@needs_loop_devices
class InteropTest(EndToEndTest):
    """Has a tracker, an image, its torrent that names the tracker, and the image on a block device."""

    size, payload = SIZE, PAYLOAD

    def setUp(self):
        super().setUp()
        self.hosts = (f"{NETWORK}.{host}" for host in range(2, ADDRESSES + 1))
        self.tracker = self.enterContext(Tracker(f"{NETWORK}.1"))
        self.image = odd_image(self.payload)
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent", tracker=self.tracker.url)
        self.source = self.loop_device("source", self.size)
        self.image.write_to(self.source.path)

    def start_ezio(self, *arguments):
        return self.start(*arguments, "--json", "--no-lsd", "--listen", f"{next(self.hosts)}:6881")

    def start_seed(self, *options):
        seeder = self.start_ezio("seed", self.torrent, self.source.path, *options)
        seeder.wait_for_event("start")
        return seeder

    def start_fetch(self, name):
        target = self.loop_device(name, self.size, fill=UNTOUCHED)
        return self.start_ezio("fetch", self.torrent, target.path, "--seed-time", "90s"), target

    def start_client(self, client, download):
        if not client.is_installed():
            self.skipTest(f"needs {client.program}")
        return self.enterContext(client(self.dir / f"{client.program}.home", self.torrent, download, next(self.hosts)))

    def start_all_clients(self):
        return [self.start_client(client, self.dir / f"{client.program}.downloads")
                for client in clients.ALL if client.is_installed()]

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
        other.wait_until_complete()
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
