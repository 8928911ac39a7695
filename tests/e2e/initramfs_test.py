#!/usr/bin/python3
"""The manual's initramfs, of busybox and the program that is one file: a machine boots it, and has the image on its disk."""

import functools
import http.server
import os
import pathlib
import re
import shutil
import subprocess
import textwrap
import unittest

from harness import REPOSITORY, binary, main, make_file, missing_tools, run
from http_server import QuietHandler, Served
from image_case import ImageCase

KERNEL = os.environ.get("EZIO_TEST_KERNEL")  # a Debian package linux-image-*, unpacked; tests/static gets one
MODULES = "virtio*", "failover*", "net_failover*"
MOST_SECONDS = 300  # a processor that is emulated; five where nothing else runs
HOST = "10.0.2.2"  # what the machine calls the host's 127.0.0.1


def init_of_the_manual():
    """The display in the manual that begins like a script of busybox."""
    manual = re.sub(".\b", "", run("mandoc", "-T", "utf8", REPOSITORY / "man/ezio-cli.8"))
    return textwrap.dedent(re.search(r"\n +#!/bin/busybox sh\n.*?\n +poweroff -f\n", manual, re.DOTALL)[0]).lstrip()


@unittest.skipIf("INTERP" in run("readelf", "--program-headers", binary()), "needs a static build: tests/static")
@unittest.skipIf(KERNEL is None, "needs a kernel: tests/static")
@unittest.skipIf(missing_tools("qemu-system-x86_64", "busybox", "cpio", "mandoc"), "needs qemu, busybox-static, cpio, mandoc")
class Initramfs(ImageCase):
    def setUp(self):
        super().setUp()
        self.disk = make_file(self.dir / "disk.img", self.source.stat().st_size)
        self.initramfs = self.make_initramfs()
        handler = functools.partial(FilesOf, directory=self.dir)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.enterContext(Served(server))
        self.url = f"http://{HOST}:{server.server_port}/{self.torrent.name}"

    def make_initramfs(self):
        root = self.dir / "root"
        for name in "bin", "dev", "etc", "proc", "sys":
            (root / name).mkdir(parents=True)
        shutil.copy(shutil.which("busybox"), root / "bin/busybox")
        shutil.copy(binary(), root / "bin/ezio-cli")
        (root / "init").write_text(init_of_the_manual())
        (root / "init").chmod(0o755)
        self.copy_modules(root)
        initramfs = self.dir / "initramfs"
        run("sh", "-c", f"cd {root} && find . | cpio --create --format=newc --quiet | gzip -1 > {initramfs}")
        return initramfs

    def copy_modules(self, root):
        (modules,) = pathlib.Path(KERNEL).glob("lib/modules/*")
        to = root / "lib/modules" / modules.name
        to.mkdir(parents=True)
        for pattern in MODULES:
            for module in (modules / "kernel").rglob(f"{pattern}.ko*"):
                shutil.copy(module, to)
        run("busybox", "depmod", "-b", root, modules.name)

    def boot(self, peer):
        """Returns what the machine printed until it was switched off."""
        (kernel,) = pathlib.Path(KERNEL).glob("boot/vmlinuz-*")
        line = f"console=ttyS0 quiet panic=-1 torrent={self.url} disk=/dev/vda peer={peer.replace('127.0.0.1', HOST)}"
        qemu = ["qemu-system-x86_64", "-accel", "tcg", "-m", "256", "-display", "none", "-serial", "stdio", "-no-reboot",
                "-kernel", kernel, "-initrd", self.initramfs, "-append", line,
                "-drive", f"file={self.disk},format=raw,if=virtio", "-nic", "user,model=virtio-net-pci"]
        # Not with KVM: in a virtual machine there may be one that hangs.
        return subprocess.run(qemu, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=MOST_SECONDS, start_new_session=True).stdout

    def test_the_disk_has_the_image_and_the_status_is_said(self):
        with self.seeding(self.torrent, self.source) as peer:
            console = self.boot(peer)
        self.assertIn("ezio-cli ended with 0", console)
        self.assert_has_the_image(self.disk)

    def test_a_disk_that_is_too_small_is_refused(self):
        os.truncate(self.disk, 1 << 20)
        console = self.boot("127.0.0.1:1")
        self.assertRegex(console, r"/dev/vda is 1\.0 MiB .*\s+ezio-cli ended with 4")
        self.assertFalse(any(self.disk.read_bytes()))


class FilesOf(QuietHandler, http.server.SimpleHTTPRequestHandler):
    pass


if __name__ == "__main__":
    main()
