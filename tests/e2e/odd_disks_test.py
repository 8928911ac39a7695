#!/usr/bin/python3
"""Disks on which more counts than partitions and the used blocks of their file systems."""

import contextlib
import os
import pathlib
import random
import struct
import unittest

from harness import EndToEndTest, Mount, main, make_file, missing_tools, needs_loop_devices, partition_devices, run
from images import Extent, gaps, read_torrent

MIB = 1 << 20
LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"
LDM = "af9b60a0-1431-4f62-bc68-3311714a69ad"
FREEBSD = "516e7cb4-6ecf-11d6-8ff8-00022d71712b"


def put(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


class OddDisk(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.torrent = self.dir / "created.torrent"

    def create(self, source, *options):
        created = self.ends_with(0, "create", source, "-o", self.torrent, *options)
        return created, read_torrent(self.torrent)[1]

    def refused(self, source, *words, options=()):
        ended = self.ends_with(4, "create", source, "-o", self.torrent, *options)
        errors = ended.stderr.splitlines()
        self.assertTrue(errors[-1].startswith("ezio-cli: "), ended)
        for word in words:
            self.assertIn(word, errors[-1])
        self.assertFalse(self.torrent.exists())
        return errors[-1]

    def disk(self, table, size=160 * MIB):
        """A disk with this table, in sfdisk's format."""
        (self.dir / "table").write_text(table)
        device = self.loop_device("source", size)
        run("sh", "-c", f"sfdisk --quiet {device.path} < {self.dir / 'table'}")
        return device

    def assert_carried(self, extents, offset, length):
        self.assertTrue(any(extent.offset <= offset and offset + length <= extent.end for extent in extents),
                        f"{offset} + {length} in {extents}")


@unittest.skipIf(missing_tools("partclone.ext4", "mkfs.ext4"), "needs partclone and e2fsprogs")
class BehindTheFileSystem(OddDisk):
    MAKERS = (("mkfs.ext2", "-q", "-F", "-b", "1024"), ("mkfs.ext4", "-q", "-F", "-b", "4096"), ("mkfs.xfs", "-q", "-f"),
              ("mkfs.btrfs", "-q", "-f"), ("mkntfs", "-q", "-F", "-Q"), ("mkfs.exfat",), ("mkfs.fat", "-F", "32"))

    def test_the_rest_of_its_device_is_in_the_image_whatever_the_file_system(self):
        size, rest = 320 * MIB, 5 * MIB + 512
        for make in self.MAKERS:
            with self.subTest(make[0]):
                if missing_tools(make[0]):
                    self.skipTest(f"needs {make[0]}")
                image = make_file(self.dir / "image", size)
                run(*make, image)
                os.truncate(image, size + rest)
                _, extents = self.create(image)
                self.assertEqual(extents[-1].end, size + rest)
                self.assert_carried(extents, size, rest)
                self.assertLess(sum(extent.length for extent in extents), size // 2)

    def test_of_a_large_rest_both_ends_are_in_the_image_and_it_is_said_what_is_not(self):
        image = make_file(self.dir / "image", 64 * MIB)
        run("mkfs.ext4", "-q", "-F", image)
        os.truncate(image, 1200 * MIB)
        created, extents = self.create(image, "-q")
        self.assertEqual(created.stderr, "")
        created, extents = self.create(image)
        self.assertIn(f"warning: {image}: 1.1 GiB behind what is known there (from byte {65 * MIB} on) are not in the image; "
                      "--all takes every byte", created.stderr)
        self.assert_carried(extents, 64 * MIB, MIB)
        self.assertEqual(extents[-1], Extent(1199 * MIB, MIB))
        self.assertLess(sum(extent.length for extent in extents), 64 * MIB)

    @needs_loop_devices
    @unittest.skipIf(missing_tools("sfdisk", "partx"), "needs fdisk")
    def test_the_rest_of_a_partition_is_in_the_image_of_its_disk_and_in_its_own(self):
        disk = self.disk("label: gpt\nstart=2048, size=262144\n")
        with partition_devices(disk.path) as (partition,):
            run("mkfs.ext4", "-q", "-F", partition, "100M")
            put(partition, 100 * MIB, random.Random(1).randbytes(28 * MIB))
            _, extents = self.create(partition)
            self.assert_carried(extents, 100 * MIB, 28 * MIB)
            _, extents = self.create(disk.path)
            self.assert_carried(extents, 101 * MIB, 59 * MIB)
            self.assertLess(sum(extent.length for extent in extents), 100 * MIB)

    @needs_loop_devices
    @unittest.skipIf(missing_tools("sfdisk", "partx", "mkswap"), "needs fdisk")
    def test_what_is_behind_swap_space_is_in_the_image(self):
        disk = self.disk("label: gpt\nstart=2048, size=65536\nstart=67584, size=20480\n")
        with partition_devices(disk.path) as (swap, other):
            run("mkswap", swap, 16 << 10)
            run("mkfs.ext4", "-q", "-F", other)
            _, extents = self.create(disk.path)
        self.assertEqual(extents[0], Extent(0, MIB + (64 << 10)))
        self.assert_carried(extents, 17 * MIB, 16 * MIB)


@needs_loop_devices
@unittest.skipIf(missing_tools("partclone.ext4", "mkfs.ext4", "sfdisk", "partx"), "needs partclone, e2fsprogs and fdisk")
class PartitionsOfSeveralVolumes(OddDisk):
    START, SIZE = 2048 * 512, 40 * MIB

    def disk_with(self, label, kind):
        disk = self.disk(f"label: {label}\nstart=2048, size={self.SIZE // 512}, type={kind}\n")
        with partition_devices(disk.path) as (partition,):
            run("mkfs.ext4", "-q", "-F", partition, "20M")
        return disk

    def test_every_byte_of_them_is_in_the_image_although_one_begins_with_a_file_system(self):
        for label, kind, words in (("dos", "42", "a Windows dynamic disk"), ("dos", "a5", "BSD slices"),
                                   ("gpt", LDM, "a Windows dynamic disk"), ("gpt", FREEBSD, "BSD slices")):
            with self.subTest(f"{label} {kind}"), contextlib.ExitStack() as stack:
                disk = self.disk_with(label, kind)
                (partition,) = stack.enter_context(partition_devices(disk.path))
                said = f"({words}): every byte of it, 40.0 MiB, is in the image"
                created, extents = self.create(partition)
                self.assertEqual(extents, [Extent(0, self.SIZE)])
                self.assertIn(f"{partition} {said}", created.stderr)
                created, extents = self.create(disk.path)
                self.assert_carried(extents, self.START, self.SIZE)
                self.assertIn(f"{partition} {said}", created.stderr)

    def test_of_a_partition_of_one_file_system_only_the_used_blocks_are(self):
        for label, kind in ("dos", "83"), ("gpt", LINUX):
            with self.subTest(label):
                disk = self.disk_with(label, kind)
                with partition_devices(disk.path):
                    _, extents = self.create(disk.path)
                free = sum(gap.length for gap in gaps(extents, disk.size) if self.START <= gap.offset < self.START + 20 * MIB)
                self.assertGreater(free, 10 * MIB)

    def test_a_partition_with_a_table_of_its_own_is_in_the_image_whole(self):
        disk = self.disk(f"label: gpt\nstart=2048, size={self.SIZE // 512}\n")
        with partition_devices(disk.path) as (partition,):
            (self.dir / "nested").write_text("label: dos\nstart=64, size=2048\nstart=4096, size=30000\n")
            run("sh", "-c", f"sfdisk --quiet {partition} < {self.dir / 'nested'}")
            created, extents = self.create(disk.path)
        self.assert_carried(extents, self.START, self.SIZE)
        self.assertIn("(a partition table of its own): every byte of it", created.stderr)


@needs_loop_devices
@unittest.skipIf(missing_tools("partclone.ext4", "mkfs.ext4", "sfdisk", "partx"), "needs partclone, e2fsprogs and fdisk")
class WithoutAProgram(OddDisk):
    """What libblkid takes for file systems that Debian's partclone has no program for."""
    SIGNATURES = {"jfs": (32768, b"JFS1" + struct.pack("<IQIHHIH", 2, 65536, 4096, 12, 3, 512, 9)),
                  "ufs": (65536 + 1372, bytes.fromhex("19015419"))}

    def test_one_such_partition_is_in_the_image_whole_and_the_others_as_ever(self):
        for name, (offset, magic) in self.SIGNATURES.items():
            with self.subTest(name):
                if not missing_tools(f"partclone.{name}"):
                    self.skipTest(f"has partclone.{name}")
                disk = self.disk("label: gpt\nstart=2048, size=65536\nstart=67584, size=65536\n")
                with partition_devices(disk.path) as (usual, odd):
                    run("mkfs.ext4", "-q", "-F", usual)
                    put(odd, offset, magic)
                    created, extents = self.create(disk.path)
                    self.assert_carried(extents, 67584 * 512, 32 * MIB)
                    self.assertIn(f"warning: {odd} ({name}, and no partclone.{name} is installed): every byte of it, 32.0 MiB, "
                                  "is in the image", created.stderr)
                    self.assertLess(sum(extent.length for extent in extents), 110 * MIB)
                    self.torrent.unlink()
                    message = self.refused(odd, f"partclone.{name} is not installed, and Debian's partclone is without it",
                                           "--all")
                    self.assertNotIn("apt", message)


if __name__ == "__main__":
    main()
