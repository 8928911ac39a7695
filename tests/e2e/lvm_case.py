"""What the tests stand on that make disks with physical volumes of LVM2.

The kernel's device mapper is not needed: volume groups are made without it, and the file systems of logical volumes through
loop devices at their offsets. LVM2 is told each time to look at the test's own devices alone, and to keep its files in the
test's directory.
"""

import contextlib
import json
import os
import subprocess
import unittest
import unittest.mock

from harness import UNTOUCHED, EndToEndTest, Mount, missing_tools, needs_loop_devices, run
from images import Extent, differing_extents, fill, read_torrent, sha256_tree

MIB = 1 << 20
WITHOUT_MAPPER = ("--driverloaded", "n")
UNUSED = ("-an", "-Zn", "-Wn", "-y")  # of a new volume: not active, nothing cleared on it


class Lvm:
    """LVM2's commands, for these devices and no others."""

    def __init__(self, directory, *devices, name="lvm"):
        self.directory = directory / name
        self.directory.mkdir(exist_ok=True)
        accepted = "".join(f'"a|^{device}$|", ' for device in devices)
        (self.directory / "lvm.conf").write_text(f"""
            devices {{
                filter = [ {accepted}"r|.*|" ]
                use_devicesfile = 0
                obtain_device_list_from_udev = 0
                hints = "none"
                sysfs_scan = 0
            }}
            backup {{ backup = 0 archive = 0 }}
            global {{ locking_dir = "{self.directory}/lock" use_lvmpolld = 0 }}
            activation {{ monitoring = 0 udev_sync = 0 udev_rules = 0 }}
        """)
        self.environment = {"LVM_SYSTEM_DIR": str(self.directory), "LVM_SUPPRESS_FD_WARNINGS": "1"}

    def __call__(self, command, *arguments):
        """Its standard output."""
        done = subprocess.run([command, *WITHOUT_MAPPER, *map(str, arguments)], env=os.environ | self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{command} {arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def report(self, *options):
        rows = json.loads(self("pvs", "--segments", "--reportformat", "json", "--units", "b", "--nosuffix", "-o", ",".join(options)))
        return rows["report"][0]["pvseg"]

    def pieces(self, volume):
        """Of a logical volume, in its order: the physical volume's device and where on it."""
        fields = "pv_name", "lv_full_name", "pe_start", "vg_extent_size", "pvseg_start", "pvseg_size", "seg_start_pe"
        rows = [row for row in self.report(*fields) if row["lv_full_name"] == volume]
        return [(row["pv_name"], Extent(int(row["pe_start"]) + int(row["pvseg_start"]) * int(row["vg_extent_size"]),
                                        int(row["pvseg_size"]) * int(row["vg_extent_size"])))
                for row in sorted(rows, key=lambda row: int(row["seg_start_pe"]))]

    def restore(self, group, logical_volumes):
        """Gives the group the logical volumes that the text of metadata describes, which may need the device mapper."""
        file = self.directory / "metadata"
        self("vgcfgbackup", "-f", file, group)
        text = file.read_text().rsplit("}", 1)[0]
        file.write_text(f"{text.split('logical_volumes {')[0]}\nlogical_volumes {{\n{logical_volumes}\n}}\n}}\n")
        self("vgcfgrestore", "--force", "-y", "-f", file, group)

    def metadata(self, device):
        """The text that counts, as it is on the device."""
        return self("pvck", "--dump", "metadata", device)


def logical_volume(number, name, *segments, visible=True):
    """As text of metadata."""
    uuid = f"{number:06d}-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa"
    status = '"READ", "WRITE"' + (', "VISIBLE"' if visible else "")
    body = "\n".join(f"segment{index + 1} {{ {segment} }}" for index, segment in enumerate(segments))
    return f'{name} {{ id = "{uuid}" status = [{status}] flags = [] segment_count = {len(segments)}\n{body} }}\n'


def linear(start, count, at, physical="pv0"):
    return f'start_extent = {start} extent_count = {count} type = "striped" stripe_count = 1 stripes = [ "{physical}", {at} ]'


@contextlib.contextmanager
def part_of(device, extent):
    """A loop device on a part of a device or file."""
    path = run("losetup", "--find", "--show", f"--offset={extent.offset}", f"--sizelimit={extent.length}", device).strip()
    try:
        yield path
    finally:
        run("losetup", "--detach", path)


def used_by_ext4(device):
    """As the file system itself counts."""
    counts = dict(line.split(":", 1) for line in run("dumpe2fs", "-h", device).splitlines() if ":" in line)
    return (int(counts["Block count"]) - int(counts["Free blocks"])) * int(counts["Block size"])


def payload_within(extents, area):
    return sum(max(0, min(extent.end, area.end) - max(extent.offset, area.offset)) for extent in extents)


@needs_loop_devices
@unittest.skipIf(missing_tools("lvm", "sgdisk", "partx", "mkfs.ext4", "mkfs.fat", "mkswap", "partclone.ext4"),
                 "needs lvm2, gdisk, util-linux, e2fsprogs, dosfstools and partclone")
class LvmCase(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.torrent = self.dir / "disk.torrent"
        self.trees = {}  # volume: what files are on it
        self.enterContext(Mount("tmpfs", "/run/lvm", "-t", "tmpfs"))  # where LVM2 notes what it was told of
        self.make_known()

    def make_known(self, *devices):
        """The devices that the machine's own LVM2 looks at, as fetch starts it."""
        lvm = Lvm(self.dir, *devices, name="lvm-of-machine")
        self.enterContext(unittest.mock.patch.dict(os.environ, lvm.environment))

    def make_ext4(self, device, volume, seed, *options):
        run("mkfs.ext4", "-q", "-F", *options, device)
        with Mount(device, self.dir / "mounted") as root:
            fill(root, seed, 30)
            self.trees[volume] = sha256_tree(root)

    def make_volume(self, lvm, volume, *size, seed=None):
        """A logical volume in one piece, with files where there is a seed."""
        group, name = volume.split("/")
        lvm("lvcreate", *UNUSED, "--name", name, *size[:2], group, *size[2:])
        if seed is not None:
            ((device, extent),) = lvm.pieces(volume)
            with part_of(device, extent) as part:
                self.make_ext4(part, volume, seed)

    def create(self, source, *options, **how):
        return self.ends_with(0, "create", source, "-o", self.torrent, "--name", "disk", *options, **how)

    def refused(self, source, *words, **how):
        ended = self.ends_with(4, "create", source, "-o", self.torrent, **how)
        for word in words:
            self.assertIn(word, ended.stderr)
        self.assertFalse(self.torrent.exists())

    def warnings(self, ended):
        return [line for line in ended.stderr.splitlines() if line.startswith("warning")]

    def warnings_of_fetch(self):
        return [event["message"] for event in self.fetcher.events_named("warning")]

    def deploy(self, source, size, *options, name="target"):
        target = self.loop_device(name, size, fill=UNTOUCHED)
        with self.seeding(self.torrent, source) as peer:
            self.fetcher = self.fetch(self.torrent, target.path, "--peer", peer, *options)
        extents = read_torrent(self.torrent)[1]
        self.assertEqual(differing_extents(source, target.path, extents), [])
        self.ends_with(0, "verify", self.torrent, target.path)
        return target

    def assert_has_volumes(self, lvm, *volumes):
        """With the files that they were made with."""
        for volume in volumes:
            ((device, extent),) = lvm.pieces(volume)
            with part_of(device, extent) as part:
                self.assert_has_files(part, volume)

    def assert_has_files(self, device, volume):
        run("e2fsck", "-fn", device)
        with Mount(device, self.dir / "mounted", "-o", "ro") as root:
            self.assertEqual(sha256_tree(root), self.trees[volume])
