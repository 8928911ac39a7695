#!/usr/bin/python3
"""Torrents of every size and kind: 500,000 extents on a disk of 2 TiB, and malformed ones. One sentence each."""

import os
import random
import resource
import unittest

from harness import ON_LOOPBACK, EndToEndTest, main, make_file
from images import Extent, Image, bencode, differing_extents, torrent_of, torrent_of_one_file

MIB = 1 << 20
TIB = 1 << 40
ZEROS = "0" * 32


def cpu_seconds_of_children():
    """Of those that have ended: how busy the machine is makes no difference."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class ManyExtents(EndToEndTest):
    """A very fragmented file system: 500,000 extents, the last one at 2 TiB."""

    def setUp(self):
        super().setUp()
        extents = [Extent(512 * number, 128) for number in range(499_999)] + [Extent(2 * TIB - 4096, 4096)]
        self.image = Image(extents)
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent", piece_length=MIB)

    def test_it_is_loaded_in_3_seconds_and_400_mib(self):
        before = cpu_seconds_of_children()
        # ru_maxrss would count this process before the exec; a limit on private memory counts ezio-cli alone.
        info = self.ends_with(0, "info", "--json", self.torrent, wrapper=["prlimit", f"--data={400 * MIB}"])
        seconds = cpu_seconds_of_children() - before
        self.assertEqual(info.events[0]["extents"], 500_000)
        self.assertEqual(info.events[0]["device_bytes"], 2 * TIB)
        self.assertLess(seconds, 3 if "release" in str(info.program) else 9)

    def test_a_machine_without_enough_memory_is_told_so(self):
        info = self.ends_with(1, "info", self.torrent, wrapper=["prlimit", f"--data={80 * MIB}"])
        self.assertTrue(info.stderr.startswith("ezio-cli: out of memory; "), info)

    @unittest.skipUnless(os.environ.get("EZIO_SOAK"), "half a million small writes: only with EZIO_SOAK")
    def test_it_is_fetched_to_a_disk_of_2_tib(self):
        source = self.image.write_to(self.dir / "source.img")
        target = self.dir / "target.img"
        with self.seeding(self.torrent, source) as peer:
            self.fetch(self.torrent, target, "--peer", peer)
        self.assertEqual(target.stat().st_size, 2 * TIB)
        everything = [Extent(0, 512 * 500_000), self.image.extents[-1]]
        self.assertEqual(differing_extents(source, target, everything), [])


class MemoryOfTheTorrent(EndToEndTest):
    """It is a part of --memory, or the torrent is refused before it takes any."""

    def write_torrent(self, sizes, piece_length):
        files = b"".join(b"d6:lengthi%de4:pathl16:%016xee" % (size, 2 * number * size) for number, size in enumerate(sizes))
        hashes = bytes(20 * -(-sum(sizes) // piece_length))
        torrent = self.dir / "sda1.torrent"
        torrent.write_bytes(b"d4:infod5:filesl%be4:name4:sda112:piece lengthi%de6:pieces%d:%bee" %
                            (files, piece_length, len(hashes), hashes))
        return torrent

    def assert_too_large(self, torrent):
        target = self.dir / "target.img"
        fetcher = self.ends_with(3, "fetch", torrent, target, "--memory", "32M", wrapper=["prlimit", f"--data={96 * MIB}"])
        self.assertRegex(fetcher.stderr, r"^ezio-cli: .* takes more memory than --memory allows; it needs --memory \d+M or more$")
        self.assertFalse(target.exists())

    def test_4_000_000_pieces(self):
        self.assert_too_large(self.write_torrent([4_000_000 * 16384], 16384))

    def test_1_000_000_extents(self):
        self.assert_too_large(self.write_torrent([65536] * 1_000_000, 16 * MIB))

    def test_a_million_pieces_and_the_data_fit_in_what_was_allowed(self):
        memory = 128
        torrent = self.write_torrent([1_000_000 * 16384], 16384)
        source = make_file(self.dir / "source.img", 1_000_000 * 16384)
        seeder, _ = self.start_listening("seed", torrent, source, "--memory", f"{memory}M")
        seeder.wait_for_event("start")
        self.assertLess(seeder.peak_mib(), memory + 96, seeder)


class BadTorrents(EndToEndTest):
    def refused(self, data, *says):
        torrent = self.dir / "bad.torrent"
        torrent.write_bytes(data)
        target = make_file(self.dir / "target.img", MIB, fill=b"\xff")
        before = cpu_seconds_of_children()
        for command in ("info",), ("verify", target), ("fetch", target, *ON_LOOPBACK), ("seed", target, *ON_LOOPBACK):
            ezio = self.ends_with(3, command[0], torrent, *command[1:])
            self.assertEqual(len(ezio.stderr.strip().splitlines()), 1, ezio)
            self.assertIn(str(torrent), ezio.stderr, ezio)
            for words in says:
                self.assertIn(words, ezio.stderr, ezio)
        self.assertLess(cpu_seconds_of_children() - before, 20)
        self.assertEqual(target.read_bytes(), b"\xff" * MIB)

    def test_without_an_extent(self):
        self.refused(bencode({"info": {"files": [], "name": "sda1", "piece length": 65536, "pieces": b""}}))
        self.refused(torrent_of([(ZEROS, 0)]))

    def test_one_extent_at_2_tib_is_good(self):
        torrent = self.dir / "good.torrent"
        torrent.write_bytes(torrent_of([(f"{2 * TIB:032x}", MIB)]))
        (info,) = self.ends_with(0, "info", "--json", torrent).events
        self.assertEqual(info["device_bytes"], 2 * TIB + MIB)

    def test_names_twice_and_names_that_lead_elsewhere(self):
        self.refused(torrent_of([(ZEROS, MIB), (ZEROS, MIB)]))
        for path in ["..", "..", ZEROS], ["/etc/passwd"], [ZEROS, ".."], [f"../{ZEROS}"], [f"{ZEROS}/"], []:
            with self.subTest(path):
                self.refused(bencode({"info": {"files": [{"length": MIB, "path": path}], "name": "sda1",
                                               "piece length": 65536, "pieces": bytes(320)}}))
        for name in "../etc", "a/b", "..", "":
            with self.subTest(name):
                self.refused(torrent_of([(ZEROS, MIB)], name=name))

    def test_absurd_piece_lengths(self):
        good = torrent_of([(ZEROS, MIB)])
        for length in 0, -1, 1, 16383, 65537, 3 << 20, 1 << 31, (1 << 31) - 1, 1 << 40, 1 << 62:
            with self.subTest(length):
                self.refused(good.replace(b"piece lengthi65536e", b"piece lengthi%de" % length))

    def test_a_number_of_hashes_that_does_not_fit(self):
        for count in 1, 15, 17, 100:
            with self.subTest(count):
                self.refused(torrent_of([(ZEROS, MIB)], pieces=bytes(20 * count)))

    def test_garbage_of_100_mb(self):
        rng = random.Random(1)
        chunk = rng.randbytes(1 << 20)
        self.refused(chunk * 100)
        self.refused(b"d4:infod5:files" + b"l" * (100 << 20))
        self.refused(b"d8:announce104857600:" + chunk * 100 + b"e")

    def test_larger_than_any_torrent_is(self):
        torrent = make_file(self.dir / "huge.torrent", 3 << 30)
        ezio = self.ends_with(3, "info", torrent)
        self.assertEqual(len(ezio.stderr.strip().splitlines()), 1, ezio)

    def test_deeply_nested(self):
        for depth in 101, 10_000, 1_000_000:
            with self.subTest(depth):
                self.refused(b"d1:a" + b"l" * depth + b"e" * depth + b"4:info0:e")

    def test_version_2_is_refused_by_name(self):
        tree = {ZEROS: {"": {"length": 100, "pieces root": bytes(range(32))}}}
        v2 = {"meta version": 2, "name": "sda1", "piece length": 65536, "file tree": tree}
        self.refused(bencode({"info": v2, "piece layers": {}}), "v2")
        hybrid = dict(v2, files=[{"length": 101, "path": [ZEROS]}], pieces=bytes(20))  # of other files for v1
        self.refused(bencode({"info": hybrid, "piece layers": {}}))

    def test_an_ordinary_torrent(self):
        self.refused(torrent_of_one_file("debian.iso", MIB), "debian.iso")


if __name__ == "__main__":
    main()
