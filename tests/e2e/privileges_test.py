#!/usr/bin/python3
"""The privileges of a process that uses the network: only those it needs once the target is open."""

import contextlib
import os
import pathlib
import socket
import unittest

from harness import ON_LOOPBACK, UNTOUCHED, free_port, main, make_file, needs_loop_devices, wait_until
from image_case import ImageCase

SIZE = 64 << 20
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_NET_BIND_SERVICE = 1, 2, 10
NOBODY = 65534


def threads_of(process):
    """What /proc says of each thread's credentials."""
    found = []
    for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        found.append(dict(line.split(":\t", 1) for line in lines if ":\t" in line))
    return found


def capabilities(names):
    return sum(1 << name for name in names)


class SilentServer:
    """Takes connections, and says nothing."""

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._connections = []
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        return self

    def accepted(self):
        with contextlib.suppress(BlockingIOError):
            self._connections.append(self._listener.accept()[0])
        return bool(self._connections)

    def __exit__(self, *_):
        for each in [self._listener, *self._connections]:
            each.close()


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class Privileges(ImageCase):
    def setUp(self):
        super().setUp()
        os.truncate(self.source, SIZE)
        for secret in (self.torrent, self.source):
            secret.chmod(0o600)

    def assert_powers(self, process, *kept):
        for thread in threads_of(process):
            self.assertEqual(thread["NoNewPrivs"], "1", thread["Name"])
            for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                self.assertEqual(int(thread[kind], 16) & ~capabilities(kept), 0, f"{thread['Name']}: {kind}")

    def assert_is_nobody(self, process):
        for thread in threads_of(process):
            self.assertEqual(set(thread["Uid"].split()), {str(NOBODY)}, thread["Name"])
            self.assertEqual(set(thread["Gid"].split()), {str(NOBODY)}, thread["Name"])
            self.assertEqual(thread["Groups"].split(), [], thread["Name"])

    def test_root_keeps_no_capabilities(self):
        seeder, peer = self.start_listening("seed", self.torrent, self.source)
        self.assertGreater(len(threads_of(seeder)), 3)
        self.assert_powers(seeder)
        fetcher = self.fetch(self.torrent, self.dir / "target.img", "--peer", peer)
        self.assert_clean(fetcher)

    def test_a_low_port_can_still_be_listened_on(self):
        port = next(port for port in range(900, 1000) if not self.is_taken(port))
        seeder = self.start("seed", self.torrent, self.source, "--json", *ON_LOOPBACK, "--user", "nobody",
                            "--listen", f"127.0.0.1:{port}")
        seeder.wait_for_event("start")
        self.assert_powers(seeder, CAP_NET_BIND_SERVICE)
        self.assert_is_nobody(seeder)
        self.fetch(self.torrent, self.dir / "target.img", "--peer", f"127.0.0.1:{port}")

    def is_taken(self, port):
        return f":{port:04X} " in pathlib.Path("/proc/net/tcp").read_text()

    def test_a_file_of_root_is_written_and_verified_as_nobody(self):
        target = make_file(self.dir / "target.img", SIZE, fill=UNTOUCHED)
        target.chmod(0o600)
        with self.seeding(self.torrent, self.source, "--user", "nobody") as peer:
            self.fetch(self.torrent, target, "--peer", peer, "--user", "nobody", "--verify")
        self.assert_has_the_image(target)

    @needs_loop_devices
    def test_a_device_is_written_and_verified_as_nobody(self):
        device = self.loop_device("disk", SIZE, fill=UNTOUCHED)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher, _ = self.start_listening("fetch", self.torrent, device.path, "--user", "nobody", "--verify",
                                              "--max-download", "8M", "--peer", peer)
            fetcher.wait_for_event("start")
            self.assert_is_nobody(fetcher)
            self.assert_powers(fetcher)
            self.assert_complete(fetcher)
        self.assert_has_the_image(device.backing)

    @needs_loop_devices
    def test_a_device_is_discarded_and_then_resumed_as_nobody(self):
        device = self.loop_device("disk", SIZE, fill=UNTOUCHED)
        with self.seeding(self.torrent, self.source) as peer:
            self.fetch(self.torrent, device.path, "--user", "nobody", "--discard", "--peer", peer)
        self.assert_has_the_image(device.backing)
        last = max(extent.end for extent in self.image.extents)
        with open(device.backing, "rb") as file:
            file.seek(-(-last // 4096) * 4096)
            after = file.read()
        self.assertEqual(after, bytes(len(after)))
        resumed = self.fetch(self.torrent, device.path, "--user", "nobody", "--resume")
        (summary,) = resumed.events_named("summary")
        self.assertEqual((summary["received_bytes"], summary["written_bytes"]), (0, 0), resumed)

    def test_a_file_of_root_is_resumed_as_nobody(self):
        target = self.image.write_to(make_file(self.dir / "target.img", SIZE))
        target.chmod(0o600)
        extent = max(self.image.extents, key=lambda extent: extent.length)
        with open(target, "r+b") as file:
            file.seek(extent.offset + extent.length // 2)
            file.write(UNTOUCHED * 512)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher = self.fetch(self.torrent, target, "--user", "nobody", "--resume", "--peer", peer)
        (summary,) = fetcher.events_named("summary")
        self.assertGreater(summary["written_bytes"], 0, fetcher)
        self.assertGreater(summary["skipped_bytes"], len(self.image.payload) // 2, fetcher)
        self.assert_has_the_image(target)

    def test_root_still_opens_the_files_of_a_directory(self):
        directory = self.dir / "images"
        directory.mkdir()
        os.chown(directory, NOBODY, NOBODY)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher, _ = self.start_listening("fetch", self.torrent, directory, "--peer", peer, "--max-download", "8M")
            fetcher.wait_for_event("start")
            self.assert_powers(fetcher, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH)
            self.assert_complete(fetcher)

    def assert_gives_up_before(self, torrent, *options):
        """Nobody answers: the process is looked at while it waits."""
        target = make_file(self.dir / "target.img", SIZE)
        target.chmod(0o600)
        fetcher = self.start("fetch", torrent, target, "--json", *ON_LOOPBACK, "--user", "nobody", *options)
        wait_until(lambda: not fetcher.is_running() or self.server.accepted(), fetcher)
        self.assertTrue(fetcher.is_running(), fetcher)
        self.assert_powers(fetcher)
        self.assert_is_nobody(fetcher)

    def test_they_are_given_up_before_a_torrent_is_downloaded(self):
        self.server = self.enterContext(SilentServer())
        self.assert_gives_up_before(f"http://{self.server.address}/sda1.torrent")

    def test_they_are_given_up_before_a_magnet_link_is_followed(self):
        self.server = self.enterContext(SilentServer())
        self.assert_gives_up_before(f"magnet:?xt=urn:btih:{'0123456789' * 4}", "--peer", self.server.address)

    def test_a_target_is_refused_before_the_torrent_is_asked_for(self):
        self.server = self.enterContext(SilentServer())
        for torrent in f"http://{self.server.address}/sda1.torrent", f"magnet:?xt=urn:btih:{'0123456789' * 4}":
            self.ends_with(4, "fetch", torrent, "/dev/null", *ON_LOOPBACK, "--peer", self.server.address)
        self.assertFalse(self.server.accepted())

    def test_a_new_file_is_gone_when_its_torrent_does_not_come(self):
        with SilentServer() as server:
            url = f"http://{server.address}/sda1.torrent"
            self.ends_with(7, "fetch", url, self.dir / "new.img", *ON_LOOPBACK, "--timeout", "500ms")
        self.ends_with(6, "fetch", url, self.dir / "new.img", *ON_LOOPBACK)
        self.assertFalse((self.dir / "new.img").exists())

    def test_nobody_does_not_and_that_is_said_at_once(self):
        fetcher = self.ends_with(2, "fetch", self.torrent, self.dir, "--user", "nobody", *ON_LOOPBACK)
        self.assertIn("is a directory", fetcher.stderr)

    def test_a_user_that_is_not_there_is_a_usage_error(self):
        fetcher = self.ends_with(2, "fetch", self.torrent, self.dir / "new.img", "--user", "no-such-user", *ON_LOOPBACK)
        self.assertIn("there is no such user", fetcher.stderr)
        self.assertFalse((self.dir / "new.img").exists())

    def test_only_root_can_become_another_user(self):
        self.torrent.chmod(0o644)
        as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        fetcher = self.ends_with(2, "fetch", self.torrent, "/nowhere/new.img", "--user", "root", *ON_LOOPBACK,
                                 wrapper=as_nobody)
        self.assertIn("only root can become another user", fetcher.stderr)


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class Descriptors(ImageCase):
    def limits_of(self, process):
        return pathlib.Path(f"/proc/{process.pid}/limits").read_text()

    def test_the_limit_is_raised_to_what_so_many_peers_need(self):
        seeder = self.start("seed", self.torrent, self.source, "--json", *ON_LOOPBACK, "--max-peers", "2000",
                            "--listen", f"127.0.0.1:{free_port()}", wrapper=["prlimit", "--nofile=256:20000"])
        seeder.wait_for_event("start")
        self.assertRegex(self.limits_of(seeder), r"Max open files\s+[67]\d{3}\s")

    def test_a_limit_that_cannot_be_raised_is_refused_with_numbers(self):
        wrapper = ["prlimit", "--nofile=256:256", "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        seeder = self.ends_with(2, "seed", self.torrent, self.source, *ON_LOOPBACK, "--max-peers", "2000", wrapper=wrapper)
        self.assertRegex(seeder.stderr, r"--max-peers 2000: that needs \d+ file descriptors, 256 are allowed")


if __name__ == "__main__":
    main()
