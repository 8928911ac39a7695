#!/usr/bin/python3
"""Compression in a swarm on real links, with other clients and older versions, counted on the network."""

import signal
import struct
import subprocess
import sysconfig
import unittest

from compression_case import MIB, STEADY, CompressionTest, HandmadeSeed, extended, lz4, noise, words
from harness import main, missing_tools, run, wait_until
from networks import Switch, needs_network_namespaces

try:
    import libtorrent
except ImportError:
    libtorrent = None

STOCK_CLIENT = """
import libtorrent, sys, time
session = libtorrent.session({"listen_interfaces": "0.0.0.0:6881", "enable_dht": False, "enable_lsd": False})
params = libtorrent.add_torrent_params()
params.ti, params.save_path = libtorrent.torrent_info(sys.argv[1]), sys.argv[2]
torrent = session.add_torrent(params)
for address in sys.argv[3:]:
    torrent.connect_peer((address, 7001))
while not torrent.status().is_seeding:
    time.sleep(0.05)
print("complete", flush=True)
time.sleep(1000)
"""


def system_files(size):
    """What tar makes of the Python library: a payload as it is in reality."""
    with subprocess.Popen(["tar", "-C", sysconfig.get_path("stdlib"), "--sort=name", "-cf", "-", "."], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as tar:
        payload = tar.stdout.read(size)
        tar.kill()
    return payload


@needs_network_namespaces
class InASwarm(CompressionTest):
    def setUp(self):
        super().setUp()
        switch = self.enterContext(Switch())
        self.master, *self.hosts = [self.enterContext(switch.new_host()) for _ in range(5)]

    @staticmethod
    def wire_bytes(host, direction):
        line = next(line for line in host.run("cat", "/proc/thread-self/net/dev").splitlines() if "eth0:" in line)
        return int(line.split(":")[1].split()[0 if direction == "received" else 8])

    def target_of(self, number):
        return self.dir / f"target{number}.img"

    def seed(self, *options):
        seeder = self.start("seed", self.torrent, self.source, "--json", "--no-lsd", "--listen", "7001", *options,
                            wrapper=self.master.wrapper)
        seeder.wait_for_event("start")
        return seeder

    def fetch_on(self, number, *options, target=None):
        """Knows the master and the hosts before it."""
        known = [word for host in (self.master, *self.hosts[:number]) for word in ("--peer", f"{host.address}:7001")]
        return self.start("fetch", self.torrent, target or self.target_of(number), "--json", "--no-lsd", "--listen", "7001",
                          "--max-upload", "60M", "--verbose", *known, *options, wrapper=self.hosts[number].wrapper)

    def finish(self, seeder, *fetchers):
        for number, fetcher in enumerate(fetchers):
            self.assert_complete(fetcher)
            self.assert_right(self.target_of(number))
        self.assertEqual(seeder.wait(), 0, seeder)
        totals = [process.events_named("summary")[0] for process in (seeder, *fetchers)]
        self.assertEqual(sum(total["received_bytes"] for total in totals), sum(total["uploaded_bytes"] for total in totals))

    def test_a_systems_files_take_half_of_the_wire(self):
        payload = system_files(24 * MIB)
        self.use(payload, 256 * 1024)
        seeder = self.seed("--clients", "1", *STEADY)
        before = self.wire_bytes(self.hosts[0], "received")
        fetcher = self.fetch_on(0)
        self.finish(seeder, fetcher)
        self.assertLess(self.wire_bytes(self.hosts[0], "received") - before, len(payload) * 0.6)

    @unittest.skipIf(libtorrent is None, "needs python3-libtorrent")
    def test_with_a_stock_client_and_one_that_knows_nothing_of_it(self):
        payload = words(16 * MIB)
        self.use(payload, 256 * 1024)
        seeder = self.seed("--max-upload", "8M")
        ours = [self.fetch_on(0), self.fetch_on(1)]
        old = self.fetch_on(2, "--no-compression")
        stock = self.enterContext(subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *self.hosts[3].wrapper, "/usr/bin/python3", "-c", STOCK_CLIENT, self.torrent,
             self.dir / "stock", *[host.address for host in (self.master, *self.hosts[:3])]], stdout=subprocess.PIPE, text=True))
        try:
            self.assertEqual(stock.stdout.readline(), "complete\n")
        finally:
            stock.kill()
        wire = [self.wire_bytes(host, "received") for host in self.hosts]
        for number, fetcher in enumerate((*ours, old)):
            fetcher.wait_for_event("complete")
            self.assert_right(self.target_of(number))
        stock_file = next((self.dir / "stock" / "sda1").iterdir())
        self.assertEqual(stock_file.read_bytes(), payload)
        seeder.signal(signal.SIGINT)
        seeder.wait()
        for fetcher in (*ours, old):
            self.assertEqual(fetcher.wait(), 0, fetcher)
            self.assert_clean(fetcher)
        for number in 0, 1:
            self.assertLess(wire[number], len(payload) * 0.95)  # of which the two others send some as it is
        for number in 2, 3:
            self.assertGreater(wire[number], len(payload))
        self.assertEqual(self.ratio(old), 1)

    def test_who_comes_late_is_fed_from_disks(self):
        """When nothing of it is in memory any more at those who have it."""
        payload = words(40 * MIB)
        self.use(payload, 256 * 1024)
        seeder = self.seed("--memory", "32M", *STEADY)
        first = self.fetch_on(0, "--memory", "32M")
        first.wait_for_event("complete")
        before = self.wire_bytes(self.hosts[1], "received")
        late = self.fetch_on(1, "--seed-time", "0")
        self.assert_complete(late)
        self.assert_right(self.target_of(1))
        self.assertLess(self.wire_bytes(self.hosts[1], "received") - before, len(payload) * 0.6)
        for process in first, seeder:
            process.signal(signal.SIGINT)
            process.wait()
            self.assert_clean(process)

    def test_a_client_that_is_killed_in_the_middle_and_comes_back_harms_no_other(self):
        payload = words(24 * MIB)
        self.use(payload, 256 * 1024)
        seeder = self.seed("--clients", "3", "--max-upload", "3M")
        killed = self.fetch_on(0, "--interval", "50ms")
        others = [self.fetch_on(1), self.fetch_on(2)]
        wait_until(lambda: any(event["done_bytes"] > 8 * MIB for event in killed.events_named("progress")), killed)
        killed.signal(signal.SIGKILL)
        killed.wait()
        again = self.fetch_on(0, "--resume", *[word for host in self.hosts[1:3] for word in ("--peer", f"{host.address}:7001")])
        for number, fetcher in enumerate((again, *others)):
            self.assert_complete(fetcher)
            self.assert_right(self.target_of(number))
            self.assertGreater(self.ratio(fetcher), 1.5)
        self.assertGreater(again.events_named("summary")[0]["skipped_bytes"], 0)
        self.assertEqual(seeder.wait(), 0, seeder)


class LiesAreNotPassedOn(CompressionTest):
    def test_what_a_liar_has_compressed_goes_no_further(self):
        piece, period = 65536, 64
        patterns = noise(period * 64)
        self.use(b"".join(patterns[start:start + period] * (piece // period) for start in range(0, len(patterns), period)), piece)
        wrong = b"wrong" + noise(period - 5)

        def lie(requests):
            return b"".join(extended(struct.pack("!BIII", 1, *request) + lz4((wrong * piece)[:request[2]], period))
                            for request in requests)
        with HandmadeSeed(self.torrent, lie, host="127.0.0.7") as liar:
            _, honest = self.start_listening("seed", self.torrent, self.source, "--max-upload", "1M")
            first, address = self.start_listening("fetch", self.torrent, self.target, "--peer", liar.address, "--peer", honest,
                                                  "--verbose")
            # The first tells it of the liar.
            second = self.fetch(self.torrent, self.dir / "second.img", "--peer", address, "--allow", "127.0.0.1")
            first.wait_for_event("complete")
        self.assert_right()
        self.assert_right(self.dir / "second.img")
        self.assertEqual(second.events_named("summary")[0]["failed_pieces"], 0)
        warnings = [event["message"] for event in second.events_named("warning")]
        self.assertTrue(all(warning.startswith("127.0.0.7 is refused") for warning in warnings), second)  # nobody is blamed
        self.assertEqual(first.wait(), 0, first)
        self.assertGreater(first.events_named("summary")[0]["failed_pieces"], 0)


VERSION_OF_ANOTHER = """
namespace libtorrent { char const* version() { return "2.0.99.0"; } }
"""


@unittest.skipIf(missing_tools("c++"), "needs c++")
class AnotherLibrary(CompressionTest):
    def test_with_another_version_of_libtorrent_nothing_is_compressed_and_one_note_says_so(self):
        self.use(words(4 * MIB))
        source, library = self.dir / "version.cpp", self.dir / "version.so"
        source.write_text(VERSION_OF_ANOTHER)
        run("c++", "-shared", "-fPIC", source, "-o", library)
        _, address = self.start_listening("seed", self.torrent, self.source)
        fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", address, "--seed-time", "0", "--verbose",
                                          wrapper=["env", f"LD_PRELOAD={library}"])
        self.assert_complete(fetcher)
        self.assert_right()
        self.assertEqual(self.ratio(fetcher), 1)
        notes = [event["message"] for event in fetcher.events_named("note") if "libtorrent" in event["message"]]
        self.assertEqual(len(notes), 1, fetcher)
        self.assertIn("runs with 2.0.99.0", notes[0])


if __name__ == "__main__":
    main()
