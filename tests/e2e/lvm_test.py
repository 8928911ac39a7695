#!/usr/bin/python3
"""Disks with physical volumes of LVM2: the used blocks of logical volumes arrive, and the volume group with them."""

import contextlib
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import unittest.mock

from harness import UNTOUCHED, Mount, main, make_file, partition_devices, run
from images import Extent, read_torrent, touched_gaps
from lvm_case import MIB, Lvm, LvmCase, linear, logical_volume, part_of, payload_within, used_by_ext4

SWAP_HEADER = 64 << 10


class ServerDisks(LvmCase):
    """As an installer makes them: EFI system partition, /boot, and a physical volume."""

    SIZE = 160 * MIB

    def make_disk(self):
        self.source = self.loop_device("source", self.SIZE)
        run("sgdisk", "--new=1:2048:+10M", "--typecode=1:ef00", "--new=2:0:+12M", "--new=3:0:0", "--typecode=3:8e00", self.source.path)
        self.enterContext(partition_devices(self.source.path))
        efi, boot, self.physical = (f"{self.source.path}p{number}" for number in (1, 2, 3))
        run("mkfs.fat", efi)
        self.make_ext4(boot, "boot", 1)
        self.lvm = Lvm(self.dir, self.physical)
        self.lvm("vgcreate", "vg0", self.physical)
        self.make_volume(self.lvm, "vg0/root", "--size", "40M", seed=2)
        self.make_volume(self.lvm, "vg0/home", "--size", "28M", seed=3)
        self.make_volume(self.lvm, "vg0/swap", "--size", "16M")
        self.swap = self.lvm.pieces("vg0/swap")[0][1]
        with part_of(self.physical, self.swap) as part:
            run("mkswap", "-L", "swap", part)

    def used(self):
        """Bytes of the volumes' own counts, in /dev/PHYSICAL."""
        used = 0
        for volume in "vg0/root", "vg0/home":
            with part_of(self.physical, self.lvm.pieces(volume)[0][1]) as part:
                used += used_by_ext4(part)
        return used + SWAP_HEADER

    def test_files_volume_group_and_partitions_arrive_and_nothing_that_is_free(self):
        self.make_disk()
        created = self.create(self.source.path, "--verbose")
        self.assertEqual(self.warnings(created), [])
        self.assertRegex(created.stderr, r"logical volume vg0/root \(ext4\): .* are used")
        self.assertIn("in no logical volume", created.stderr)
        size = int(run("blockdev", "--getsize64", self.physical))
        begin = int(run("cat", f"/sys/class/block/{os.path.basename(self.physical)}/start")) * 512
        taken = payload_within(read_torrent(self.torrent)[1], Extent(begin, size))
        metadata = MIB + (size - MIB) % (4 * MIB)  # with what is behind the last extent
        self.assertGreaterEqual(taken, self.used() + metadata)
        self.assertLess(taken, (self.used() + metadata) * 1.01)

        target = self.deploy(self.source.path, self.SIZE)
        self.assertEqual(touched_gaps(target.backing, read_torrent(self.torrent)[1], UNTOUCHED), [])
        before = self.lvm.metadata(self.physical)
        with partition_devices(target.path):
            there = Lvm(self.dir, f"{target.path}p3")
            there("vgck", "vg0")
            self.assertEqual(there.metadata(f"{target.path}p3"), before)
            self.assert_has_files(f"{target.path}p2", "boot")
            self.assert_has_volumes(there, "vg0/root", "vg0/home")
            with part_of(f"{target.path}p3", self.swap) as part:
                self.assertEqual(run("blkid", "-p", "-o", "value", "-s", "LABEL", part).strip(), "swap")

    def test_info_names_the_volumes(self):
        self.make_disk()
        self.create(self.source.path)
        self.assertNotIn("vg0", self.ends_with(0, "info", self.torrent).stdout)
        self.assertRegex(self.ends_with(0, "info", "--verbose", self.torrent).stdout,
                         r"Volume: +vg0/root, ext4: \d.* MiB of 40\.0 MiB in the image\n")
        (info,) = self.ends_with(0, "info", "--json", self.torrent).events
        volumes = {volume.pop("name"): volume for volume in info["volumes"]}
        self.assertEqual(sorted(volumes), ["vg0/home", "vg0/root", "vg0/swap"])
        self.assertEqual(volumes["vg0/swap"], {"type": "swap", "size_bytes": 16 * MIB, "image_bytes": SWAP_HEADER})

    def test_two_runs_make_the_same_torrent(self):
        self.make_disk()
        self.create(self.source.path)
        first = self.torrent.read_bytes()
        self.create(self.source.path)
        self.assertEqual(self.torrent.read_bytes(), first)

    def test_nothing_of_the_machine_is_written_or_locked(self):
        self.make_disk()

        def state():
            names = [path for place in ("/etc/lvm", "/run/lvm", "/run/lock/lvm") for path in pathlib.Path(place).rglob("*")]
            return {str(path): path.stat().st_mtime_ns for path in names}
        before, sealed = state(), self.source.backing.read_bytes()
        self.create(self.source.path)
        self.assertEqual(state(), before)
        self.assertEqual(self.source.backing.read_bytes(), sealed)

    def test_a_volume_that_is_mounted_for_writing_is_refused(self):
        self.make_disk()
        with part_of(self.physical, self.lvm.pieces("vg0/root")[0][1]) as part, Mount(part, self.dir / "mounted") as mounted:
            self.refused(self.source.path, f"is mounted for writing on {mounted}")
            run("mount", "-o", "remount,ro", mounted)
            self.create(self.source.path)

    def test_a_file_system_that_is_not_in_order_is_refused(self):
        self.make_disk()
        with part_of(self.physical, self.lvm.pieces("vg0/home")[0][1]) as part:
            run("debugfs", "-w", "-R", "ssv state 0", part)
        self.refused(self.source.path, "logical volume vg0/home", "is not clean")

    def test_the_memory_of_a_hibernated_system_is_not_taken(self):
        self.make_disk()
        with open(self.physical, "r+b") as disk:
            disk.seek(self.swap.offset + 4096 - 10)
            disk.write(b"S1SUSPEND\0")
        self.refused(self.source.path, "logical volume vg0/swap", "hibernated")

    def test_metadata_that_changes_meanwhile_is_noticed(self):
        """By another machine that shares the disk, for one; here when partclone is run."""
        self.make_disk()
        partclone = self.dir / "bin" / "partclone.ext4"
        partclone.parent.mkdir()
        partclone.write_text(f"#!/bin/sh\nLVM_SYSTEM_DIR={self.lvm.directory} lvchange --driverloaded n --addtag changed vg0/home"
                             f" > {self.dir}/changed 2>&1\nexec {shutil.which('partclone.ext4')} \"$@\"\n")
        partclone.chmod(0o755)
        path = f"PATH={partclone.parent}:{os.environ['PATH']}"
        self.refused(self.source.path, f"the metadata of LVM2 on {self.physical} changed", wrapper=["env", path])
        self.assertIn("vg0/home changed", (self.dir / "changed").read_text())

    def test_without_lvm2_every_byte_is_taken_and_the_remedy_said(self):
        self.make_disk()
        hidden = ["unshare", "--mount", "sh", "-c", 'mount --bind /dev/null "$0" && exec "$@"', os.path.realpath(shutil.which("lvm"))]
        (warning,) = self.warnings(self.create(self.source.path, wrapper=hidden))
        self.assertIn("every byte of it", warning)
        self.assertIn("apt install lvm2", warning)
        size = int(run("blockdev", "--getsize64", self.physical))
        self.assertGreater(sum(extent.length for extent in read_torrent(self.torrent)[1]), size)


class OneDisk(LvmCase):
    """A physical volume that is all of a disk."""

    SIZE = 100 * MIB

    def setUp(self):
        super().setUp()
        self.source = self.loop_device("source", self.SIZE)
        self.lvm = Lvm(self.dir, self.source.path)

    def taken(self):
        return sum(extent.length for extent in read_torrent(self.torrent)[1])

    def used(self, *volumes):
        used = 0
        for volume in volumes:
            with part_of(self.source.path, self.lvm.pieces(volume)[0][1]) as part:
                used += used_by_ext4(part)
        return used

    def test_without_a_partition_table_with_small_extents(self):
        self.lvm("vgcreate", "--physicalextentsize", "64K", "vg0", self.source.path)
        self.make_volume(self.lvm, "vg0/one", "--extents", "401", seed=1)
        self.make_volume(self.lvm, "vg0/two", "--extents", "403", seed=2)
        self.assertEqual(self.warnings(self.create(self.source.path)), [])
        self.assertLess(self.taken(), (self.used("vg0/one", "vg0/two") + MIB) * 1.01)
        target = self.deploy(self.source.path, self.SIZE)
        there = Lvm(self.dir, target.path)
        there("vgck", "vg0")
        self.assert_has_volumes(there, "vg0/one", "vg0/two")
        small = self.loop_device("small", self.SIZE - MIB)
        self.assertIn("the image needs 100.0 MiB", self.ends_with(4, "fetch", self.torrent, small.path, "--no-lsd").stderr)

    def test_metadata_that_wraps_in_its_area(self):
        self.lvm("pvcreate", "--metadatasize", "12K", "--dataalignment", "64K", self.source.path)
        self.lvm("vgcreate", "--physicalextentsize", "64K", "vg0", self.source.path)
        self.make_volume(self.lvm, "vg0/root", "--size", "20M", seed=1)
        for number in range(200):
            self.lvm("lvchange", "--addtag" if number % 2 == 0 else "--deltag", f"tag-{'x' * 90}", "vg0/root")
            if self.wraps():
                break
        self.assertTrue(self.wraps())
        self.create(self.source.path)
        target = self.deploy(self.source.path, self.SIZE)
        there = Lvm(self.dir, target.path)
        there("vgck", "vg0")
        self.assertEqual(there.metadata(target.path), Lvm(self.dir, self.source.path).metadata(self.source.path))
        self.assert_has_volumes(Lvm(self.dir, target.path), "vg0/root")

    def wraps(self):
        """Whether the text begins in front of the area's end, and ends behind its beginning."""
        run("blockdev", "--flushbufs", self.source.path)
        with open(self.source.path, "rb") as disk:
            disk.seek(4096)
            header = disk.read(512)
        size, offset, length = struct.unpack_from("<QQQ", header, 32)
        return offset + length > size

    def test_an_image_file_is_as_good_as_a_device(self):
        self.lvm("vgcreate", "vg0", self.source.path)
        self.make_volume(self.lvm, "vg0/root", "--size", "40M", seed=1)
        self.create(self.source.path)
        as_device = self.torrent.read_bytes()
        run("sync")
        self.create(self.source.backing)
        self.assertEqual(self.torrent.read_bytes(), as_device)

    def test_a_second_metadata_area_at_the_end(self):
        self.lvm("pvcreate", "--pvmetadatacopies", "2", self.source.path)
        self.lvm("vgcreate", "vg0", self.source.path)
        self.make_volume(self.lvm, "vg0/root", "--size", "40M", seed=1)
        self.create(self.source.path)
        target = self.deploy(self.source.path, self.SIZE)
        with open(target.path, "r+b") as disk:
            disk.seek(4096)
            disk.write(bytes(4096))  # the first one is lost
        there = Lvm(self.dir, target.path)
        self.assertEqual(there("vgs", "--noheadings", "-o", "vg_name").strip(), "vg0")
        self.assert_has_volumes(there, "vg0/root")

    def test_a_volume_in_two_pieces_is_taken_whole_unless_it_is_active(self):
        self.make_volume_in_two_pieces()
        (warning,) = self.warnings(self.create(self.source.path))
        self.assertIn("every byte", warning)
        self.assertIn("vg0/root (in 2 pieces; activate it for its used blocks: lvchange -ay vg0/root)", warning)
        target = self.deploy(self.source.path, self.SIZE)
        self.assert_has_pieces(target)

    def make_volume_in_two_pieces(self):
        self.lvm("vgcreate", "vg0", self.source.path)
        self.make_volume(self.lvm, "vg0/root", "--size", "20M")
        self.make_volume(self.lvm, "vg0/between", "--size", "8M", seed=1)
        self.lvm("lvextend", "--size", "40M", "vg0/root")
        self.whole = make_file(self.dir / "root.img", 40 * MIB)
        self.make_ext4(self.whole, "vg0/root", 2)
        with open(self.source.path, "r+b") as disk, open(self.whole, "rb") as whole:
            for _, extent in self.lvm.pieces("vg0/root"):
                disk.seek(extent.offset)
                disk.write(whole.read(extent.length))

    def assert_has_pieces(self, target):
        there, copy = Lvm(self.dir, target.path), self.dir / "copy.img"
        with open(target.path, "rb") as disk, open(copy, "wb") as file:
            for _, extent in there.pieces("vg0/root"):
                disk.seek(extent.offset)
                file.write(disk.read(extent.length))
        self.assert_has_files(copy, "vg0/root")
        self.assert_has_volumes(there, "vg0/between")

    def test_an_active_volume_in_two_pieces_is_read_from_its_device(self):
        """Of a kernel whose sysfs says that a device of ours is what the device mapper has made of the volume."""
        self.make_volume_in_two_pieces()
        active = run("losetup", "--find", "--show", "--read-only", self.whole).strip()
        self.addCleanup(run, "losetup", "--detach", active)
        names = {row["lv_full_name"]: row for row in self.lvm.report("lv_full_name", "vg_uuid", "lv_uuid")}
        uuid = "LVM-" + (names["vg0/root"]["vg_uuid"] + names["vg0/root"]["lv_uuid"]).replace("-", "")
        device, holders = self.dir / "device", self.dir / "holders"
        shutil.copytree(f"/sys/class/block/{os.path.basename(active)}/", device, copy_function=copy_attribute, symlinks=True)
        (device / "dm").mkdir()
        (device / "dm" / "uuid").write_text(uuid)
        holder = holders / "dm-0"
        holder.mkdir(parents=True)
        (holder / "dev").write_text((device / "dev").read_text())
        script = ('mount --bind "$0" "$1" && mount --bind "$2" "$3" && shift 3 && exec "$@"')
        pretend = ["unshare", "--mount", "sh", "-c", script, device, f"/sys/devices/virtual/block/{os.path.basename(active)}",
                   holders, f"/sys/devices/virtual/block/{os.path.basename(self.source.path)}/holders"]
        created = self.create(self.source.path, "--verbose", wrapper=[str(word) for word in pretend])
        self.assertEqual(self.warnings(created), [])
        self.assertRegex(created.stderr, r"logical volume vg0/root \(ext4\): .* of 40\.0 MiB are used")
        self.assertLess(self.taken(), (used_by_ext4(self.whole) + self.used("vg0/between") + MIB) * 1.01 + 4 * MIB)
        self.assert_has_pieces(self.deploy(self.source.path, self.SIZE))

    def test_what_is_no_linear_volume_is_taken_whole(self):
        """Thin pools, snapshots and their origin, RAID; also where the device mapper is missing, as here."""
        self.lvm("vgcreate", "vg0", self.source.path)
        self.lvm.restore("vg0", "".join([
            logical_volume(1, "pool", 'start_extent = 0 extent_count = 3 type = "thin-pool" metadata = "pool_tmeta" pool = "pool_tdata"'
                           ' transaction_id = 1 chunk_size = 128 discards = "passdown" zero_new_blocks = 1'),
            logical_volume(2, "thin", 'start_extent = 0 extent_count = 10 type = "thin" thin_pool = "pool" transaction_id = 0'
                           ' device_id = 1'),
            logical_volume(3, "pool_tmeta", linear(0, 1, 3), visible=False),
            logical_volume(4, "pool_tdata", linear(0, 3, 0), visible=False),
            logical_volume(5, "origin", linear(0, 2, 5)),
            logical_volume(6, "snap", linear(0, 1, 7)),
            logical_volume(7, "snapshot0", 'start_extent = 0 extent_count = 2 type = "snapshot" chunk_size = 8 origin = "origin"'
                           ' cow_store = "snap"', visible=False),
            logical_volume(8, "mirrored", 'start_extent = 0 extent_count = 1 type = "raid1" device_count = 2 region_size = 1024'
                           ' raids = [ "mirrored_rmeta_0", "mirrored_rimage_0", "mirrored_rmeta_1", "mirrored_rimage_1" ]'),
            *(logical_volume(9 + index, f"mirrored_{name}", linear(0, 1, 8 + index), visible=False)
              for index, name in enumerate(("rmeta_0", "rimage_0", "rmeta_1", "rimage_1"))),
            logical_volume(20, "root", linear(0, 5, 13)),
        ]))
        with part_of(self.source.path, self.lvm.pieces("vg0/root")[0][1]) as part:
            self.make_ext4(part, "vg0/root", 1)
        (warning,) = self.warnings(self.create(self.source.path))
        for named in ("vg0/pool_tdata (thin, pool, data)", "vg0/origin (origin", "vg0/snap (snapshot", "vg0/mirrored_rimage_1 (raid, image)"):
            self.assertIn(named, warning)
        self.assertNotIn("vg0/root", warning)
        extents = read_torrent(self.torrent)[1]
        for volume in "pool_tdata", "pool_tmeta", "origin", "snap", "mirrored_rimage_0", "mirrored_rimage_1", "mirrored_rmeta_0":
            ((_, extent),) = self.lvm.pieces(f"vg0/{volume}")
            self.assertEqual(payload_within(extents, extent), extent.length, volume)
        self.assertLess(payload_within(extents, Extent(MIB + 13 * 4 * MIB, 20 * MIB)), 10 * MIB)
        target = self.deploy(self.source.path, self.SIZE)
        there = Lvm(self.dir, target.path)
        there("vgck", "vg0")
        self.assert_has_volumes(there, "vg0/root")

    def test_encryption_in_a_volume_is_taken_whole(self):
        self.lvm("vgcreate", "vg0", self.source.path)
        self.make_volume(self.lvm, "vg0/secret", "--size", "8M")
        self.make_volume(self.lvm, "vg0/root", "--size", "20M", seed=1)
        ((_, extent),) = self.lvm.pieces("vg0/secret")
        with open(self.source.path, "r+b") as disk:
            disk.seek(extent.offset)
            disk.write(b"LUKS\xba\xbe" + struct.pack(">H", 1) + bytes(160) + b"01234567-89ab-cdef-0123-456789abcdef".ljust(40, b"\0"))
            disk.write(random.Random(5).randbytes(extent.length - 208))
        (warning,) = self.warnings(self.create(self.source.path))
        self.assertIn("logical volume vg0/secret (crypto_LUKS): every byte of it, 8.0 MiB", warning)
        self.assertEqual(payload_within(read_torrent(self.torrent)[1], extent), extent.length)

    def test_one_in_no_volume_group_is_its_metadata_area(self):
        self.lvm("pvcreate", self.source.path)
        (warning,) = self.warnings(self.create(self.source.path))
        self.assertIn("without a volume group", warning)
        self.assertLess(self.taken(), 2 * MIB)

    def test_one_of_a_group_that_is_described_elsewhere_is_refused(self):
        other = self.loop_device("other", self.SIZE)
        both = Lvm(self.dir, self.source.path, other.path)
        both("pvcreate", "--pvmetadatacopies", "0", self.source.path)
        both("vgcreate", "vg0", self.source.path, other.path)
        self.refused(self.source.path, "LVM physical volume", "described elsewhere", "--all")

    def test_one_whose_metadata_is_damaged_is_refused(self):
        self.lvm("vgcreate", "vg0", self.source.path)
        self.make_volume(self.lvm, "vg0/root", "--size", "20M", seed=1)
        with open(self.source.path, "r+b") as disk:
            disk.seek(4096)
            disk.write(b"?" * 8192)
        self.refused(self.source.path, "LVM physical volume", "damaged", "--all")


class SeveralDisks(LvmCase):
    SIZE = 64 * MIB

    def test_a_group_over_two_disks_is_taken_as_far_as_it_is_on_this_one(self):
        first, second = (self.loop_device(name, self.SIZE) for name in ("first", "second"))
        both = Lvm(self.dir, first.path, second.path)
        both("vgcreate", "vg0", first.path, second.path)
        self.make_volume(both, "vg0/here", "--size", "20M", first.path, seed=1)
        self.make_volume(both, "vg0/there", "--size", "20M", second.path, seed=2)
        self.make_volume(both, "vg0/striped", "--extents", "2", first.path, second.path, "--stripes", "2")
        self.make_volume(both, "vg0/across", "--extents", "16")
        uuids = {row["pv_name"]: row["pv_uuid"] for row in both.report("pv_name", "pv_uuid")}
        needs, whole = self.warnings(self.create(first.path))
        self.assertIn(f"the volume group vg0 also needs physical volumes that are not in the image: {uuids[second.path]}", needs)
        self.assertIn("vg0/across (not all of it is in the image)", whole)
        self.assertIn("vg0/striped (striped)", whole)
        self.assertNotIn("vg0/here", whole)
        extents = read_torrent(self.torrent)[1]
        for volume in "vg0/across", "vg0/striped":
            for device, extent in both.pieces(volume):
                if device == first.path:
                    self.assertEqual(payload_within(extents, extent), extent.length)
        target = self.deploy(first.path, self.SIZE)
        second_torrent, self.torrent = self.torrent, self.dir / "second.torrent"
        self.create(second.path)
        other = self.deploy(second.path, self.SIZE, name="other")
        self.assertEqual([each for each in self.warnings_of_fetch() if "has the name" in each], [])
        there = Lvm(self.dir, target.path, other.path)
        there("vgck", "vg0")
        self.assert_has_volumes(there, "vg0/here", "vg0/there")

    def test_two_physical_volumes_of_one_group_on_one_disk(self):
        disk = self.loop_device("source", 2 * self.SIZE)
        run("sgdisk", "--new=1:2048:+40M", "--new=2:0:0", disk.path)
        self.enterContext(partition_devices(disk.path))
        lvm = Lvm(self.dir, f"{disk.path}p1", f"{disk.path}p2")
        lvm("vgcreate", "vg0", f"{disk.path}p1", f"{disk.path}p2")
        self.make_volume(lvm, "vg0/one", "--size", "20M", f"{disk.path}p1", seed=1)
        self.make_volume(lvm, "vg0/two", "--size", "20M", f"{disk.path}p2", seed=2)
        self.make_volume(lvm, "vg0/across", "--extents", "100%FREE")
        (warning,) = self.warnings(self.create(disk.path))
        self.assertIn("vg0/across (in 2 pieces", warning)
        target = self.deploy(disk.path, 2 * self.SIZE)
        with partition_devices(target.path):
            there = Lvm(self.dir, f"{target.path}p1", f"{target.path}p2")
            there("vgck", "vg0")
            self.assert_has_volumes(there, "vg0/one", "vg0/two")

    def test_one_in_a_logical_partition(self):
        disk = self.loop_device("source", self.SIZE)
        subprocess.run(["sfdisk", "--quiet", disk.path], input="label: dos\n2048,8M,83\n,,5\n,,8e\n", text=True, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.enterContext(partition_devices(disk.path))
        lvm = Lvm(self.dir, f"{disk.path}p5")
        lvm("vgcreate", "vg0", f"{disk.path}p5")
        self.make_volume(lvm, "vg0/root", "--size", "20M", seed=1)
        self.make_ext4(f"{disk.path}p1", "boot", 2)
        self.assertEqual(self.warnings(self.create(disk.path)), [])
        target = self.deploy(disk.path, self.SIZE)
        with partition_devices(target.path):
            self.assert_has_volumes(Lvm(self.dir, f"{target.path}p5"), "vg0/root")

    def test_one_of_lvm1_is_taken_whole(self):
        disk = self.loop_device("source", self.SIZE)
        run("sgdisk", "--new=1:2048:+20M", "--new=2:0:+20M", disk.path)
        self.enterContext(partition_devices(disk.path))
        with open(f"{disk.path}p2", "r+b") as physical:
            physical.write(b"HM" + struct.pack("<H", 1))
        self.make_ext4(f"{disk.path}p1", "root", 1)
        (warning,) = self.warnings(self.create(disk.path))
        self.assertIn("p2 (LVM1_member): every byte of it, 20.0 MiB", warning)

    def test_a_damaged_one_on_a_disk_with_others_is_taken_whole(self):
        disk = self.loop_device("source", 82 * MIB)
        run("sgdisk", "--new=1:2048:+40M", "--new=2:0:+40M", disk.path)
        self.enterContext(partition_devices(disk.path))
        for number in 1, 2:
            lvm = Lvm(self.dir, f"{disk.path}p{number}")
            lvm("vgcreate", f"vg{number}", f"{disk.path}p{number}")
            self.make_volume(lvm, f"vg{number}/root", "--size", "20M", seed=number)
        with open(f"{disk.path}p2", "r+b") as physical:
            physical.seek(4096)
            physical.write(b"?" * 8192)
        (warning,) = self.warnings(self.create(disk.path))
        self.assertIn(f"{disk.path}p2 (LVM2_member: ", warning)
        self.assertIn("every byte of it, 40.0 MiB", warning)
        self.assertLess(sum(extent.length for extent in read_torrent(self.torrent)[1]), 65 * MIB)


class AfterAFetch(LvmCase):
    """What the target means for the machine."""

    SIZE = 64 * MIB

    def setUp(self):
        super().setUp()
        self.source = self.loop_device("source", self.SIZE)
        self.lvm = Lvm(self.dir, self.source.path)
        self.lvm("vgcreate", "vg0", self.source.path)
        self.make_volume(self.lvm, "vg0/root", "--size", "20M", seed=1)
        self.uuid = self.lvm.report("pv_uuid")[0]["pv_uuid"]
        self.create(self.source.path)

    def test_a_copy_of_the_physical_volume_is_named(self):
        self.deploy(self.source.path, self.SIZE)
        (warning,) = self.warnings_of_fetch()
        self.assertIn(f"has the same UUIDs as {self.source.path} (physical volume {self.uuid})", warning)

    def test_another_group_of_the_same_name_is_named(self):
        other = self.loop_device("other", self.SIZE)
        Lvm(self.dir, other.path)("vgcreate", "vg0", other.path)
        target = self.deploy(self.source.path, self.SIZE)
        _, warning = self.warnings_of_fetch()
        self.assertIn(f"the volume group vg0 on {target.path} has the same name as one on {other.path}", warning)
        uuid = re.search("vgrename ([^ ]+) NAME", warning)[1]
        Lvm(self.dir, target.path)("vgrename", uuid, "renamed")

    def test_what_was_there_before_does_not_hide_a_volume(self):
        """The superblock of a RAID (0.90) where the target has the end of the volume, which is free in the image."""
        ((_, extent),) = self.lvm.pieces("vg0/root")
        superblock = Extent(extent.end - 65536, 20)
        for options, warnings in ((), 0), (("--keep-signatures",), 1):
            with self.subTest(options):
                target = self.loop_device("target", self.SIZE, fill=UNTOUCHED)
                with open(target.path, "r+b") as disk:
                    disk.seek(superblock.offset)
                    disk.write(struct.pack("<5I", 0xA92B4EFC, 0, 90, 0, 0) + bytes(4076))
                with self.seeding(self.torrent, self.source.path) as peer:
                    self.fetcher = self.fetch(self.torrent, target.path, "--peer", peer, *options)
                if not warnings:
                    with part_of(target.path, extent) as part:
                        self.assertEqual(run("blkid", "-p", "-o", "value", "-s", "TYPE", part).strip(), "ext4")
                warned = [each for each in self.warnings_of_fetch() if f"the logical volume vg0/root of {target.path}" in each]
                self.assertEqual(len(warned), warnings, self.fetcher)

    def test_lvm2_is_told(self):
        for options in (), ("--user", "nobody"):
            with self.subTest(options):
                target = self.loop_device("target", self.SIZE, fill=UNTOUCHED)
                self.make_known(target.path)
                with self.seeding(self.torrent, self.source.path) as peer:
                    fetcher = self.fetch(self.torrent, target.path, "--peer", peer, "--verbose", *options)
                notes = [event["message"] for event in fetcher.events_named("note")]
                self.assertIn(f"pvscan --cache has told LVM2 about {target.path}", notes)
                online = pathlib.Path("/run/lvm/pvs_online", self.uuid.replace("-", ""))
                self.assertIn(target.path, online.read_text())
                online.unlink()

    def test_that_lvm2_could_not_be_told_is_said(self):
        broken = self.dir / "bin" / "lvm"
        broken.parent.mkdir()
        broken.write_text("#!/bin/sh\necho 'no, not now' >&2\nexit 5\n")
        broken.chmod(0o755)
        with unittest.mock.patch.dict(os.environ, {"PATH": f"{broken.parent}:{os.environ['PATH']}"}):
            self.deploy(self.source.path, self.SIZE)
        self.assertIn("pvscan --cache: status 5: no, not now", self.warnings_of_fetch()[1])


def copy_attribute(source, destination):
    """Of sysfs, as far as it can be read."""
    with contextlib.suppress(OSError):
        pathlib.Path(destination).write_bytes(pathlib.Path(source).read_bytes())


if __name__ == "__main__":
    main()
