#!/usr/bin/python3
"""Several fetchers at once: the seeder sends (nearly) everything once, whoever comes, goes, or is another client."""

import signal
import time
import unittest

from harness import EndToEndTest, free_port, is_listening, main, wait_until
from images import Extent, Image, differing_extents, odd_image
from networks import Switch, needs_network_namespaces

try:
    import libtorrent
except ImportError:
    libtorrent = None

RATE = "100mbit"
PIECE = 256 << 10


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


class SwarmTest(EndToEndTest):
    def assert_fetched(self, fetcher, target):
        self.assert_complete(fetcher)
        self.assertEqual(differing_extents(self.source, target, self.image.extents), [])

    def start_fetchers(self, count, *peers):
        """Fetchers that know `peers` and those started before them. Returns them, their targets and their addresses."""
        fetchers, targets, addresses = [], [], list(peers)
        for number in range(count):
            targets.append(self.dir / f"target{number}.img")
            known = [word for address in addresses for word in ("--peer", address)]
            fetcher, address = self.start_listening("fetch", self.torrent, targets[-1], *known)
            fetchers.append(fetcher)
            addresses.append(address)
        return fetchers, targets, addresses[len(peers):]


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

    def setUp(self):
        super().setUp()
        self.image = Image([Extent(0, 40 << 20)])
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent", 4 << 20)
        self.source = self.image.write_to(self.dir / "source.img")

    def test_who_stops_for_some_seconds_still_gets_from_the_seeder_what_nobody_else_has(self):
        _, address = self.start_listening("seed", self.torrent, self.source, "--max-upload", "4M")
        fetchers = [self.start_listening("fetch", self.torrent, self.dir / f"target{number}.img", "--peer", address, "--max-upload",
                                         "50K", "--stall-timeout", "30s", "--interval", "100ms")[0] for number in range(2)]

        def done():
            return sum(fetcher.events_named("progress")[-1]["done_bytes"] if fetcher.events_named("progress") else 0
                       for fetcher in fetchers)
        wait_until(lambda: done() >= 40 << 20 or not fetchers[1].is_running(), "every piece to be somewhere")
        fetchers[0].signal(signal.SIGKILL)
        time.sleep(1)
        fetchers[1].signal(signal.SIGSTOP)
        time.sleep(5)
        fetchers[1].signal(signal.SIGCONT)
        self.assert_fetched(fetchers[1], self.dir / "target1.img")


@needs_network_namespaces
class OnSlowLinks(SwarmTest):
    """Hosts whose links take 100 Mbit/s each way, which is the bottleneck, as in a lab."""

    HOSTS = 5
    SIZE = 48 << 20

    def setUp(self):
        super().setUp()
        self.image = Image([Extent(0, self.SIZE)])
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent", PIECE)
        self.source = self.image.write_to(self.dir / "source.img")
        self.switch = switch = self.enterContext(Switch())
        self.hosts = [self.enterContext(switch.new_host()) for _ in range(self.HOSTS)]
        shape = ["root", "tbf", "rate", RATE, "burst", "256kb", "latency", "30ms"]
        for number, host in enumerate(self.hosts):
            host.run("tc", "qdisc", "add", "dev", "eth0", *shape)
            switch.run("tc", "qdisc", "add", "dev", f"port{number + 1}", *shape)

    def slow_down(self, number, rate):
        for where, device in ((self.hosts[number], "eth0"), (self.switch, f"port{number + 1}")):
            where.run("tc", "qdisc", "change", "dev", device, "root", "tbf", "rate", rate, "burst", "16kb", "latency", "300ms")

    def target(self, number):
        return self.dir / f"target{number}.img"

    def seed(self, *options):
        seeder = self.start("seed", self.torrent, self.source, "--json", "--no-tracker", *options, wrapper=self.hosts[0].wrapper)
        seeder.wait_for_event("start")
        return seeder

    def fetch_on(self, number, *options):
        return self.start("fetch", self.torrent, self.target(number), "--json", "--no-tracker", "--timeout", "100s", "--peer",
                          f"{self.hosts[0].address}:6881", *options, wrapper=self.hosts[number].wrapper)

    def wait_for_half(self, fetcher):
        wait_until(lambda: not fetcher.is_running() or
                   any(event["done_bytes"] >= self.SIZE / 2 for event in fetcher.events_named("progress")), fetcher)
        self.assertEqual(fetcher.events_named("complete"), [], fetcher)

    @staticmethod
    def uploaded(ezio):
        return max((event["uploaded_bytes"] for event in ezio.events if "uploaded_bytes" in event), default=0)

    def test_four_hosts_get_everything_and_the_seeder_sends_it_little_more_than_once(self):
        seeder = self.seed("--clients", "4")
        fetchers = {number: self.fetch_on(number) for number in range(1, 5)}
        for number, fetcher in fetchers.items():
            self.assert_fetched(fetcher, self.target(number))
        self.assertEqual(seeder.wait(), 0, seeder)
        self.assertLessEqual(self.uploaded(seeder), 1.15 * self.SIZE)

    def test_one_that_comes_after_everybody_has_left_is_steered_again(self):
        seeder = self.seed()
        first = self.fetch_on(1, "--seed-time", 0)
        self.assert_complete(first)
        self.assertEqual(first.wait(), 0, first)
        once = self.uploaded(seeder)
        fetchers = {number: self.fetch_on(number) for number in range(1, 5)}
        for number, fetcher in fetchers.items():
            self.assert_fetched(fetcher, self.target(number))
        self.assertLessEqual(self.uploaded(seeder) - once, 1.2 * self.SIZE)

    def test_one_with_a_slow_link_that_has_more_than_half_does_not_hold_up_the_others(self):
        self.torrent = self.image.write_torrent(self.dir / "large.torrent", 4 << 20)
        with open(self.source, "rb") as source:
            self.target(1).write_bytes(source.read(self.SIZE * 6 // 10))
        self.slow_down(1, "1mbit")
        self.seed()
        slow = self.fetch_on(1, "--resume")
        wait_until(lambda: slow.events_named("peer"), slow)
        time.sleep(2)  # it has begun some pieces
        fetcher = self.fetch_on(2, "--seed-time", 0)
        self.assert_fetched(fetcher, self.target(2))
        self.assertLess(fetcher.events_named("complete")[0]["seconds"], 25)  # with the slow one's rate: 55

    def test_who_lives_completes_when_the_seeder_and_a_client_are_killed_and_another_comes_late(self):
        seeder = self.seed()
        fetchers = {number: self.fetch_on(number) for number in range(1, 4)}
        self.wait_for_half(fetchers[1])
        for victim in (seeder, fetchers.pop(3)):
            victim.signal(signal.SIGKILL)
            victim.wait()
        second = self.seed("--clients", "3")
        fetchers[4] = self.fetch_on(4)
        for number, fetcher in fetchers.items():
            self.assert_fetched(fetcher, self.target(number))
        self.assertEqual(second.wait(), 0, second)
        self.assertLessEqual(self.uploaded(seeder) + self.uploaded(second), 1.5 * self.SIZE)


if __name__ == "__main__":
    main()
