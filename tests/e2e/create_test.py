#!/usr/bin/python3
"""Torrents from the disk itself: a whole disk that arrives whole, refused sources, and a stop half way."""

import os
import pathlib
import random
import shutil
import signal
import stat
import struct
import unittest

from harness import (ON_LOOPBACK, UNTOUCHED, EndToEndTest, Mount, free_port, main, make_file, missing_tools, needs_loop_devices,
                     partition_devices, run, wait_until)
from images import Extent, differing_extents, fill, read_torrent, sha256_tree, touched_gaps

MIB = 1 << 20


def lvm_label():
    """The first sectors of an LVM physical volume, as far as they tell what it is."""
    checksum, rest = 0xF597A6CF, struct.pack("<I", 32) + b"LVM2 001" + b"A" * 32 + bytes(448)
    for byte in rest:
        checksum ^= byte
        for _ in range(8):
            checksum = checksum >> 1 ^ (0xEDB88320 if checksum & 1 else 0)
    return bytes(512) + b"LABELONE" + struct.pack("<QI", 1, checksum) + rest


@needs_loop_devices
@unittest.skipIf(missing_tools("sgdisk", "partx", "mkfs.fat", "mcopy", "mkfs.ext4", "mkswap", "partclone.ext4"),
                 "needs gdisk, util-linux, dosfstools, mtools, e2fsprogs and partclone")
class WholeDisks(EndToEndTest):
    SIZE = 192 * MIB

    def setUp(self):
        super().setUp()
        self.files = self.dir / "files"
        self.files.mkdir()
        fill(self.files, 3)
        self.source = self.loop_device("source", self.SIZE)
        self.make_disk(self.source.path)

    def make_disk(self, disk):
        """As an installer does it: EFI system partition, root file system, swap, and a partition of something else."""
        run("sgdisk", "--new=1:2048:+40M", "--typecode=1:ef00", "--new=2:0:+96M", "--new=3:0:+16M", "--typecode=3:8200",
            "--new=4:0:+2M", disk)
        with partition_devices(disk) as (efi, root, swap, other):
            run("mkfs.fat", "-F", "32", "-n", "EFI", efi)
            run("mcopy", "-i", efi, "-s", "-Q", self.files, "::/")
            run("mkfs.ext4", "-q", "-L", "root", root)
            with Mount(root, self.dir / "mounted") as directory:
                run("cp", "-a", self.files, directory)
            run("mkswap", "-L", "swap", "-U", "00112233-4455-6677-8899-aabbccddeeff", swap)
            pathlib.Path(other).write_bytes(random.Random(4).randbytes(2 * MIB))
        with open(disk, "r+b") as file:  # a boot loader's code, in front of the table's disk signature
            file.write(b"boot code " * 40)

    def create(self, *options):
        torrent = self.dir / "disk.torrent"
        with partition_devices(self.source.path):
            created = self.ends_with(0, "create", self.source.path, "-o", torrent, "--name", "disk", *options)
        return torrent, created

    def fetch_to(self, torrent, size):
        target = self.loop_device(f"target-{size}", size, fill=UNTOUCHED)
        with self.seeding(torrent, self.source.path) as peer:
            self.fetch(torrent, target.path, "--peer", peer)
        return target

    def assert_same_disk(self, target):
        with partition_devices(self.source.path) as from_devices, partition_devices(target.path) as to_devices:
            self.assertEqual(len(to_devices), 4)
            efi, root, swap, other = to_devices
            run("fsck.fat", "-n", efi)
            run("mcopy", "-i", efi, "-s", "-Q", "-n", "::/files", self.dir / f"efi-{target.size}")
            self.assertEqual(sha256_tree(self.dir / f"efi-{target.size}"), sha256_tree(self.files))
            run("e2fsck", "-fn", root)
            with Mount(root, self.dir / "mounted", "-o", "ro") as directory:
                self.assertEqual(sha256_tree(directory / "files"), sha256_tree(self.files))
            for device in (from_devices[2], swap):
                self.assertEqual(run("blkid", "-p", "-o", "value", "-s", "UUID", device).strip(),
                                 "00112233-4455-6677-8899-aabbccddeeff")
            self.assertEqual(pathlib.Path(other).read_bytes(), pathlib.Path(from_devices[3]).read_bytes())

    def test_a_whole_disk_arrives_whole_on_a_disk_of_the_same_size(self):
        torrent, created = self.create()
        info, extents = read_torrent(torrent)
        self.assertEqual(info["piece length"], 256 << 10)
        self.assertLess(sum(extent.length for extent in extents), self.SIZE // 3)
        self.assertEqual((extents[0].offset, extents[-1].end), (0, self.SIZE))
        self.assertIn("p4 (no file system known): every byte of it", created.stderr)

        target = self.fetch_to(torrent, self.SIZE)
        self.assertIn("No problems found", run("sgdisk", "--verify", target.path))
        self.assertEqual(run("sgdisk", "--print", target.path).replace(target.path, ""),
                         run("sgdisk", "--print", self.source.path).replace(self.source.path, ""))
        self.assert_same_disk(target)
        self.assertEqual(differing_extents(self.source.path, target.backing, extents), [])
        self.assertEqual(touched_gaps(target.backing, extents, UNTOUCHED), [])

    def test_a_disk_with_other_sectors_is_refused_its_table_would_mean_something_else(self):
        torrent, _ = self.create("--quiet")
        (info,) = self.ends_with(0, "info", "--json", torrent).events
        self.assertEqual(info["sector_bytes"], 512)
        other = self.loop_device("other", self.SIZE, fill=UNTOUCHED, sector=4096)
        message = self.fetch_refused(torrent, other.path)
        self.assertIn("sectors of 4096 bytes", message)
        self.assertIn("sectors of 512 bytes", message)
        self.assertEqual(other.backing.read_bytes().count(UNTOUCHED), self.SIZE)

        run("sgdisk", "--new=1:256:+40M", other.path)  # the other way round, and with every byte
        self.ends_with(0, "create", other.path, "-o", torrent, "--all")
        self.assertIn("4096 bytes; a whole disk needs the same", self.ends_with(0, "info", torrent).stdout)
        self.fetch_refused(torrent, self.source.path)
        self.ends_with(0, "fetch", torrent, other.path, "--resume", "--seed-time", 0, *ON_LOOPBACK, "--listen",
                       f"127.0.0.1:{free_port()}")

    def fetch_refused(self, torrent, target):
        return self.ends_with(4, "fetch", torrent, target, *ON_LOOPBACK, "--listen", f"127.0.0.1:{free_port()}").stderr

    def test_on_a_larger_disk_only_the_copy_of_the_table_is_not_at_the_end(self):
        torrent, _ = self.create("--quiet")
        target = self.fetch_to(torrent, self.SIZE + 64 * MIB)
        self.assert_same_disk(target)
        run("sgdisk", "--move-second-header", target.path)
        self.assertIn("No problems found", run("sgdisk", "--verify", target.path))

    def test_a_disk_that_has_grown_keeps_the_copy_of_its_table(self):
        grown = self.loop_device("grown", self.SIZE)
        run("sgdisk", "--new=1:2048:+2M", grown.path)
        os.truncate(grown.backing, 3 * self.SIZE)
        run("losetup", "--set-capacity", grown.path)
        self.ends_with(0, "create", grown.path, "-o", self.dir / "grown.torrent")
        copy = Extent(self.SIZE - 33 * 512, 33 * 512)
        self.assertIn(copy, read_torrent(self.dir / "grown.torrent")[1])

    def test_logical_partitions_arrive_wherever_their_records_are(self):
        def entry(kind, start, size, sectors=MIB // 512):
            return bytes(4) + bytes([kind]) + bytes(3) + struct.pack("<II", start * sectors, size * sectors)

        def write_table(at, *entries):
            disk.seek(at * MIB + 446)
            disk.write(b"".join(entries).ljust(64, b"\0") + b"\x55\xaa")
        run("sgdisk", "--zap-all", self.source.path)
        with open(self.source.path, "r+b") as disk:
            write_table(0, entry(0x0f, 1, 180))
            write_table(1, entry(0x83, 1, 2), entry(0x05, 99, 80))
            write_table(100, entry(0x83, 70, 2))
            for partition in 2, 170:
                disk.seek(partition * MIB)
                disk.write(random.Random(partition).randbytes(2 * MIB))
        torrent, _ = self.create("--quiet")
        target = self.fetch_to(torrent, self.SIZE)
        listed = run("partx", "--show", "--noheadings", "--output", "NR,START,SECTORS", target.path)
        self.assertEqual([line.split() for line in listed.splitlines()],
                         [["1", "2048", "368640"], ["5", "4096", "4096"], ["6", "348160", "4096"]])
        with open(target.backing, "rb") as disk:
            for partition in 2, 170:
                disk.seek(partition * MIB)
                self.assertEqual(disk.read(2 * MIB), random.Random(partition).randbytes(2 * MIB))

    def test_two_runs_make_the_same_torrent(self):
        first = self.create("--quiet")[0].read_bytes()
        self.assertEqual(self.create("--quiet")[0].read_bytes(), first)

    def refused(self, *words):
        torrent = self.dir / "refused.torrent"
        ended = self.ends_with(4, "create", self.source.path, "-o", torrent)
        for word in words:
            self.assertIn(word, ended.stderr)
        self.assertFalse(torrent.exists())

    def test_a_disk_of_which_a_partition_is_mounted_for_writing_is_refused(self):
        with partition_devices(self.source.path) as devices, Mount(devices[1], self.dir / "mounted") as mounted:
            self.refused(f"{devices[1]} is mounted for writing on {mounted}", "--force")
            run("mount", "-o", "remount,ro", mounted)
            self.ends_with(0, "create", self.source.path, "-o", self.dir / "disk.torrent")

    def test_the_memory_of_a_hibernated_system_is_not_taken(self):
        with partition_devices(self.source.path) as devices, open(devices[2], "r+b") as swap:
            swap.seek(4096 - 10)
            swap.write(b"S1SUSPEND\0")
        with partition_devices(self.source.path) as devices:
            self.refused(devices[2], "hibernated", "--all")

    def test_a_disk_without_devices_for_its_partitions_is_refused(self):
        self.refused("the kernel has no device for partition 1", "partx", "--all")


@needs_loop_devices
@unittest.skipIf(missing_tools("partclone.ext4", "mkfs.ext4", "mkswap"), "needs partclone, e2fsprogs and util-linux")
class Sources(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.torrent = self.dir / "created.torrent"

    def refused(self, source, *words, options=(), **how):
        ended = self.ends_with(4, "create", source, "-o", self.torrent, *options, **how)
        self.assertEqual(ended.stdout, "", ended)
        errors = ended.stderr.splitlines()
        self.assertTrue(errors[-1].startswith("ezio-cli: "), ended)
        for word in words:
            self.assertIn(word, errors[-1])
        self.assertEqual(list(self.dir.glob("created.torrent*")), [])

    def ext4(self):
        device = self.loop_device("device", 72 * MIB)
        run("mkfs.ext4", "-q", "-F", device.path)
        with Mount(device.path, self.dir / "mounted") as root:
            fill(root, 5)
        return device

    def test_swap_is_refused_without_all(self):
        device = self.loop_device("device", 8 * MIB)
        run("mkswap", device.path)
        self.refused(device.path, "swap space", "--all")
        self.ends_with(0, "create", device.path, "-o", self.torrent, "--all")
        self.assertEqual(read_torrent(self.torrent)[1], [Extent(0, 8 * MIB)])

    def test_a_physical_volume_of_lvm_is_named_as_such(self):
        image = make_file(self.dir / "image", 8 * MIB)
        with open(image, "r+b") as file:
            file.write(lvm_label())
        self.refused(image, "LVM physical volume", "logical volumes", "--all")

    def test_what_is_not_known_is_refused_without_all(self):
        device = self.loop_device("device", 8 * MIB, fill=UNTOUCHED)
        self.refused(device.path, "no file system is known", "--all")
        self.ends_with(0, "create", device.path, "-o", self.torrent, "--all")
        self.assertEqual(read_torrent(self.torrent)[1], [Extent(0, 8 * MIB)])

    def test_without_partclone_it_is_said_how_to_get_it(self):
        self.refused(self.ext4().path, "partclone.ext4 is not installed", "apt install partclone", "--all",
                     wrapper=["unshare", "--mount", "sh", "-c", 'mount --bind /dev/null "$0" && exec "$@"',
                              os.path.realpath(shutil.which("partclone.ext4"))])

    def test_a_file_system_that_is_not_in_order_is_refused(self):
        device = self.ext4()
        run("debugfs", "-w", "-R", "ssv state 0", device.path)
        self.refused(device.path, "is not clean", "run e2fsck", "--force")

    def test_what_partclone_finds_wrong_is_told_mounted_or_not(self):
        device = self.ext4()
        run("debugfs", "-w", "-R", "ssv free_blocks_count 5", device.path)
        self.refused(device.path, "partclone.ext4", "bitmap free count err")
        with Mount(device.path, self.dir / "mounted", "-o", "ro"):  # which counts anew
            run("debugfs", "-w", "-R", "ssv free_blocks_count 5", device.path)
            self.refused(device.path, "partclone.ext4 says", "bitmap free count err")
            self.ends_with(0, "create", device.path, "-o", self.torrent, "--force")

    def test_a_copy_of_a_file_system_in_use_is_refused(self):
        """Partclone takes that of ext4 sometimes, that of btrfs and xfs always, without what is in the log only."""
        for name, size, *make in (("ext4", 72, "mkfs.ext4", "-q", "-F"), ("btrfs", 128, "mkfs.btrfs", "-q", "-f"),
                                  ("xfs", 304, "mkfs.xfs", "-q", "-f")):
            with self.subTest(name):
                if missing_tools(make[0]):
                    self.skipTest(f"needs {make[0]}")
                device = self.loop_device(name, size * MIB)
                run(*make, device.path)
                copy = self.dir / "copy"
                with Mount(device.path, self.dir / "mounted") as root:
                    fill(root, 6)
                    run("sync", "--file-system", root)
                    with open(root / "last", "wb") as file:
                        file.write(bytes(MIB))
                        file.flush()
                        os.fsync(file.fileno())
                    run("cp", "--sparse=always", device.path, copy)
                self.refused(copy, f"the {name} on", "is not clean", "--force")
                self.ends_with(0, "create", device.path, "-o", self.torrent)
                self.torrent.unlink()

    def test_a_target_that_is_too_small_for_the_file_system_is_refused(self):
        device = self.ext4()
        self.ends_with(0, "create", device.path, "-o", self.torrent)
        self.assertEqual(read_torrent(self.torrent)[1][-1].end, 72 * MIB)
        small = self.loop_device("small", 64 * MIB)
        ended = self.ends_with(4, "fetch", self.torrent, small.path, "--no-lsd")
        self.assertIn("the image needs 72.0 MiB", ended.stderr)

    def test_the_source_is_not_replaced_by_its_torrent(self):
        image = make_file(self.dir / "image", MIB)
        ended = self.ends_with(2, "create", image, "--all", "-o", self.dir / "." / "image")
        self.assertIn("would be replaced", ended.stderr)
        self.assertEqual(image.stat().st_size, MIB)

    def test_a_torrent_that_nobody_could_read_is_refused_before_the_work(self):
        image = make_file(self.dir / "image", 1 << 40)
        self.refused(image, "--piece-size", "67,108,864 pieces", options=["--all", "--piece-size", "16K"])
        self.refused(image, "--memory", options=["--all", "--piece-size", "128K"])

    def test_a_directory_with_an_extent_that_is_no_file_is_refused(self):
        directory = self.dir / "sda1"
        directory.mkdir()
        (directory / f"{0:032x}").write_bytes(bytes(MIB))
        (directory / f"{MIB:032x}").symlink_to("missing")
        self.refused(directory, f"{MIB:032x} is named by an offset")

    def test_a_file_system_that_is_mounted_for_writing_is_refused_unless_forced(self):
        device = self.ext4()
        with Mount(device.path, self.dir / "mounted") as mounted:
            self.refused(device.path, f"{device.path} is mounted for writing on {mounted}", "--force")
            self.refused(device.path, "is mounted for writing", options=["--all"])
            self.ends_with(0, "create", device.path, "-o", self.torrent, "--force")

    def test_a_file_system_that_is_mounted_read_only_is_as_good_as_an_unmounted_one(self):
        device = self.ext4()
        self.ends_with(0, "create", device.path, "-o", self.torrent, "--name", "x")
        unmounted = read_torrent(self.torrent)[1]
        with Mount(device.path, self.dir / "mounted", "-o", "ro"):
            self.ends_with(0, "create", device.path, "-o", self.torrent, "--name", "x")
        self.assertEqual(read_torrent(self.torrent)[1], unmounted)

    def test_map_and_hashes_are_of_the_file_that_was_opened_whatever_its_name_means_later(self):
        image, kept, other = (make_file(self.dir / name, 72 * MIB) for name in ("image", "kept", "other"))
        kept.unlink()
        for path, count in (image, 8), (other, 100):
            run("mkfs.ext4", "-q", "-F", path)
            with Mount(path, self.dir / "mounted", "-o", "loop") as root:
                fill(root, count, count)
        kept.hardlink_to(image)
        partclone = self.dir / "bin" / "partclone.ext4"
        partclone.parent.mkdir()
        partclone.write_text(f"#!/bin/sh\nmv {other} {image} && exec {shutil.which('partclone.ext4')} \"$@\"\n")
        partclone.chmod(0o755)
        self.ends_with(0, "create", image, "-o", self.torrent, "--name", "x",
                       wrapper=["env", f"PATH={partclone.parent}:{os.environ['PATH']}"])
        self.assertFalse(other.exists())
        self.ends_with(0, "verify", self.torrent, kept)
        as_it_was = self.torrent.read_bytes()
        self.ends_with(0, "create", kept, "-o", self.torrent, "--name", "x")
        self.assertEqual(self.torrent.read_bytes(), as_it_was)

    def test_a_run_that_is_over_at_once_tells_its_average_rate(self):
        image = make_file(self.dir / "image", MIB)
        created = self.ends_with(0, "create", image, "-o", self.torrent, "--all")
        verified = self.ends_with(0, "verify", self.torrent, image)
        for ended in created, verified:  # what is reported before anything was read has no rate
            self.assertRegex(ended.stderr, "(hashing|verifying) .*disk ")
            self.assertNotRegex(ended.stderr, "[1-9][0-9.]*%, .* disk 0 B/s")

    def test_an_image_file_is_as_good_as_a_device(self):
        image = make_file(self.dir / "image", 72 * MIB)
        run("mkfs.ext4", "-q", "-F", image)
        self.ends_with(0, "create", image, "-o", self.torrent)
        self.ends_with(0, "verify", self.torrent, image)
        self.assertLess(sum(extent.length for extent in read_torrent(self.torrent)[1]), 36 * MIB)

    @unittest.skipIf(missing_tools("sgdisk"), "needs gdisk")
    def test_the_image_file_of_a_whole_disk_is_refused_with_what_to_do(self):
        image = make_file(self.dir / "image", 72 * MIB)
        run("sgdisk", "--new=1:2048:+40M", image)
        self.refused(image, "losetup", "--partscan")

    @unittest.skipIf(missing_tools("mkfs.btrfs", "partclone.btrfs"), "needs btrfs-progs")
    def test_a_btrfs_of_two_devices_is_refused(self):
        devices = [self.loop_device(f"device-{number}", 128 * MIB) for number in range(2)]
        run("mkfs.btrfs", "-q", "-f", *(device.path for device in devices))
        for device in devices:
            self.refused(device.path, "spans several devices")

    def test_a_source_without_permission_is_refused(self):
        image = make_file(self.dir / "image", MIB)
        image.chmod(0)
        nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        output = self.dir / "of nobody"
        output.mkdir()
        output.chmod(stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
        ended = self.ends_with(4, "create", image, "-o", output / "x.torrent", "--all", wrapper=nobody)
        self.assertIn("Permission denied", ended.stderr)
        self.assertEqual(list(output.iterdir()), [])


class Stopping(EndToEndTest):
    def test_ctrl_c_while_hashing_leaves_no_file(self):
        source = make_file(self.dir / "image", 1 << 40)  # sparse: minutes of zeros
        (self.dir / "out").mkdir()
        creating = self.start("create", source, "-o", self.dir / "out" / "x.torrent", "--all", "--json")
        wait_until(lambda: any(event["done_bytes"] > 0 for event in creating.events_named("progress")), creating)
        creating.signal(signal.SIGINT)
        self.assertEqual(creating.wait(30), 130, creating)
        self.assertEqual(list((self.dir / "out").iterdir()), [])

    @unittest.skipIf(missing_tools("mkfs.ext4"), "needs e2fsprogs")
    def test_ctrl_c_while_partclone_works_ends_partclone_too(self):
        source = make_file(self.dir / "image", 8 * MIB)
        run("mkfs.ext4", "-q", "-F", source)
        partclone = self.dir / "bin" / "partclone.ext4"
        partclone.parent.mkdir()
        partclone.write_text(f"#!/bin/sh\necho $$ > {self.dir}/pid\nexec sleep 1000\n")
        partclone.chmod(0o755)
        creating = self.start("create", source, "-o", self.dir / "x.torrent",
                              wrapper=["env", f"PATH={partclone.parent}:{os.environ['PATH']}"])
        pid = wait_until(lambda: (self.dir / "pid").exists() and (self.dir / "pid").read_text().strip(), creating)
        creating.signal(signal.SIGTERM)
        self.assertEqual(creating.wait(30), 143, creating)
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())
        self.assertEqual(list(self.dir.glob("x.torrent*")), [])


class PieceSizes(EndToEndTest):
    def test_they_fit_the_payload(self):
        """Of directories of sparse files' size: only what would be hashed counts, so it is stopped as soon as it began."""
        for size, piece in ((1 << 30, 256 << 10), (60 << 30, 8 << 20), (2 << 40, 16 << 20)):
            with self.subTest(size):
                source = make_file(self.dir / "image", size)
                creating = self.start("create", source, "-o", self.dir / "x.torrent", "--all", "--json")
                creating.wait_for_event("start")
                creating.signal(signal.SIGINT)
                creating.wait(30)
                self.assertEqual(creating.events_named("start")[0]["piece_length"], piece, creating)


if __name__ == "__main__":
    main()
