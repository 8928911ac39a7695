#!/usr/bin/python3
"""A file system with one file, `disk`, that misbehaves as told. Runs in the foreground until it is unmounted.

    fuse_disk.py MOUNTPOINT BACKING CONTROL

The bytes are those of the file BACKING. CONTROL is a directory; what is in it when a call comes says what happens to it:
    fail-read    "FIRST END": reads that touch this range fail with EIO
    quota        "END": writes that go beyond END fail with EDQUOT
    slow-read    each read takes this many seconds longer
    spoil-write  "FIRST END": of what is written to this range, every bit arrives wrong, and no call says so
    fail-sync    fsync fails with EIO
    block-write  writes do not return while it exists
    block-sync   neither does fsync
    block-read   nor reads
CONTROL/calls gets a line for each call that has arrived ("write OFFSET LENGTH", "sync", and "read OFFSET LENGTH" of one that blocks), for each sync that is
done ("sync-done") and each call that fails ("read-failed TIME").
"""

import errno
import os
import pathlib
import stat
import sys
import time

import fusepy


class Disk(fusepy.Operations):
    def __init__(self, backing, control):
        self.fd = os.open(backing, os.O_RDWR)
        self.control = pathlib.Path(control)
        self.calls = open(self.control / "calls", "a", buffering=1)

    def _wait_while(self, name):
        while (self.control / name).exists():
            time.sleep(0.01)

    def _range(self, name):
        try:
            first, end = map(int, (self.control / name).read_text().split())
        except OSError:
            first = end = 0
        return first, end

    def getattr(self, path, fh=None):
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        if path != "/disk":
            raise fusepy.FuseOSError(errno.ENOENT)
        return {"st_mode": stat.S_IFREG | 0o666, "st_nlink": 1, "st_size": os.fstat(self.fd).st_size,
                "st_blocks": os.fstat(self.fd).st_blocks}

    def readdir(self, path, fh):
        return [".", "..", "disk"]

    def statfs(self, path):
        return {"f_bsize": 4096, "f_frsize": 4096, "f_blocks": 1 << 30, "f_bfree": 1 << 29, "f_bavail": 1 << 29}

    def read(self, path, size, offset, fh):
        if (self.control / "block-read").exists():
            self.calls.write(f"read {offset} {size}\n")
            self._wait_while("block-read")
        first, end = self._range("fail-read")
        if offset < end and offset + size > first:
            self.calls.write(f"read-failed {time.monotonic()}\n")
            raise fusepy.FuseOSError(errno.EIO)
        slow = self.control / "slow-read"
        if slow.exists():
            time.sleep(float(slow.read_text()))
        return os.pread(self.fd, size, offset)

    def write(self, path, data, offset, fh):
        self.calls.write(f"write {offset} {len(data)}\n")
        self._wait_while("block-write")
        quota = self.control / "quota"
        if quota.exists() and offset + len(data) > int(quota.read_text()):
            self.calls.write(f"write-failed {time.monotonic()}\n")
            raise fusepy.FuseOSError(errno.EDQUOT)
        first, end = self._range("spoil-write")
        spoilt = slice(max(first - offset, 0), max(end - offset, 0))
        stored = bytearray(data)
        stored[spoilt] = bytes(byte ^ 255 for byte in stored[spoilt])
        return os.pwrite(self.fd, stored, offset)

    def truncate(self, path, length, fh=None):
        os.ftruncate(self.fd, length)

    def fsync(self, path, datasync, fh):
        self.calls.write("sync\n")
        self._wait_while("block-sync")
        if (self.control / "fail-sync").exists():
            raise fusepy.FuseOSError(errno.EIO)
        os.fsync(self.fd)
        self.calls.write("sync-done\n")
        return 0


if __name__ == "__main__":
    mount_point, backing, control = sys.argv[1:]
    fusepy.FUSE(Disk(backing, control), mount_point, foreground=True, nothreads=False)
