#!/usr/bin/python3
"""The same image to and from every kind of target, between several fetchers, and between ezio-cli and a stock client."""

import contextlib
import os
import re
import signal
import unittest

from harness import (ON_LOOPBACK, UNTOUCHED, EndToEndTest, Mount, free_port, main, missing_tools, needs_loop_devices, run,
                     wait_until)
from image_case import ImageCase
from images import (PARTCLONE_PIECE, Extent, Image, capture, differing_extents, flip_a_bit, odd_image, read_torrent_info,
                    touched_gaps, write_torrent_info, write_torrent_with_libtorrent)

try:
    import libtorrent
except ImportError:
    libtorrent = None

GIB = 1 << 30
needs_libtorrent = unittest.skipIf(libtorrent is None, "needs python3-libtorrent")


class ImageTest(ImageCase):
    def assert_directory_has_the_image(self, directory):
        self.assertEqual(sorted(path.name for path in directory.iterdir()), sorted(e.name for e in self.image.extents))
        for extent, data in self.image.extents_with_data():
            self.assertTrue((directory / extent.name).read_bytes() == data, f"{extent.name} differs")

    def write_directory(self, directory):
        directory.mkdir(parents=True)
        for extent, data in self.image.extents_with_data():
            (directory / extent.name).write_bytes(data)
        return directory


class EveryKindOfTarget(ImageTest):
    def test_a_new_file_is_sparse(self):
        image = Image([Extent(3 * GIB, 1_000_001), Extent(0, 65_536), Extent(GIB + 1, 3_000_000)])
        torrent = image.write_torrent(self.dir / "wide.torrent")
        source = image.write_to(self.dir / "wide.img")
        target = self.dir / "target.img"
        with self.seeding(torrent, source) as peer:
            self.fetch(torrent, target, "--peer", peer)
        self.assertEqual(differing_extents(source, target, image.extents), [])
        self.assertGreaterEqual(target.stat().st_size, image.end)
        self.assertLess(target.stat().st_blocks * 512, 2 * len(image.payload))

    def test_a_directory_gets_one_file_per_extent(self):
        target = self.dir / "images"
        target.mkdir()
        with self.seeding(self.torrent, self.source) as peer:
            self.fetch(self.torrent, target, "--peer", peer)
        self.assertEqual([path.name for path in target.iterdir()], ["sda1"])
        self.assert_directory_has_the_image(target / "sda1")
        self.ends_with(0, "verify", self.torrent, target)

    def test_a_source_is_left_as_it_was(self):
        self.source.chmod(0o444)
        before = self.source.read_bytes(), self.source.stat().st_mtime_ns
        with self.seeding(self.torrent, self.source) as peer:
            self.fetch(self.torrent, self.dir / "target.img", "--peer", peer)
        self.assertEqual((self.source.read_bytes(), self.source.stat().st_mtime_ns), before)

    @needs_loop_devices
    def test_a_read_only_device_can_be_a_source(self):
        device = self.loop_device("device", 64 << 20)
        self.image.write_to(device.path)
        device.set_read_only()
        with self.seeding(self.torrent, device.path) as peer:
            self.fetch(self.torrent, self.dir / "target.img", "--peer", peer)
        self.assert_has_the_image(self.dir / "target.img")


class ManyExtents(EndToEndTest):
    """With fewer descriptors than files. 100,000 files take minutes, most of them to be made and removed."""

    EXTENTS = 100_000 if os.environ.get("EZIO_SOAK") else 2_100  # more than the descriptors
    LENGTH = 1_000

    def test_a_directory_of_many_files_is_written_verified_and_served_with_few_descriptors(self):
        image = Image([Extent(index * 4096, self.LENGTH) for index in range(self.EXTENTS)])
        torrent = image.write_torrent(self.dir / "many.torrent", piece_length=1 << 20)
        source = image.write_to(self.dir / "source.img")
        directory = self.dir / "images"
        directory.mkdir()
        few = ["prlimit", "--nofile=2048"]
        with self.seeding(torrent, source) as peer:
            self.ends_with(0, "fetch", torrent, directory, "--peer", peer, "--seed-time", "0", *ON_LOOPBACK, "--listen",
                           f"127.0.0.1:{free_port()}", wrapper=few, seconds=600)
        self.ends_with(0, "verify", torrent, directory, wrapper=few)
        with self.seeding(torrent, directory, wrapper=few) as peer:
            self.fetch(torrent, self.dir / "target.img", "--peer", peer, "--seed-time", "0")
        self.assertEqual(differing_extents(source, self.dir / "target.img", image.extents), [])


class DirectoriesAsSource(ImageTest):
    def check_source(self, source):
        with self.seeding(self.torrent, source) as peer:
            self.fetch(self.torrent, self.dir / "target.img", "--peer", peer)
        self.assert_has_the_image(self.dir / "target.img")

    def test_the_directory_that_holds_the_extents(self):
        self.check_source(self.write_directory(self.dir / "flat"))

    def test_the_directory_that_holds_the_directory_named_as_the_torrent(self):
        self.write_directory(self.dir / "images" / "sda1")
        self.check_source(self.dir / "images")


@needs_loop_devices
@unittest.skipIf(missing_tools("partclone.ext4", "mkfs.ext4"), "needs partclone and e2fsprogs")
class WhatPartcloneWrites(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.device = self.loop_device("device", 72 << 20)
        run("mkfs.ext4", "-q", "-F", self.device.path)
        with Mount(self.device.path, self.dir / "mounted") as root:
            Image([Extent(0, 40 << 20)]).write_to(root / "file")
        self.captured = self.dir / "captured"
        self.info = capture(["partclone.ext4", "-c", "-T"], self.device.path, self.captured)
        self.torrent = self.dir / "sda1.torrent"
        self.ends_with(0, "create", self.info, "-o", self.torrent, "--name", "sda1")

    def test_its_directory_of_extents_is_a_source(self):
        extents, hashes = read_torrent_info(self.info)
        self.assertGreaterEqual(len(hashes), 3)
        target = self.loop_device("target", self.device.size, fill=UNTOUCHED)
        with self.seeding(self.torrent, self.captured) as peer:
            self.fetch(self.torrent, target.path, "--peer", peer)
        self.assertEqual(differing_extents(self.device.path, target.backing, extents), [])
        self.assertEqual(touched_gaps(target.backing, extents, UNTOUCHED), [])
        run("e2fsck", "-fn", target.path)

    @needs_libtorrent
    def test_its_torrent_is_the_one_that_clonezilla_would_make(self):
        extents, hashes = read_torrent_info(self.info)
        other = write_torrent_with_libtorrent(self.dir / "other.torrent", extents, map(bytes.fromhex, hashes), PARTCLONE_PIECE)
        ours, theirs = (libtorrent.bdecode(path.read_bytes())[b"info"] for path in (self.torrent, other))
        self.assertEqual(libtorrent.bencode(ours), libtorrent.bencode(theirs))
        self.assertEqual(*(str(libtorrent.torrent_info(str(path)).info_hash()) for path in (self.torrent, other)))


class TorrentsFromTorrentInfo(EndToEndTest):
    def create(self, image, *options):
        hashes = [sha1.hexdigest() for sha1 in image.hashes(PARTCLONE_PIECE)]
        extents = [image.extents[0], Extent(image.end, 0), *image.extents[1:]]
        info = write_torrent_info(self.dir / "torrent.info", extents, hashes)
        torrent = self.dir / "created.torrent"
        self.ends_with(0, "create", info, "-o", torrent, *options)
        return torrent

    @needs_libtorrent
    def test_an_extent_without_length_is_left_out(self):
        image = odd_image()
        created = libtorrent.bdecode(self.create(image, "--name", "sda1").read_bytes())
        by_hand = libtorrent.bdecode(image.write_torrent(self.dir / "by-hand.torrent", PARTCLONE_PIECE).read_bytes())
        self.assertEqual(libtorrent.bencode(created[b"info"]), libtorrent.bencode(by_hand[b"info"]))

    @needs_libtorrent
    def test_name_tracker_and_comment_are_kept(self):
        torrent = self.create(odd_image(), "--name", "nvme0n1p2", "--tracker", "http://10.0.0.1:6969/announce",
                              "--comment", "the lab of spring")
        info = libtorrent.torrent_info(str(torrent))
        self.assertEqual(info.name(), "nvme0n1p2")
        self.assertEqual(info.comment(), "the lab of spring")
        self.assertEqual([tracker.url for tracker in info.trackers()], ["http://10.0.0.1:6969/announce"])


class SeveralFetchers(ImageTest):
    def test_a_fetcher_that_knows_only_another_fetcher_completes_with_it(self):
        one, other = self.dir / "one.img", self.dir / "other.img"
        with self.seeding(self.torrent, self.source) as peer:
            first, address = self.start_listening("fetch", self.torrent, one, "--peer", peer, "--max-download", "16M")
            second, _ = self.start_listening("fetch", self.torrent, other, "--peer", address)
            self.assert_complete(second)
            self.assert_complete(first)
        self.assert_has_the_image(one)
        self.assert_has_the_image(other)

    def test_a_fetcher_that_is_complete_serves_those_that_are_not(self):
        """The seeder leaves as soon as the first fetcher has everything."""
        with self.seeding(self.torrent, self.source) as peer:
            first, address = self.start_listening("fetch", self.torrent, self.dir / "one.img", "--peer", peer,
                                                  "--max-download", "16M")
            second, _ = self.start_listening("fetch", self.torrent, self.dir / "other.img", "--peer", address,
                                             "--max-download", "8M")
            first.wait_for_event("complete")
        self.assert_complete(second)
        self.assert_complete(first)
        self.assert_has_the_image(self.dir / "other.img")


class Verify(ImageTest):
    def test_a_good_target_is_good(self):
        self.ends_with(0, "verify", self.torrent, self.source)

    def test_a_wrong_byte_is_found_and_its_extent_named(self):
        extent = max(self.image.extents, key=lambda extent: extent.length)
        flip_a_bit(self.source, extent.offset + extent.length // 2)
        before = self.source.read_bytes()
        verify = self.ends_with(8, "verify", self.torrent, self.source)
        self.assertIn(f"{extent.offset:x}", (verify.stdout + verify.stderr).lower(), verify)
        self.assertEqual(self.source.read_bytes(), before)

    def test_a_wrong_byte_between_the_extents_does_not_matter(self):
        extents = sorted(self.image.extents, key=lambda extent: extent.offset)
        gap = next(one.end for one, other in zip(extents, extents[1:]) if one.end < other.offset)
        flip_a_bit(self.source, gap)
        self.ends_with(0, "verify", self.torrent, self.source)

    def test_a_target_that_ends_too_early_is_bad(self):
        with open(self.source, "r+b") as file:
            file.truncate(self.image.end - 1)
        verify = self.start("verify", self.torrent, self.source)
        self.assertIn(verify.wait(), (4, 8), verify)

    def test_a_wrong_byte_in_a_directory_is_found_and_its_extent_named(self):
        directory = self.write_directory(self.dir / "images" / "sda1")
        extent = max(self.image.extents, key=lambda extent: extent.length)
        flip_a_bit(directory / extent.name, extent.length // 2)
        verify = self.ends_with(8, "verify", self.torrent, self.dir / "images")
        self.assertIn(f"{extent.offset:x}", (verify.stdout + verify.stderr).lower(), verify)

    def test_a_file_that_is_not_there_is_not_created(self):
        self.ends_with(4, "verify", self.torrent, self.dir / "missing.img")
        self.assertFalse((self.dir / "missing.img").exists())


class Info(ImageTest):
    def test_info_says_how_much_there_is(self):
        info = self.ends_with(0, "info", self.torrent)
        numbers = re.sub(r"(?<=\d)[,_' ](?=\d{3})", "", info.stdout)
        pieces = -(-len(self.image.payload) // 65536)
        for number in (len(self.image.extents), len(self.image.payload), pieces, self.image.end):
            self.assertRegex(numbers, rf"\b{number}\b")
        self.assertIn("sda1", info.stdout)


@needs_libtorrent
class StockClients(ImageTest):
    """python3-libtorrent as the other side, as an ordinary client would be."""

    @contextlib.contextmanager
    def client(self, save_path):
        port = free_port()
        session = libtorrent.session({"listen_interfaces": f"127.0.0.1:{port}", "enable_dht": False, "enable_lsd": False,
                                      "enable_upnp": False, "enable_natpmp": False, "allow_multiple_connections_per_ip": True})
        torrent = session.add_torrent({"ti": libtorrent.torrent_info(str(self.torrent)), "save_path": str(save_path)})
        try:
            yield torrent, f"127.0.0.1:{port}"
        finally:
            session.remove_torrent(torrent)
            session.pause()

    def test_a_stock_client_downloads_the_image_as_a_directory(self):
        with self.seeding(self.torrent, self.source) as peer, self.client(self.dir / "downloads") as (torrent, _):
            host, port = peer.split(":")
            torrent.connect_peer((host, int(port)))
            wait_until(lambda: torrent.status().is_seeding, "the stock client to be complete")
        self.ends_with(0, "verify", self.torrent, self.dir / "downloads")

    def test_a_stock_client_seeds_the_directory(self):
        self.write_directory(self.dir / "images" / "sda1")
        with self.client(self.dir / "images") as (torrent, address):
            wait_until(lambda: torrent.status().is_seeding, "the stock client to have checked its files")
            self.fetch(self.torrent, self.dir / "target.img", "--peer", address)
        self.assert_has_the_image(self.dir / "target.img")


class TargetsInUse(ImageTest):
    def refused(self, target):
        fetcher = self.ends_with(4, "fetch", self.torrent, target, *ON_LOOPBACK, "--listen", f"127.0.0.1:{free_port()}")
        self.assertEqual(len(fetcher.stderr.strip().splitlines()), 1, fetcher)
        return fetcher.stderr

    def test_a_directory_that_is_being_written_is_refused(self):
        directory = self.dir / "images"
        directory.mkdir()
        first, _ = self.start_listening("fetch", self.torrent, directory)
        self.assertTrue(first.is_running(), first)
        self.assertIn(f"{directory / 'sda1'} is being written by another process", self.refused(directory))
        first.signal(signal.SIGINT)
        first.wait()
        with self.seeding(self.torrent, self.source) as peer:
            self.fetch(self.torrent, directory, "--peer", peer)
        self.assert_directory_has_the_image(directory / "sda1")

    @needs_loop_devices
    @unittest.skipIf(missing_tools("mkfs.ext4"), "needs e2fsprogs")
    def test_an_image_file_that_is_mounted_is_refused(self):
        device = self.loop_device("disk", 16 << 20)
        run("mkfs.ext4", "-q", "-F", device.path)
        with Mount(device.path, self.dir / "mounted") as root:
            message = self.refused(device.backing)
            self.assertIn(f"{device.backing} is in use: {device.path} is mounted on {root}; unmount it first", message)
            self.assertEqual(device.backing.stat().st_size, device.size)  # it did not grow to take the image
        with self.seeding(self.torrent, self.source) as peer:
            self.fetch(self.torrent, device.backing, "--peer", peer)
        self.assert_has_the_image(device.backing)


if __name__ == "__main__":
    main()
