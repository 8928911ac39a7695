#!/usr/bin/python3
"""The main job: a file system with files goes from one block device to another, only its used blocks travel.

The torrent is made from the device; which blocks are used is checked against what partclone writes by itself.
"""

import dataclasses
import pathlib
import random
import re
import shutil
import subprocess
import unittest

from harness import UNTOUCHED, EndToEndTest, Mount, main, missing_tools, needs_loop_devices, run
from images import Extent, capture, differing_extents, merged, read_torrent, read_torrent_info, sha256_tree, touched_gaps

MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class FileSystem:
    name: str
    size: int
    make: tuple
    partclone: str
    check: tuple
    mount_options: tuple = ()

    def missing(self):
        return missing_tools(self.make[0], self.partclone, self.check[0])


EXT4 = FileSystem("ext4", 72 * MIB, ("mkfs.ext4", "-q", "-F"), "partclone.ext4", ("e2fsck", "-fn"))
XFS = FileSystem("xfs", 304 * MIB, ("mkfs.xfs", "-q", "-f"), "partclone.xfs", ("xfs_repair", "-n"))
BTRFS = FileSystem("btrfs", 192 * MIB, ("mkfs.btrfs", "-q", "-f"), "partclone.btrfs", ("btrfs", "check"))
NTFS = FileSystem("ntfs-3g", 72 * MIB, ("mkntfs", "-q", "-F", "-Q"), "partclone.ntfs", ("ntfsfix", "-n"))
EXFAT = FileSystem("exfat-fuse", 72 * MIB, ("mkfs.exfat",), "partclone.exfat", ("fsck.exfat", "-n"))
FAT32 = FileSystem("vfat", 72 * MIB, ("mkfs.fat", "-F", "32"), "partclone.fat32", ("fsck.fat", "-n"), ("utf8",))


def kernel_has(filesystem):
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", filesystem], capture_output=True, check=False)
    return filesystem in pathlib.Path("/proc/filesystems").read_text().split()


def end_of_file_system(info):
    numbers = dict(re.findall(r"^(block_size|blocks_total): (\d+)", info.read_text(), re.MULTILINE))
    return int(numbers["block_size"]) * int(numbers["blocks_total"])


def with_tail(extents, end):
    """The extents and the last 4 KiB in front of `end`."""
    *others, last = extents
    if last.end + 4096 < end:
        return [*extents, Extent(end - 4096, 4096)]
    return [*others, Extent(last.offset, end - last.offset)]


class KernelAccess:
    """Files of a device, by mounting it at `directory`."""

    def __init__(self, filesystem, directory):
        self._filesystem = filesystem
        self._directory = directory

    def add(self, device, tree):
        with self._mount(device, "rw") as root:
            shutil.copytree(tree, root, symlinks=True, dirs_exist_ok=True)

    def remove(self, device, names):
        with self._mount(device, "rw") as root:
            for name in names:
                (root / name).unlink()

    def tree(self, device):
        with self._mount(device, "ro") as root:
            return sha256_tree(root)

    def _mount(self, device, access):
        options = ",".join([access, *self._filesystem.mount_options])
        return Mount(device, self._directory, "-t", self._filesystem.name, "-o", options)


class MtoolsAccess:
    """Files of a FAT device, for kernels without vfat."""

    def __init__(self, directory):
        self._directory = directory

    def add(self, device, tree):
        run("mcopy", "-i", device, "-s", "-Q", "-o", *sorted(tree.iterdir()), "::/")

    def remove(self, device, names):
        run("mdel", "-i", device, *(f"::/{name}" for name in names))

    def tree(self, device):
        self._directory.mkdir()
        run("mcopy", "-i", device, "-s", "-Q", "-n", "::/", self._directory)
        tree = sha256_tree(self._directory)
        shutil.rmtree(self._directory)
        return tree


def write_small_files(directory, rng):
    """Some hundred small files in a tree; returns the names of those to delete again, so that the free space has holes."""
    names = []
    for number in range(400):
        path = directory / f"dir {number % 7}" / f"sub{number % 3}" / f"file-{number}.dat"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rng.randbytes(rng.choice([1, 700, 4096, 30_000, 90_000])))
        names.append(str(path.relative_to(directory)))
    (directory / "empty directory").mkdir()
    (directory / "empty file").touch()
    (directory / "größer als ein Name.txt").write_text("Straße\n")
    return names[::2]


def write_big_files(directory, rng):
    """Bigger files for the holes, one of them sparse."""
    (directory / "big").mkdir()
    for number in range(4):
        (directory / "big" / f"disk-{number}.bin").write_bytes(rng.randbytes(7 * MIB + 1))
    with open(directory / "big" / "sparse.bin", "wb") as file:
        for position in range(0, 4 * MIB, MIB):
            file.seek(position)
            file.write(rng.randbytes(5000))


@needs_loop_devices
@unittest.skipIf(missing_tools("losetup", "mount"), "needs util-linux")
class FileSystemsArriveWhole(EndToEndTest):
    def fill(self, access, device):
        rng = random.Random(2)
        small, big = self.dir / "small", self.dir / "big"
        small.mkdir()
        big.mkdir()
        doomed = write_small_files(small, rng)
        write_big_files(big, rng)
        access.add(device, small)
        access.remove(device, doomed)
        access.add(device, big)

    def check_deployment_of(self, filesystem, access):
        if missing := filesystem.missing():
            self.skipTest(f"{filesystem.name}: {', '.join(missing)} not installed")
        source = self.loop_device("source", filesystem.size)
        run(*filesystem.make, source.path)
        self.fill(access, source.path)
        files = access.tree(source.path)
        self.assertGreater(len(files), 200)

        info = capture([filesystem.partclone, "-c", "-t"], source.path, self.dir / "captured")
        end = end_of_file_system(info)  # for NTFS of its clusters: behind the last one is the copy of its boot sector
        extents = merged([*with_tail(merged(read_torrent_info(info)[0]), end), Extent(end, filesystem.size - end)])
        extents = [extent for extent in extents if extent.length]
        self.assertLess(sum(extent.length for extent in extents), filesystem.size // 4 * 3)

        torrent = self.make_torrent(source.path)
        self.assertEqual(read_torrent(torrent)[1], extents)
        target = self.deploy(torrent, source)
        self.assertEqual(differing_extents(source.path, target.backing, extents), [])
        self.assertEqual(touched_gaps(target.backing, extents, UNTOUCHED), [])
        run(*filesystem.check, target.path)
        self.assertEqual(access.tree(target.path), files)

    def make_torrent(self, source):
        torrent = self.dir / "sda1.torrent"
        self.ends_with(0, "create", source, "-o", torrent, "--name", "sda1")
        return torrent

    def deploy(self, torrent, source):
        target = self.loop_device("target", source.size, fill=UNTOUCHED)
        with self.seeding(torrent, source.path) as peer:
            self.fetch(torrent, target.path, "--peer", peer)
        return target

    def check_with_the_kernel(self, filesystem):
        if not kernel_has("fuseblk" if filesystem in (NTFS, EXFAT) else filesystem.name):
            self.skipTest(f"{filesystem.name}: not in this kernel")
        self.check_deployment_of(filesystem, KernelAccess(filesystem, self.dir / "mounted"))

    def test_ext4(self):
        self.check_with_the_kernel(EXT4)

    def test_xfs(self):
        self.check_with_the_kernel(XFS)

    def test_btrfs(self):
        self.check_with_the_kernel(BTRFS)

    def test_ntfs(self):
        self.check_with_the_kernel(NTFS)

    @unittest.skipIf(missing_tools("mount.exfat-fuse"), "needs exfat-fuse")
    def test_exfat(self):
        self.check_with_the_kernel(EXFAT)

    @unittest.skipIf(missing_tools("partclone.ext4", "mkfs.ext4"), "needs partclone and e2fsprogs")
    def test_ext4_by_the_torrent_info_that_partclone_writes(self):
        source = self.loop_device("source", EXT4.size)
        run(*EXT4.make, source.path)
        self.fill(KernelAccess(EXT4, self.dir / "mounted"), source.path)
        info = capture([EXT4.partclone, "-c", "-t"], source.path, self.dir / "captured")
        extents, hashes = read_torrent_info(info)

        torrent = self.make_torrent(info)
        written = read_torrent(torrent)
        self.assertEqual(written[1], extents)  # as partclone cut them
        self.assertEqual(written[0]["pieces"].hex(), "".join(hashes))
        target = self.deploy(torrent, source)
        self.assertEqual(differing_extents(source.path, target.backing, extents), [])
        run(*EXT4.check, target.path)

    def test_fat32(self):
        if kernel_has("vfat"):
            self.check_with_the_kernel(FAT32)
        elif missing_tools("mcopy"):
            self.skipTest("vfat: not in this kernel, and mtools is not installed")
        else:
            self.check_deployment_of(FAT32, MtoolsAccess(self.dir / "copied"))

    @unittest.skipIf(missing_tools("mcopy", "mkfs.fat"), "needs mtools and dosfstools")
    def test_fat12_is_taken_whole_since_partclone_misses_used_blocks_of_it(self):
        source = self.loop_device("source", 16 * MIB, fill=UNTOUCHED)
        run("mkfs.fat", "-F", "12", source.path)
        access = MtoolsAccess(self.dir / "copied")
        tree = self.dir / "tree"
        tree.mkdir()
        write_small_files(tree, random.Random(5))
        access.add(source.path, tree)
        files = access.tree(source.path)
        torrent = self.make_torrent(source.path)
        self.assertEqual(read_torrent(torrent)[1], [Extent(0, 16 * MIB)])
        target = self.deploy(torrent, source)
        run("fsck.fat", "-n", target.path)
        self.assertEqual(access.tree(target.path), files)


if __name__ == "__main__":
    main()
