#!/usr/bin/python3
"""Compression between our own peers: the same image with fewer bytes on the network."""

import signal
import time
import unittest

from certificates import Authority
from compression_case import BLOCK, MIB, STEADY, CompressionTest, noise, words
from harness import main, make_file, missing_tools, needs_fuse, wait_until
from networks import Switch, needs_network_namespaces

try:
    import libtorrent
except ImportError:
    libtorrent = None


@needs_network_namespaces
class OnTheWire(CompressionTest):
    def setUp(self):
        super().setUp()
        switch = self.enterContext(Switch())
        self.master, self.client = (self.enterContext(switch.new_host()) for _ in range(2))

    def received(self):
        line = next(line for line in self.client.run("cat", "/proc/thread-self/net/dev").splitlines() if "eth0:" in line)
        return int(line.split(":")[1].split()[0])

    def deploy(self, payload, seed_options=(), fetch_options=(), piece=65536):
        """Returns the client, the seeder, and how many bytes the client's interface has received."""
        self.use(payload, piece)
        seeder = self.start("seed", self.torrent, self.source, "--json", "--no-lsd", "--listen", "7001", "--clients", "1",
                            *(seed_options or STEADY), wrapper=self.master.wrapper)
        seeder.wait_for_event("start")
        before = self.received()
        fetcher = self.start("fetch", self.torrent, self.target, "--json", "--no-lsd", "--seed-time", "0", "--peer",
                             f"{self.master.address}:7001", *fetch_options, wrapper=self.client.wrapper)
        self.assert_complete(fetcher)
        self.assert_right()
        self.assertEqual(seeder.wait(), 0, seeder)
        wire = self.received() - before
        summary = fetcher.events_named("summary")[0]
        self.assertEqual(summary["received_bytes"], len(payload))
        self.assertEqual(seeder.events_named("summary")[0]["uploaded_bytes"], len(payload))
        self.assertLess(abs(summary["received_wire_bytes"] / wire - 1), 0.15)  # there are headers, and what is not data
        sent = seeder.events_named("summary")[0]["uploaded_wire_bytes"]
        self.assertLess(abs(summary["received_wire_bytes"] / sent - 1), 0.02)
        return fetcher, seeder, wire

    def test_what_can_be_compressed_is(self):
        payload = words(24 * MIB)
        fetcher, _, wire = self.deploy(payload)
        self.assertLess(wire, len(payload) * 0.6)
        self.assertEqual(fetcher.events_named("summary")[0]["redundant_bytes"], 0)

    def test_units_are_no_flood_for_as_long_as_they_come(self):
        """libtorrent counts them as messages, of which a peer may only send so many bytes."""
        text, rest = words(24 * MIB), noise(24 * MIB)
        payload = b"".join(text[at:at + 2048] + rest[at:at + 2048] for at in range(0, len(text), 2048))
        fetcher, _, wire = self.deploy(payload, ["--max-upload", "4M"])
        self.assertLess(wire, len(payload) * 0.75)
        self.assertEqual(fetcher.events_named("warning"), [], fetcher)

    def test_what_cannot_be_is_sent_as_it_is(self):
        payload = noise(16 * MIB)
        _, _, wire = self.deploy(payload)
        self.assertLess(wire, len(payload) * 1.08)

    def test_of_both_only_the_one_half(self):
        payload = noise(4 * MIB) + words(8 * MIB) + noise(4 * MIB + 5000)
        _, _, wire = self.deploy(payload)
        self.assertLess(wire, len(payload) * 0.9)

    def test_either_side_can_do_without(self):
        payload = words(8 * MIB)
        for seed_options, fetch_options in (["--no-compression"], []), ([], ["--no-compression"]):
            _, _, wire = self.deploy(payload, seed_options, fetch_options)
            self.assertGreater(wire, len(payload))
            self.target.unlink()

    def test_the_smallest_and_the_largest_pieces(self):
        payload = words(20 * MIB + 777)
        for piece in BLOCK, 16 * MIB:
            _, _, wire = self.deploy(payload, piece=piece)
            self.assertLess(wire, len(payload) * 0.7)
            self.target.unlink()

    def test_limits_are_on_what_goes_over_the_wire(self):
        payload = words(12 * MIB)
        start = time.monotonic()
        fetcher, _, wire = self.deploy(payload, ["--max-upload", "2M"])
        rate = len(payload) / fetcher.events_named("complete")[0]["seconds"]
        self.assertGreater(rate, 2.2e6)  # of the payload
        self.assertGreater(time.monotonic() - start, wire / 2.5e6)


class OnOneHost(CompressionTest):
    def test_several_clients_feed_each_other(self):
        self.use(words(16 * MIB), 262144)
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--clients", "3", "--max-upload", "4M")
        fetchers, known = [], [address]
        for number in range(3):
            options = [word for peer in known for word in ("--peer", peer)]
            fetcher, peer = self.start_listening("fetch", self.torrent, self.dir / f"{number}.img", "--verbose", *STEADY, *options)
            fetchers.append(fetcher)
            known.append(peer)
        for number, fetcher in enumerate(fetchers):
            self.assert_complete(fetcher)
            self.assert_right(self.dir / f"{number}.img")
            self.assertGreater(self.ratio(fetcher), 1.5)
        notes = [event["message"] for fetcher in fetchers for event in fetcher.events_named("note")]
        self.assertTrue(any("needed no compressing" in note and ", 0 B" not in note for note in notes), notes)
        self.assertEqual(seeder.wait(), 0, seeder)
        totals = [process.events_named("summary")[0] for process in (seeder, *fetchers)]
        self.assertEqual(sum(total["received_bytes"] for total in totals), sum(total["uploaded_bytes"] for total in totals))
        for total in totals:
            self.assertEqual(sum(peer["uploaded_bytes"] for peer in total["peers"]), total["uploaded_bytes"])
            self.assertEqual(sum(peer["received_bytes"] for peer in total["peers"]), total["received_bytes"])

    def test_what_is_there_already_is_not_fetched(self):
        payload = words(8 * MIB)
        self.use(payload)
        self.target.write_bytes(payload[:4 * MIB] + bytes(4 * MIB))
        _, address = self.start_listening("seed", self.torrent, self.source, *STEADY)
        fetcher = self.fetch(self.torrent, self.target, "--resume", "--peer", address, "--seed-time", "0")
        self.assert_right()
        self.assertLessEqual(fetcher.events_named("summary")[0]["received_bytes"], 4 * MIB)
        self.assertGreater(self.ratio(fetcher), 1.5)

    def test_a_client_that_was_killed_goes_on_where_it_was(self):
        self.use(words(16 * MIB))
        _, address = self.start_listening("seed", self.torrent, self.source, "--max-upload", "3M")
        first, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", address, "--interval", "50ms")
        wait_until(lambda: any(event["done_bytes"] > 4 * MIB for event in first.events_named("progress")), first)
        first.signal(signal.SIGKILL)
        fetcher = self.fetch(self.torrent, self.target, "--resume", "--peer", address, "--seed-time", "0")
        self.assert_right()
        self.assertGreater(fetcher.events_named("summary")[0]["skipped_bytes"], 0)

    def test_a_seeder_whose_units_flow_is_not_idle(self):
        self.use(words(16 * MIB))
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--idle-timeout", "4s", "--max-upload", "600K")
        self.fetch(self.torrent, self.target, "--peer", address, "--seed-time", "0")
        self.assert_right()
        self.assertEqual(seeder.wait(), 0, seeder)

    @unittest.skipIf(missing_tools("openssl"), "needs openssl")
    def test_so_is_what_is_sent_over_tls(self):
        authority = Authority(self.dir, "ca")
        self.use(words(8 * MIB), ca=authority.certificate.read_text())
        with self.seeding(self.torrent, self.source, *STEADY, *authority.issue("server")) as address:
            fetcher = self.fetch(self.torrent, self.target, "--peer", address, *authority.issue("client"), "--seed-time", "0")
        self.assert_right()
        self.assertGreater(self.ratio(fetcher), 1.5)

    @needs_fuse
    def test_a_disk_that_is_behind_holds_it_up_within_the_memory(self):
        self.use(bytes(160 * MIB) + words(8 * MIB), 1 * MIB)
        _, address = self.start_listening("seed", self.torrent, self.source)
        disk = self.fuse_disk(make_file(self.dir / "backing", len(self.image.payload)))
        disk.block("write")
        fetcher, _ = self.start_listening("fetch", self.torrent, disk.path, "--peer", address, "--memory", "32M", "--seed-time",
                                          "0", "--interval", "100ms")
        wait_until(lambda: any(event["received_bytes"] > 24 * MIB for event in fetcher.events_named("progress")), fetcher)
        time.sleep(1)  # it would go on
        self.assertLess(fetcher.peak_mib(), 32 + 96)
        self.assertLess(fetcher.events_named("progress")[-1]["received_bytes"], 80 * MIB)
        disk.unblock("write")
        self.assert_complete(fetcher)
        self.assert_right(self.dir / "backing")
        self.assertEqual(fetcher.events_named("summary")[0]["redundant_bytes"], 0)


@unittest.skipIf(libtorrent is None, "needs python3-libtorrent")
class AmongOthers(CompressionTest):
    def test_a_stock_client_gets_blocks_and_ours_units_from_the_same_seeder(self):
        from swarm_test import StockClient
        self.use(words(8 * MIB))
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--clients", "2", *STEADY)
        stock = self.enterContext(StockClient(self.torrent, self.dir / "stock"))
        stock.connect(address)
        fetcher, other = self.start_listening("fetch", self.torrent, self.target, "--peer", address)
        stock.connect(other)
        self.assert_complete(fetcher)
        self.assert_right()
        self.assertGreater(self.ratio(fetcher), 1.3)
        stock.wait_until_complete()
        self.assertEqual(seeder.wait(), 0, seeder)


if __name__ == "__main__":
    main()
