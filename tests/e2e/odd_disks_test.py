#!/usr/bin/python3
"""Disks with more than partitions and the used blocks of their file systems."""

import contextlib
import os
import pathlib
import random
import shutil
import struct
import unittest

from harness import (UNTOUCHED, EndToEndTest, Mount, main, make_file, missing_tools, needs_loop_devices, partition_devices,
                     run)
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

    def refused(self, source, *words, options=(), **how):
        ended = self.ends_with(4, "create", source, "-o", self.torrent, *options, **how)
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
        self.assertIn(f"warning: {image}: 1.1 GiB after the known contents (from byte {65 * MIB} on) are not in the image; "
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
                    message = self.refused(odd, f"partclone.{name} is not installed, and Debian's partclone does not include it",
                                           "--all")
                    self.assertNotIn("apt", message)


@needs_loop_devices
@unittest.skipIf(missing_tools("sgdisk", "gdisk", "partx", "mkfs.ext4", "partclone.ext4"), "needs gdisk, e2fsprogs and partclone")
class PartitionTables(OddDisk):
    def test_entries_of_a_gpt_that_lie_elsewhere_arrive(self):
        source = self.loop_device("source", 300 * MIB)
        for arguments in ["-o"], ["-a", 1, "-j", 100_000], ["-a", 1, "-n", "1:300000:+100M"]:
            run("sgdisk", *arguments, source.path)
        with partition_devices(source.path) as (partition,):
            run("mkfs.ext4", "-q", "-F", partition)
            _, extents = self.create(source.path, "--name", "disk")
        self.assert_carried(extents, 100_000 * 512, 32 * 512)
        target = self.loop_device("target", source.size, fill=UNTOUCHED)
        with self.seeding(self.torrent, source.path) as peer:
            self.fetch(self.torrent, target.path, "--peer", peer)
        self.assertIn("No problems found", run("sgdisk", "--verify", target.path))
        self.assertEqual(run("partx", "--show", "--noheadings", "--output", "NR,START,SECTORS", target.path).split(),
                         ["1", "300000", "204800"])

    def gpt(self):
        image = self.dir / "image"
        image.unlink(missing_ok=True)
        make_file(image, 128 * MIB)
        run("sgdisk", "-n", "1:2048:+40M", "-n", "2:0:+20M", image)
        return image

    def test_a_gpt_of_a_larger_disk_is_called_that(self):
        image = self.gpt()
        os.truncate(image, 80 * MIB)
        self.refused(image, f"the GPT of {image} is for a disk of {128 * MIB} bytes, but this one has {80 * MIB}; repair it with "
                     f"sgdisk -e {image}, or", "--all")
        run("sgdisk", "-e", image)
        self.refused(image, "the image of a whole disk")
        image = self.gpt()
        os.truncate(image, 50 * MIB)
        self.refused(image, "and partition 2 ends beyond that", "--all")

    def test_a_gpt_without_its_first_sectors_is_called_that(self):
        image = self.gpt()
        put(image, 0, bytes(34 * 512))
        self.refused(image, f"the first sectors of {image}, with its GPT, are gone", f"gdisk {image} (1, w, y)", "--all")
        run("sh", "-c", f"printf '1\\nw\\ny\\n' | gdisk {image}")
        self.assertIn("No problems found", run("sgdisk", "--verify", image))
        self.refused(image, "the image of a whole disk")

    def test_other_faults_of_a_gpt_are_told(self):
        image = self.gpt()
        put(image, 0, bytes(512))
        self.refused(image, f"the protective MBR before it is gone; write one with sgdisk -e {image}", "--all")
        run("sgdisk", "-e", image)
        self.refused(image, "the image of a whole disk")
        put(image, 512 + 18, b"xxxx")
        put(image, 128 * MIB - 512 + 18, b"xxxx")
        self.refused(image, f"the GPT of {image} is damaged, see sgdisk -v {image}", "--all")

    def test_a_gpt_in_other_sectors_is_called_that(self):
        device = self.loop_device("device", 64 * MIB, sector=4096)
        run("sgdisk", "-n", "1:256:+40M", device.path)
        self.refused(device.backing, "counts in sectors of 4096 bytes", "losetup --sector-size 4096", "--all")

    def test_nothing_is_called_stale_on_a_stick_with_the_image_of_a_disc(self):
        image = make_file(self.dir / "image", 16 * MIB)
        (self.dir / "table").write_text("label: dos\nstart=64, size=20000, type=17\n")
        run("sh", "-c", f"sfdisk --quiet {image} < {self.dir / 'table'}")
        put(image, 32768, b"\x01CD001\x01")
        message = self.refused(image, "is a disc image (iso9660) that also has a partition table (dos), to boot from USB sticks", "--all")
        self.assertNotIn("erase", message)


# In place of a partclone: takes half of the shortest, or of the longest, of the used runs in its map for free.
FORGETFUL = """#!/usr/bin/python3
import subprocess, sys
done = subprocess.run(["{program}", *sys.argv[1:]], stdout=subprocess.PIPE, text=True, pass_fds=[3])
lines = done.stdout.splitlines(keepends=True)
used = [number for number, line in enumerate(lines) if line.rstrip().endswith("+")]
if used:
    chosen = {choose}(used, key=lambda number: int(lines[number].split()[1], 16))
    start, size = (int(word, 16) for word in lines[chosen].split()[:2])
    lines[chosen] = f"{{start:#x}} {{size // 2:#x}} +\\n{{start + size // 2:#x}} {{size - size // 2:#x}} ?\\n"
sys.stdout.write("".join(lines))
sys.exit(done.returncode)
"""


@needs_loop_devices
@unittest.skipIf(missing_tools("partclone.ext4", "mkfs.ext4"), "needs partclone and e2fsprogs")
class MapsThatAreNotToBeTrusted(OddDisk):
    def setUp(self):
        super().setUp()
        self.bin = self.dir / "bin"
        self.bin.mkdir()

    def files(self, count=6, size=300_000):
        directory = self.dir / "files"
        directory.mkdir(exist_ok=True)
        for number in range(count):
            (directory / f"file-{number}").write_bytes(random.Random(number).randbytes(size))
        return directory

    def with_programs(self):
        return ["env", f"PATH={self.bin}:{os.environ['PATH']}"]

    def replace_program(self, name, choose):
        script = self.bin / name
        script.write_text(FORGETFUL.format(program=shutil.which(name), choose=choose))
        script.chmod(0o755)

    def check_of(self, device, program, choose="min"):
        """The real map is taken, the same without one run of it is not."""
        self.create(device)
        self.torrent.unlink()
        self.replace_program(program, choose)
        self.refused(device, f"the map of used blocks that {program} makes of {device} lacks", "counts as used",
                     "have it checked, or take every byte with --all", wrapper=self.with_programs())
        forced = self.ends_with(0, "create", device, "-o", self.torrent, "--force", wrapper=self.with_programs())
        self.assertIn(f"warning: the map of used blocks that {program} makes of {device} lacks", forced.stderr)
        self.torrent.unlink()

    def test_a_map_without_what_the_file_system_counts_as_used_is_refused(self):
        for program, size, choose, *make in (
                ("partclone.ext2", 40, "min", "mkfs.ext2", "-q", "-F", "-b", "1024"),
                ("partclone.ext4", 72, "min", "mkfs.ext4", "-q", "-F"),
                ("partclone.xfs", 320, "min", "mkfs.xfs", "-q", "-f"),
                ("partclone.btrfs", 128, "max", "mkfs.btrfs", "-q", "-f")):
            with self.subTest(program):
                if missing_tools(program, make[0]):
                    self.skipTest(f"needs {make[0]}")
                device = self.loop_device(program, size * MIB)
                run(*make, device.path)
                with Mount(device.path, self.dir / "mounted") as root:
                    run("cp", "-r", self.files(), root)
                self.check_of(device.path, program, choose)

    @unittest.skipIf(missing_tools("mkfs.fat", "mcopy", "partclone.vfat"), "needs dosfstools and mtools")
    def test_so_is_one_of_a_fat(self):
        for bits, size in (16, 20), (32, 72):
            with self.subTest(bits):
                device = self.loop_device(f"fat{bits}", size * MIB)
                run("mkfs.fat", "-F", bits, device.path)
                run("mcopy", "-i", device.path, "-s", "-Q", self.files(), "::/")
                self.check_of(device.path, "partclone.vfat")

    def test_every_byte_of_a_bigalloc_is_in_the_image_forced_or_not(self):
        for cluster in 16 << 10, 64 << 10, 1 << 20:
            with self.subTest(cluster):
                device = self.loop_device(f"bigalloc-{cluster}", 64 * MIB)
                run("mkfs.ext4", "-q", "-F", "-O", "bigalloc", "-C", cluster, device.path)
                for options in [], ["--force"]:
                    created, extents = self.create(device.path, *options)
                    self.assertEqual(extents, [Extent(0, 64 * MIB)])
                    self.assertIn(f"warning: {device.path} (ext4 with bigalloc, whose bitmaps partclone misreads): every byte of "
                                  "it, 64.0 MiB, is in the image", created.stderr)

    @unittest.skipIf(missing_tools("mkfs.xfs", "partclone.xfs"), "needs xfsprogs")
    def test_an_xfs_of_more_blocks_than_partclone_counts_is_refused(self):
        image = make_file(self.dir / "image", (4 << 40) + 120 * MIB)
        run("mkfs.xfs", "-q", "-f", "-K", "-b", "size=1024", "-l", "size=64m", "-d", "agsize=128g", image)
        (self.bin / "partclone.xfs").write_text("#!/bin/sh\necho 'Partclone : v0.3.39 (0123) '\n")
        (self.bin / "partclone.xfs").chmod(0o755)
        self.refused(image, f"the xfs on {image} has 4295090176 blocks, of which partclone 0.3.39 counts at most 2^32",
                     "partclone 0.3.40 or later", "--all", wrapper=self.with_programs())

    def test_that_a_journal_is_on_another_device_is_said(self):
        device, journal = self.loop_device("device", 72 * MIB), self.loop_device("journal", 16 * MIB)
        run("mkfs.ext4", "-q", "-F", "-O", "journal_dev", "-b", 4096, journal.path)
        run("mkfs.ext4", "-q", "-F", "-b", 4096, "-J", f"device={journal.path}", device.path)
        uuid = run("blkid", "-p", "-o", "value", "-s", "UUID", journal.path).strip()
        created, extents = self.create(device.path, "--name", "x")
        self.assertIn(f"warning: {device.path} has its journal on another device ({uuid}), which is not in the image",
                      created.stderr)
        self.assertLess(sum(extent.length for extent in extents), 36 * MIB)
        target = self.loop_device("target", device.size, fill=UNTOUCHED)
        with self.seeding(self.torrent, device.path) as peer:
            self.fetch(self.torrent, target.path, "--peer", peer)
        run("tune2fs", "-f", "-O", "^has_journal", target.path)
        run("e2fsck", "-fn", target.path)
        with Mount(target.path, self.dir / "mounted"):
            pass

    @unittest.skipIf(missing_tools("mkfs.xfs", "partclone.xfs"), "needs xfsprogs")
    def test_an_xfs_with_its_log_on_another_device_is_refused(self):
        device, log = self.loop_device("device", 320 * MIB), self.loop_device("log", 80 * MIB)
        run("mkfs.xfs", "-q", "-f", "-l", f"logdev={log.path},size=64m", device.path)
        self.refused(device.path, f"the xfs on {device.path} spans several devices", "--all")


if __name__ == "__main__":
    main()
