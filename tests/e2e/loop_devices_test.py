#!/usr/bin/python3
"""Loop devices as targets: one file or device through several of them, and the layers below."""

import fcntl
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import unittest

from harness import (ON_LOOPBACK, Mount, free_port, main, make_file, missing_tools, needs_loop_devices, partition_devices,
                     run)
from image_case import ImageCase

F_OFD_SETLK = 37


@needs_loop_devices
class WhatLoopDevicesShow(ImageCase):
    """A loop device claims nothing of what it lies on: any number of them may be upon one file or device."""

    SIZE = 72 << 20

    def setUp(self):
        super().setUp()
        self.file = make_file(self.dir / "disk", self.SIZE)

    def attach(self, below, *options):
        device = run("losetup", "--find", "--show", *options, below).strip()
        self.addCleanup(run, "losetup", "--detach", device)
        return device

    def fetch_waits(self, target):
        """Begins a fetch, which nobody gives anything to, and so holds its target until it is ended."""
        fetcher, _ = self.start_listening("fetch", self.torrent, target)
        self.assertTrue(fetcher.is_running(), fetcher)
        return fetcher

    def refused(self, target, *named):
        fetcher = self.ends_with(4, "fetch", self.torrent, target, *ON_LOOPBACK, "--listen", f"127.0.0.1:{free_port()}")
        self.assertEqual(len(fetcher.stderr.strip().splitlines()), 1, fetcher)
        for name in named:
            self.assertIn(str(name), fetcher.stderr)
        return fetcher.stderr

    def two_partitions(self, below):
        """A loop device with a table on it, and the devices of its two partitions."""
        run("sh", "-c", f"printf 'label: dos\\n1MiB,30MiB\\n36MiB,30MiB\\n' | sfdisk --quiet {below}")
        disk = self.attach(below, "--partscan")
        partitions = f"{disk}p1", f"{disk}p2"
        if not all(map(os.path.exists, partitions)):  # a kernel that knows no such tables
            self.enterContext(partition_devices(disk))
        return disk, *partitions

    @unittest.skipIf(missing_tools("mkfs.ext4"), "needs e2fsprogs")
    def test_a_device_whose_file_is_mounted_by_way_of_another_is_refused(self):
        mounted, other = self.attach(self.file), self.attach(self.file)
        run("mkfs.ext4", "-q", "-F", mounted)
        for options in [], ["-o", "ro"]:
            with Mount(mounted, self.dir / "mounted", *options) as root:
                self.refused(other, f"{mounted} is mounted on {root}")
        run("e2fsck", "-fn", mounted)
        with self.seeding(self.torrent, self.source) as peer:
            self.fetch(self.torrent, other, "--peer", peer)
        self.assert_has_the_image(self.file)

    @unittest.skipIf(missing_tools("mkfs.ext4"), "needs e2fsprogs")
    def test_a_mount_further_up_or_in_another_namespace_is_a_use_as_well(self):
        first, other = self.attach(self.file), self.attach(self.file)
        upper = self.attach(first)
        run("mkfs.ext4", "-q", "-F", upper)
        with Mount(upper, self.dir / "mounted", "-o", "ro") as root:
            self.refused(other, f"{upper} is mounted on {root}")
        holder = subprocess.Popen(["unshare", "--mount", "sh", "-c", f"mount -o ro {upper} {root} && echo && read _"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with holder:
            holder.stdout.readline()
            self.refused(other, upper, self.file, "is claimed")
            holder.communicate(b"\n")

    def test_one_file_is_not_written_twice_by_whatever_names(self):
        one, other = self.attach(self.file), self.attach(self.file)
        upper = self.attach(one)
        link, hard, bound = self.dir / "link", self.dir / "hard", self.dir / "bound"
        link.symlink_to(self.file)
        hard.hardlink_to(self.file)
        bound.touch()
        run("mount", "--bind", self.file, bound)
        self.addCleanup(run, "umount", bound)
        ways = one, other, upper, self.file, link, hard, bound
        for writer in one, upper, self.file:
            with self.subTest(writer=writer):
                fetcher = self.fetch_waits(writer)
                for way in ways:
                    with self.subTest(way=way):
                        self.refused(way, way)
                fetcher.signal(signal.SIGKILL)
                fetcher.wait()
        self.assertEqual(self.file.read_bytes().count(0), self.SIZE)
        with self.seeding(self.torrent, self.source) as peer:  # the locks ended with their processes
            for way in upper, hard:
                self.fetch(self.torrent, way, "--peer", peer, "--seed-time", "0")
        self.assert_has_the_image(self.file)

    def test_a_source_is_read_whatever_writes_or_shows_it(self):
        self.image.write_to(self.file)
        shown = self.attach(self.file, "--read-only")
        self.fetch_waits(self.file)
        for source in shown, self.file:
            self.ends_with(0, "verify", self.torrent, source)
            with self.seeding(self.torrent, source) as peer:
                self.fetch(self.torrent, self.dir / "target.img", "--peer", peer)

    def test_devices_that_show_other_bytes_of_a_file_are_written_at_once(self):
        half = self.SIZE // 2
        low = self.attach(self.file, "--sizelimit", str(half))
        high = self.attach(self.file, "--offset", str(half))
        both = self.attach(self.file, "--offset", "1048576", "--sizelimit", str(half))
        with self.seeding(self.torrent, self.source) as peer:
            self.fetch_waits(low)
            self.refused(both, both, self.file)
            self.refused(self.file, self.file)
            self.fetch(self.torrent, high, "--peer", peer)
        self.ends_with(0, "verify", self.torrent, high)

    @unittest.skipIf(missing_tools("sfdisk", "partx", "mkfs.ext4"), "needs fdisk and e2fsprogs")
    def test_partitions_of_one_device_are_written_at_once_but_not_by_way_of_another(self):
        disk, first, second = self.two_partitions(self.file)
        other = self.attach(self.file)
        inside = self.attach(self.file, "--offset", str(40 << 20))
        run("mkfs.ext4", "-q", "-F", first)
        with self.seeding(self.torrent, self.source) as peer:
            with Mount(first, self.dir / "mounted"):
                self.refused(other, f"{first} is mounted")
                self.fetch(self.torrent, second, "--peer", peer)
            self.fetch_waits(first)
            self.fetch(self.torrent, second, "--peer", peer)
            for target in disk, other, self.file:
                self.refused(target, target)
            self.refused(inside, disk)  # it has none of its bytes, but who has claimed which part does not show

    @unittest.skipIf(missing_tools("sfdisk", "partx"), "needs fdisk")
    def test_devices_upon_a_partition_claim_it_and_what_that_lies_on(self):
        _, first, second = self.two_partitions(self.file)
        one, other = self.attach(first), self.attach(first)
        whole = self.attach(self.file)
        self.fetch_waits(one)
        for target in other, first, whole, self.file:
            self.refused(target, target)
        with self.seeding(self.torrent, self.source) as peer:
            self.fetch(self.torrent, second, "--peer", peer)

    def test_a_file_that_is_not_to_be_seen_here_is_a_doubt_and_one_that_was_deleted_is_none(self):
        device = self.attach(self.file)
        hidden = ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs none "{self.dir}" && exec "$0" "$@"']
        torrent = pathlib.Path(tempfile.mkdtemp(prefix="ezio-e2e-", dir="/var/tmp")) / "sda1.torrent"
        self.addCleanup(shutil.rmtree, torrent.parent)
        shutil.copy(self.torrent, torrent)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher, _ = self.start_listening("fetch", torrent, device, "--peer", peer, wrapper=hidden)
            self.assert_complete(fetcher)
            (warning,) = fetcher.events_named("warning")
            self.assertIn(f"{device} shows the file {self.file}, which cannot be opened here", warning["message"])
            self.assert_has_the_image(self.file)
            self.file.unlink()
            fetcher = self.fetch(self.torrent, device, "--peer", peer)
            self.assertEqual(fetcher.events_named("warning"), [])

    def test_another_file_of_that_name_is_not_taken_for_it(self):
        device = self.attach(self.file)
        self.file.rename(self.dir / "moved")
        other = make_file(self.file, self.SIZE)
        with self.seeding(self.torrent, self.source) as peer:
            waiting = self.fetch_waits(device)
            self.fetch(self.torrent, other, "--peer", peer)
            self.refused(self.dir / "moved", self.dir / "moved")
            waiting.signal(signal.SIGINT)
            waiting.wait()

    def test_a_file_that_a_virtual_machine_has_as_its_disk_is_refused(self):
        device = self.attach(self.file)
        with open(self.file, "r+b") as file:  # as QEMU does
            fcntl.fcntl(file, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 100, 1, 0))
            self.refused(self.file, self.file, "is in use by another process")
            self.refused(device, device, self.file)
        with self.seeding(self.torrent, self.source) as peer:
            self.fetch(self.torrent, device, "--peer", peer)


if __name__ == "__main__":
    main()
