#!/usr/bin/python3
"""A target's earlier contents do not hide the image: libblkid's results on real devices after a fetch."""

import os
import struct
import unittest

from harness import (UNTOUCHED, EndToEndTest, Mount, main, make_file, missing_tools, needs_fuse,
                     needs_loop_devices, partition_devices, run)
from images import Extent, Image, bdecode, bencode, gaps, read_torrent

MIB = 1 << 20
SIZE = 48 * MIB


def read_at(path, offset, length):
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(length)


def write_at(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)
    os.sync()


def add_raid(path, size, start=0):
    """A superblock of version 0.90 at the end of a device, or of a part of it. Returns where its magic bytes are."""
    offset = start + (size & ~65535) - 65536
    write_at(path, offset, struct.pack("<5I", 0xA92B4EFC, 0, 90, 0, 0) + bytes(4076))
    return Extent(offset, 4)


def add_zfs(path, size):
    """The rings of uberblocks in the four labels."""
    size &= ~(256 * 1024 - 1)
    ring = struct.pack("<5Q", 0x00BAB10C, 5000, 1, 2, 3).ljust(1024, b"\0") * 128
    for label in (0, 256 * 1024, size - 512 * 1024, size - 256 * 1024):
        write_at(path, label + 128 * 1024, ring)




def blkid(path, tag="TYPE"):
    return run("blkid", "-p", "-o", "value", "-s", tag, path).strip()


def signs(path):
    return sorted(set(run("wipefs", "--no-act", "--noheadings", "--output", "TYPE", path).split()))


def differing_bytes(one, other, extents):
    """Where two files differ, of what is in these extents."""
    places = []
    for extent in extents:
        a, b = read_at(one, extent.offset, extent.length), read_at(other, extent.offset, extent.length)
        if a != b:
            places += [extent.offset + at for at in range(extent.length) if a[at] != b[at]]
    return places


class Signatures(EndToEndTest):
    def make_image(self, *command, size=SIZE):
        self.source = make_file(self.dir / "source.img", size)
        run(*command, self.source)
        self.torrent = self.dir / "image.torrent"
        self.ends_with(0, "create", self.source, "-o", self.torrent, "--name", "image")
        self.extents = read_torrent(self.torrent)[1]

    def deploy(self, target, *options):
        with self.seeding(self.torrent, self.source) as peer:
            return self.fetch(self.torrent, target, "--peer", peer, "--seed-time", "0", *options)

    def wiped(self, fetcher):
        return fetcher.events_named("summary")[0]["wiped_signatures"]


@unittest.skipIf(missing_tools("mkfs.ext4", "partclone.ext4", "wipefs"), "needs partclone, e2fsprogs and util-linux")
class OfAFileSystem(Signatures):
    def setUp(self):
        super().setUp()
        self.make_image("mkfs.ext4", "-q", "-F")

    def formerly_raid(self):
        target = self.loop_device("target", SIZE, fill=UNTOUCHED)
        return target, add_raid(target.path, SIZE)

    @needs_loop_devices
    def test_a_former_raid_member_shows_the_file_system(self):
        target, magic = self.formerly_raid()
        before = self.dir / "before.img"
        run("cp", target.path, before)
        fetcher = self.deploy(target.path)
        self.assertEqual(self.wiped(fetcher), [{"type": "linux_raid_member", "offset": magic.offset, "length": 4}])
        self.assertEqual(fetcher.events_named("warning"), [], fetcher)
        self.assertEqual(blkid(target.path), "ext4")
        with Mount(target.path, self.dir / "mounted", "-o", "ro"):
            pass
        self.assertEqual(differing_bytes(before, target.backing, gaps(self.extents, SIZE)),
                         list(range(magic.offset, magic.end)), "only the magic bytes, and durable")
        self.ends_with(0, "verify", self.torrent, target.path)

    @needs_loop_devices
    def test_they_can_be_kept(self):
        target, magic = self.formerly_raid()
        fetcher = self.deploy(target.path, "--keep-signatures")
        self.assertEqual(self.wiped(fetcher), [])
        self.assertEqual(read_at(target.path, magic.offset, 4), struct.pack("<I", 0xA92B4EFC))
        (warning,) = fetcher.events_named("warning")
        self.assertIn(target.path, warning["message"])
        self.assertIn("ext4", warning["message"])
        self.assertIn("linux_raid_member", warning["message"])

    @needs_loop_devices
    def test_all_copies_go_of_what_has_many_on_a_larger_disk(self):
        size = SIZE + 21 * MIB  # libblkid knows no smaller ZFS than of 64 MiB
        target = self.loop_device("target", size)
        add_zfs(target.path, size)
        self.assertEqual(blkid(target.path), "zfs_member")
        fetcher = self.deploy(target.path)
        self.assertEqual({each["type"] for each in self.wiped(fetcher)}, {"zfs_member"})
        self.assertEqual(signs(target.path), ["ext4"])

    @needs_loop_devices
    @unittest.skipIf(missing_tools("sgdisk"), "needs gdisk")
    def test_the_copy_of_a_gpt_at_the_end_of_a_larger_disk_goes(self):
        target = self.loop_device("target", SIZE + MIB)
        run("sgdisk", "--new=1:2048:+40M", target.path)
        fetcher = self.deploy(target.path)
        self.assertIn({"type": "gpt", "offset": SIZE + MIB - 512, "length": 8}, self.wiped(fetcher))
        self.assertEqual(signs(target.path), ["ext4"])

    @needs_loop_devices
    def test_a_resumed_fetch_of_what_is_all_there_wipes_them_too(self):
        target = self.loop_device("target", SIZE)
        self.deploy(target.path)
        magic = add_raid(target.path, SIZE)
        fetcher = self.deploy(target.path, "--resume")
        self.assertEqual([each["offset"] for each in self.wiped(fetcher)], [magic.offset])
        self.assertEqual(blkid(target.path), "ext4")

    def test_an_image_file_is_like_a_device(self):
        target = make_file(self.dir / "target.img", SIZE, fill=UNTOUCHED)
        magic = add_raid(target, SIZE)
        fetcher = self.deploy(target)
        self.assertEqual([each["offset"] for each in self.wiped(fetcher)], [magic.offset])
        self.assertEqual(blkid(target), "ext4")

    def test_the_torrent_need_not_say_what_the_image_is(self):
        data, _ = bdecode(self.torrent.read_bytes())
        self.assertEqual(data["ezio-cli source"]["type"], b"ext4")
        del data["ezio-cli source"]
        self.torrent.write_bytes(bencode(data))
        target = make_file(self.dir / "target.img", SIZE)
        add_raid(target, SIZE)
        self.deploy(target)
        self.assertEqual(blkid(target), "ext4")

    def test_what_the_image_is_stands_in_its_torrent(self):
        (info,) = self.ends_with(0, "info", "--json", self.torrent).events
        self.assertEqual(info["source"], {"type": "ext4", "uuid": blkid(self.source, "UUID"), "table": "", "table_uuid": ""})
        self.assertIn(f"ext4, UUID {info['source']['uuid']}", self.ends_with(0, "info", self.torrent).stdout)

    @needs_fuse
    def test_a_signature_that_cannot_be_wiped_is_an_io_error(self):
        backing = make_file(self.dir / "target.img", SIZE)
        magic = add_raid(backing, SIZE)
        last = max(extent.end for extent in self.extents if extent.end < magic.offset)
        image = Image([extent for extent in self.extents if extent.end <= last])
        with open(self.source, "rb") as file:
            image.payload = b"".join(os.pread(file.fileno(), extent.length, extent.offset) for extent in image.extents)
        image.write_torrent(self.torrent)
        disk = self.fuse_disk(backing)
        disk.allow_writes_up_to(last)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher, _ = self.start_listening("fetch", self.torrent, disk.path, "--peer", peer)
            self.assertIn(f"offset {magic.offset}", self.assert_failed(fetcher, 5, 60))


@needs_loop_devices
@unittest.skipIf(missing_tools("mkfs.ext4", "partclone.ext4", "sgdisk", "partx", "wipefs"),
                 "needs partclone, e2fsprogs and gdisk")
class OfAWholeDisk(Signatures):
    START = 2 * MIB

    def setUp(self):
        super().setUp()
        self.disk = self.loop_device("source", SIZE)
        self.source = self.disk.path
        run("sgdisk", f"--new=1:{self.START // 512}:+40M", self.source)
        self.torrent = self.dir / "disk.torrent"
        with partition_devices(self.source) as (partition,):
            run("mkfs.ext4", "-q", partition)
            self.uuid = blkid(partition, "UUID")
            self.ends_with(0, "create", self.source, "-o", self.torrent, "--name", "disk")
        self.extents = read_torrent(self.torrent)[1]

    def test_a_former_raid_member_that_is_larger(self):
        size = SIZE + 6 * MIB
        target = self.loop_device("target", size, fill=UNTOUCHED)
        at_the_end = add_raid(target.path, size)
        in_the_partition = add_raid(target.path, 40 * MIB, self.START)
        fetcher = self.deploy(target.path)
        self.assertEqual([each["offset"] for each in self.wiped(fetcher)], [in_the_partition.offset, at_the_end.offset])
        self.assertEqual(blkid(target.path, "PTTYPE"), "gpt")
        self.assertEqual(signs(target.path), ["PMBR", "gpt"])
        with partition_devices(target.path) as (partition,):
            self.assertEqual((blkid(partition), blkid(partition, "UUID")), ("ext4", self.uuid))
            run("e2fsck", "-fn", partition)

    def test_parts_of_a_disk_leave_the_rest_of_it_alone(self):
        """The boot loader's first MiB alone, for a disk whose partition and RAID superblock are wanted."""
        image = Image([Extent(512 * 1024, MIB)])
        self.source = image.write_to(self.dir / "part.img")
        self.torrent = image.write_torrent(self.dir / "part.torrent")
        target = self.loop_device("target", SIZE)
        run("dd", f"if={self.disk.path}", f"of={target.path}", "bs=1M", "conv=fsync", "status=none")
        add_raid(target.path, SIZE)
        add_raid(target.path, 40 * MIB, self.START)
        before = self.dir / "before.img"
        run("cp", target.path, before)
        fetcher = self.deploy(target.path)
        self.assertEqual(self.wiped(fetcher), [])
        (warning,) = fetcher.events_named("warning")  # of the disk that the target is a copy of, and of nothing else
        self.assertIn(f"the same UUIDs as {self.disk.path}", warning["message"])
        self.assertEqual(differing_bytes(before, target.backing, gaps(image.extents, SIZE)), [])


if __name__ == "__main__":
    main()
