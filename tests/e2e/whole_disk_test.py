#!/usr/bin/python3
"""After a whole disk was written: the kernel's partitions match its table, and the copy of a GPT is in its place."""

import contextlib
import os
import pathlib
import unittest

from harness import (ON_LOOPBACK, UNTOUCHED, EndToEndTest, Mount, free_port, main, make_file, missing_tools, needs_fuse,
                     needs_loop_devices, partition_devices, run)
from images import Extent, Image
from raw_peer import waiting_peer

MIB = 1 << 20
SIZE = 64 * MIB


def kernel_partitions(disk):
    """The start and size of each partition that the kernel has, in sectors of 512 bytes."""
    name = os.path.basename(disk)
    return {int((entry / "partition").read_text()): (int((entry / "start").read_text()), int((entry / "size").read_text()))
            for entry in pathlib.Path(f"/sys/block/{name}").glob(f"{name}p*")}


@contextlib.contextmanager
def loop_device_on(path):
    device = run("losetup", "--find", "--show", path).strip()
    try:
        yield device
    finally:
        run("losetup", "--detach", device)


@needs_loop_devices
@unittest.skipIf(missing_tools("sgdisk", "partx", "mkfs.ext4", "resize2fs", "partclone.ext4"),
                 "needs gdisk, util-linux, e2fsprogs and partclone")
class WholeDiskCase(EndToEndTest):
    SECTOR = None

    def setUp(self):
        super().setUp()
        self.source = self.loop_device("source", SIZE, sector=self.SECTOR).path
        run("sgdisk", "--new=1:0:+20M", "--new=2:0:+30M", self.source)
        self.torrent = self.dir / "disk.torrent"
        with partition_devices(self.source):
            for number in (1, 2):
                run("mkfs.ext4", "-q", f"{self.source}p{number}")
            self.partitions = kernel_partitions(self.source)
            self.ends_with(0, "create", self.source, "-o", self.torrent, "--name", "disk")

    def target(self, size=SIZE):
        return self.loop_device("target", size, fill=UNTOUCHED, sector=self.SECTOR)

    def deploy(self, target, *options):
        with self.seeding(self.torrent, self.source) as peer:
            return self.fetch(self.torrent, target, "--peer", peer, "--seed-time", "0", *options)

    def warnings(self, fetcher):
        """Without that of the source, which is another disk of the same machine here."""
        messages = [event["message"] for event in fetcher.events_named("warning")]
        return [message for message in messages if "same UUIDs" not in message]


class ThePartitionsOfTheKernel(WholeDiskCase):
    @contextlib.contextmanager
    def earlier_partitions(self, disk):
        """As the disk was before: other partitions, which the kernel knows."""
        run("sgdisk", "--new=1:4096:+8M", "--new=3:0:+8M", disk)
        with partition_devices(disk):
            yield

    def test_they_are_those_of_the_new_table(self):
        target = self.target()
        with self.earlier_partitions(target.path):
            self.assertNotEqual(kernel_partitions(target.path), self.partitions)
            fetcher = self.deploy(target.path)
            self.assertEqual(kernel_partitions(target.path), self.partitions)
            self.assertEqual(self.warnings(fetcher), [])
            with Mount(f"{target.path}p2", self.dir / "mounted", "-o", "ro"):
                pass

    def test_also_for_a_process_that_has_become_another_user(self):
        target = self.target()
        with self.earlier_partitions(target.path):
            self.deploy(target.path, "--user", "nobody")
            self.assertEqual(kernel_partitions(target.path), self.partitions)

    def test_one_that_is_in_use_is_a_warning_with_the_remedy(self):
        target = self.target()
        with self.earlier_partitions(target.path):
            with open(f"{target.path}p3", "rb"):
                (warning,) = self.warnings(self.deploy(target.path))
            self.assertIn(f"a partition of {target.path} is in use", warning)
            self.assertIn(f"blockdev --rereadpt {target.path}", warning)

    def test_one_at_the_same_place_may_show_what_was_there_before(self):
        target = self.target()
        self.deploy(target.path)
        with partition_devices(target.path), open(f"{target.path}p1", "rb"):
            (warning,) = self.warnings(self.deploy(target.path))
            self.assertIn("may still show the old contents", warning)

    def test_a_device_that_has_none_gets_none(self):
        target = self.target()
        fetcher = self.deploy(target.path)
        self.assertEqual((kernel_partitions(target.path), self.warnings(fetcher)), ({}, []))

    def test_an_image_without_a_table_leaves_none(self):
        source = make_file(self.dir / "plain.img", SIZE)
        run("mkfs.ext4", "-q", "-F", source)
        self.ends_with(0, "create", source, "-o", self.torrent, "--name", "plain")
        self.source = source
        target = self.target()
        run("sgdisk", "--new=1:4096:+8M", target.path)
        run("partx", "--add", target.path)
        fetcher = self.deploy(target.path)
        self.assertEqual((kernel_partitions(target.path), self.warnings(fetcher)), ({}, []))


class TheCopyOfTheGpt(WholeDiskCase):
    def assert_table_is_good(self, path):
        self.assertIn("No problems found", run("sgdisk", "--verify", path))

    def test_on_a_larger_disk_one_sentence_says_what_to_do(self):
        target = self.target(SIZE + 16 * MIB)
        (warning,) = self.warnings(self.deploy(target.path))
        self.assertIn(f"sgdisk -e {target.path}", warning)
        self.assertIn("--expand-gpt", warning)
        self.ends_with(0, "verify", self.torrent, target.path)

    def test_it_moves_to_the_end_and_a_partition_can_grow_into_the_space(self):
        target = self.target(SIZE + 16 * MIB)
        fetcher = self.deploy(target.path, "--expand-gpt", "--verify")
        self.assertEqual(self.warnings(fetcher), [])
        self.assert_table_is_good(target.path)
        self.assert_table_is_good(target.backing if self.SECTOR is None else target.path)  # it was synced
        run("sgdisk", "--delete=2", "--largest-new=2", target.path)
        with partition_devices(target.path):
            self.assertGreater(kernel_partitions(target.path)[2][1], self.partitions[2][1] + 8 * MIB // 512)
            run("e2fsck", "-fp", f"{target.path}p2")
            run("resize2fs", f"{target.path}p2")
            run("e2fsck", "-fn", f"{target.path}p2")

    def test_a_few_sectors_more_than_the_image_has(self):
        target = self.target(SIZE + 8192)
        self.deploy(target.path, "--expand-gpt")
        self.assert_table_is_good(target.path)

    def test_where_it_is_at_the_end_nothing_is_done(self):
        target = self.target()
        fetcher = self.deploy(target.path, "--expand-gpt", "--verbose")
        self.assertTrue([note for note in fetcher.events_named("note") if "at the end" in note["message"]])
        self.ends_with(0, "verify", self.torrent, target.path)

    def test_verify_says_why_its_piece_differs(self):
        target = self.target(SIZE + 16 * MIB)
        self.deploy(target.path, "--expand-gpt")
        message = self.ends_with(8, "verify", self.torrent, target.path).stderr
        self.assertIn("1 of ", message)
        self.assertIn("expanded", message)
        fetcher = self.deploy(target.path, "--expand-gpt", "--resume")
        self.assertLess(fetcher.events_named("summary")[0]["written_bytes"], 2 * MIB)
        self.assert_table_is_good(target.path)

    def test_peers_get_the_bytes_of_the_image(self):
        """From one who has expanded its table, alone."""
        expanded, plain = self.target(SIZE + 16 * MIB), self.loop_device("plain", SIZE, sector=self.SECTOR)
        with contextlib.ExitStack() as waiting:
            with self.seeding(self.torrent, self.source) as peer:
                first, address = self.start_listening("fetch", self.torrent, expanded.path, "--expand-gpt", "--peer", peer)
                waiting.enter_context(waiting_peer(first, address))
                first.wait_for_event("complete")
            fetcher = self.fetch(self.torrent, plain.path, "--peer", address, "--seed-time", "0")
        self.assertEqual(fetcher.events_named("summary")[0]["failed_pieces"], 0)
        self.assert_complete(first)
        self.ends_with(0, "verify", self.torrent, plain.path)


class TheCopyOfTheGptInLargeSectors(WholeDiskCase):
    SECTOR = 4096

    def test_it_moves_to_the_end(self):
        target = self.target(SIZE + 16 * MIB)
        self.deploy(target.path, "--expand-gpt")
        self.assertIn("No problems found", run("sgdisk", "--verify", target.path))


class DisksWithTheSameUuids(WholeDiskCase):
    def twins(self, fetcher):
        return [event["message"] for event in fetcher.events_named("warning") if "same UUIDs" in event["message"]]

    def test_another_disk_with_them_is_named(self):
        (warning,) = self.twins(self.deploy(self.target().path))
        table = run("blkid", "-p", "-o", "value", "-s", "PTUUID", self.source).strip()
        self.assertIn(f"{self.source} (partition table {table})", warning)

    def test_also_when_the_process_has_become_another_user(self):
        self.assertEqual(len(self.twins(self.deploy(self.target().path, "--user", "nobody"))), 1)

    def test_the_file_system_of_a_partition_is_enough(self):
        """That of the other disk is in a partition of another table."""
        source = self.dir / "plain.img"
        with partition_devices(self.source):
            run("dd", f"if={self.source}p1", f"of={source}", "bs=1M", "status=none")
            uuid = run("blkid", "-p", "-o", "value", "-s", "UUID", f"{self.source}p1").strip()
        self.ends_with(0, "create", source, "-o", self.torrent, "--name", "plain")
        with self.seeding(self.torrent, source) as peer:
            fetcher = self.fetch(self.torrent, self.target().path, "--peer", peer, "--seed-time", "0")
        (warning,) = self.twins(fetcher)
        self.assertIn(f"{self.source} (file system {uuid})", warning)

    def test_the_target_by_another_name_is_none(self):
        """A second loop device on the same file; the source is a file."""
        copy, target = self.dir / "source.img", self.target()
        run("cp", self.source, copy)
        run("sgdisk", "--zap-all", self.source)
        self.source = copy
        with loop_device_on(target.backing):
            self.assertEqual(self.twins(self.deploy(target.path)), [])

    @needs_fuse
    @unittest.skipIf(os.path.exists("/run/udev/data"), "udev has looked at all disks already")
    def test_a_disk_that_does_not_answer_holds_nothing_up(self):
        disk = self.fuse_disk(make_file(self.dir / "slow.img", SIZE))
        with loop_device_on(disk.path) as path:
            disk.block("read")
            fetcher = self.deploy(self.target().path, "--verbose")
            self.assertTrue([note for note in fetcher.events_named("note") if f"{path} does not answer" in note["message"]])
            self.assertLess(fetcher.events_named("complete")[0]["seconds"], 60)
            disk.unblock("read")


class WhatCannotBeExpanded(WholeDiskCase):
    def refused(self, torrent, target):
        done = self.ends_with(2, "fetch", torrent, target, "--expand-gpt", *ON_LOOPBACK, "--listen", f"127.0.0.1:{free_port()}")
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done)
        self.assertIn("--expand-gpt", done.stderr)

    def test_what_is_no_whole_disk_is_refused_first(self):
        directory, file = self.dir / "directory", self.dir / "new.img"
        directory.mkdir()
        self.refused(self.torrent, directory)
        with partition_devices(self.source):
            self.refused(self.torrent, f"{self.source}p2")
        part = Image([Extent(MIB, 65536)]).write_torrent(self.dir / "part.torrent")
        self.refused(part, file)
        source = make_file(self.dir / "plain.img", SIZE)
        run("mkfs.ext4", "-q", "-F", source)
        self.ends_with(0, "create", source, "-o", self.dir / "plain.torrent")
        self.refused(self.dir / "plain.torrent", file)
        self.assertFalse(file.exists())
        self.assertEqual(list(directory.iterdir()), [])

    def test_a_damaged_table_is_left_as_it_is_and_the_status_says_so(self):
        with open(self.source, "r+b") as disk:  # a name in the first entry: the checksum is wrong
            disk.seek(2 * 512 + 60)
            disk.write(b"?")
        run("sync")
        self.ends_with(0, "create", self.source, "-o", self.torrent, "--name", "disk", "--all")
        target = self.target(SIZE + 16 * MIB)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher, _ = self.start_listening("fetch", self.torrent, target.path, "--expand-gpt", "--peer", peer)
            message = self.assert_failed(fetcher, 4, 60)
        self.assertIn("--expand-gpt", message)
        self.assertIn("checksum of its entries", message)
        self.ends_with(0, "verify", self.torrent, target.path)


if __name__ == "__main__":
    main()
