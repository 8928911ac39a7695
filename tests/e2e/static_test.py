#!/usr/bin/python3
"""The program that is one file (the preset static): in an empty root it deploys an image, and loads nothing."""

import os
import pathlib
import shutil
import socket
import socketserver
import stat
import unittest

from certificates import Authority
from harness import EndToEndTest, Mount, binary, isolate, main, missing_tools, needs_loop_devices, run
from http_server import Served
from images import random_bytes

SIZE = 24 << 20
ADDRESS, MISSING = b"\0\1", 3  # DNS: the type A; NXDOMAIN


class NameServer(Served):
    """A DNS server at 127.0.0.1 that knows one name, which is that address. `asked` has the names it was asked for."""

    def __init__(self, name):
        self.asked = set()
        self._name = name
        super().__init__(socketserver.UDPServer(("127.0.0.1", 53), self._serve))

    def _serve(self, request, client, _):
        query, connection = request
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        name, question = ".".join(labels), query[12:at + 5]
        self.asked.add(name)
        found = name == self._name and query[at + 1:at + 3] == ADDRESS
        record = b"\xc0\x0c" + question[-4:] + b"\0\0\0\x3c\0\4" + socket.inet_aton("127.0.0.1")
        code = 0 if name == self._name else MISSING
        head = query[:2] + bytes([0x85, 0x80 | code]) + b"\0\1" + bytes([0, found]) + b"\0\0\0\0"
        connection.sendto(head + question + (record if found else b""), client)


@needs_loop_devices
@unittest.skipIf("INTERP" in run("readelf", "--program-headers", binary()), "needs a static build: tests/static")
class EmptyRoot(EndToEndTest):
    """A root with /ezio-cli, /dev and /proc in it, and two disks in /dev."""

    def setUp(self):
        super().setUp()
        self.root = self.enterContext(Mount("tmpfs", self.dir / "root", "--types", "tmpfs"))
        shutil.copy(binary(), self.root / "ezio-cli")
        self.enterContext(Mount("proc", self.root / "proc", "--types", "proc"))
        (self.root / "dev").mkdir()
        self.make_node("/dev/null")
        self.source, self.target = self.disk("source"), self.disk("target")
        pathlib.Path(self.source).write_bytes(random_bytes(1, SIZE))
        self.inside = {"program": "/ezio-cli", "wrapper": ["chroot", self.root]}

    def make_node(self, path):
        status = os.stat(path)
        os.mknod(f"{self.root}{path}", stat.S_IFMT(status.st_mode) | 0o600, status.st_rdev)

    def disk(self, name):
        device = self.loop_device(name, SIZE)
        self.make_node(device.path)
        return device.path

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def run_inside(self, *arguments, status=0):
        return self.ends_with(status, *arguments, **self.inside)

    def assert_nothing_is_loaded(self, ezio):
        maps = [line.split() for line in pathlib.Path(f"/proc/{ezio.pid}/maps").read_text().splitlines()]
        files = {words[5] for words in maps if len(words) > 5 and words[5].startswith("/")}
        self.assertEqual(files, {f"{self.root}/ezio-cli"})

    def deploy(self, torrent, master="127.0.0.1", seeding=(), fetching=()):
        """From one disk to the other; both ends in the root."""
        seeder, address = self.start_listening("seed", torrent, self.source, *seeding, **self.inside)
        fetcher, _ = self.start_listening("fetch", torrent, self.target, "--seed-time", "1s", *fetching, "--peer",
                                          address.replace("127.0.0.1", master), **self.inside)
        fetcher.wait_for_event("complete")
        self.assert_nothing_is_loaded(fetcher)
        self.assert_nothing_is_loaded(seeder)
        self.assert_complete(fetcher)
        run("cmp", self.source, self.target)

    def create_and_deploy(self, **options):
        self.run_inside("create", self.source, "--all", "-o", "/image.torrent")
        self.deploy("/image.torrent", **options)


class Commands(EmptyRoot):
    def test_all_of_them_without_sys(self):
        self.create_and_deploy()
        self.run_inside("verify", "/image.torrent", self.target)
        self.assertIn("24.0 MiB", self.run_inside("info", "/image.torrent").stdout)

    def test_all_of_them_with_sys(self):
        self.enterContext(Mount("sysfs", self.root / "sys", "--types", "sysfs"))
        self.test_all_of_them_without_sys()

    def test_it_says_what_is_in_it(self):
        version = self.run_inside("--version").stdout
        for library in "libtorrent 2", "OpenSSL 3", "libblkid 2", "liblz4 1", "libzstd 1", "libc6 2":
            self.assertIn(library, version)

    def test_it_says_which_programs_it_misses(self):
        run("mkfs.ext4", "-q", "-F", self.source)
        for program, arguments in {"partclone": ["create", self.source, "-o", "/image.torrent"],
                                   "curl": ["fetch", "http://127.0.0.1/image.torrent", self.target]}.items():
            ezio = self.run_inside(*arguments, status=4 if program == "partclone" else 3)
            self.assertIn(program, ezio.stderr, ezio)
            self.assertEqual(len(ezio.stderr.splitlines()), 1, ezio)

    def test_a_user_of_the_root(self):
        self.write("etc/passwd", "root:x:0:0::/:/\nimage:x:1234:1234::/:/\n")
        self.create_and_deploy(seeding=["--user", "image"], fetching=["--user", "image"])


class Names(EmptyRoot):
    def setUp(self):
        super().setUp()
        # What other systems have there, and would have loaded.
        self.write("etc/nsswitch.conf", "hosts: mymachines resolve [!UNAVAIL=return] myhostname\npasswd: sss\n")

    def test_from_etc_hosts(self):
        self.write("etc/hosts", "127.0.0.1 master\n")
        self.create_and_deploy(master="master")

    @unittest.skipUnless(isolate(), "needs a network of its own")
    def test_from_a_name_server(self):
        self.write("etc/resolv.conf", "nameserver 127.0.0.1\n")
        with NameServer("master.lab") as server:
            self.create_and_deploy(master="master.lab")
        self.assertIn("master.lab", server.asked)


@unittest.skipIf(missing_tools("openssl"), "needs openssl")
class PrivateImages(EmptyRoot):
    def test_with_certificates_and_whatever_openssl_is_told_there(self):
        self.write("usr/lib/ssl/openssl.cnf", "openssl_conf = missing\n.include /missing\n")
        ca = Authority(self.dir, "ca")
        self.run_inside("create", self.source, "--all", "--ssl-ca", self.move_in(ca.certificate), "-o", "/private.torrent")
        seeding, fetching = ([self.move_in(word) for word in ca.issue(host)] for host in ("server", "client"))
        self.deploy("/private.torrent", seeding=seeding, fetching=fetching)

    def move_in(self, word):
        """A file is copied into the root; an option stays as it is."""
        return f"/{pathlib.Path(shutil.copy(word, self.root)).name}" if isinstance(word, pathlib.Path) else word


if __name__ == "__main__":
    main()
