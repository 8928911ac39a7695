#!/usr/bin/python3
"""How an incomplete fetch ends: signals, stalls, time limits and failing targets. Never with success."""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
import unittest

from harness import (ON_LOOPBACK, UNTOUCHED, LoopDevice, Mount, binary, free_port, is_listening, main, make_file,
                     missing_tools, needs_loop_devices, run, wait_until)
from image_case import ImageCase

MIB = 1 << 20
SIZE = 64 * MIB
F_SETPIPE_SZ = 1031  # fcntl has it since Python 3.10


class Signals(ImageCase):
    def check_stop(self, number, fetcher, address):
        """Gone within 3 s, with its port and without a file that nobody asked for. Returns its last words."""
        fetcher.signal(number)
        last_words = self.assert_failed(fetcher, 128 + number, seconds=3)
        self.assertFalse(is_listening(int(address.split(":")[1])))
        self.assertLessEqual(set(os.listdir(self.dir)), {"sda1.torrent", "source.img", "target.img", "disk"})
        return last_words

    def check_stop_of_a_fetch_without_peers(self, number):
        fetcher, address = self.start_listening("fetch", self.torrent, self.dir / "target.img")
        self.check_stop(number, fetcher, address)

    def check_stop_half_way(self, number):
        target = self.dir / "target.img"
        with self.seeding(self.torrent, self.source) as peer:
            fetcher, address = self.start_listening("fetch", self.torrent, target, "--peer", peer, "--max-download", "2M",
                                                    "--interval", "100ms")
            wait_until(lambda: any(event["done_bytes"] for event in fetcher.events_named("progress")), fetcher)
            self.assertIn("not complete, --resume continues", self.check_stop(number, fetcher, address))

    def test_sigint_stops_a_fetch_without_peers(self):
        self.check_stop_of_a_fetch_without_peers(signal.SIGINT)

    def test_sigterm_stops_a_fetch_without_peers(self):
        self.check_stop_of_a_fetch_without_peers(signal.SIGTERM)

    def test_sigint_stops_a_fetch_half_way(self):
        self.check_stop_half_way(signal.SIGINT)

    def test_sigterm_stops_a_fetch_half_way(self):
        self.check_stop_half_way(signal.SIGTERM)

    def full_pipe(self):
        """The end for writing, of a pipe that takes nothing more and that nobody reads."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x")
        os.set_blocking(writer, True)
        return writer

    def test_sigterm_is_answered_when_nobody_reads_what_is_printed(self):
        port = free_port()
        fetcher = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", binary(), "fetch", self.torrent, self.dir / "target.img",
                                    *ON_LOOPBACK, "--listen", f"127.0.0.1:{port}"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.full_pipe())
        self.addCleanup(fetcher.kill)
        wait_until(lambda: is_listening(port) or fetcher.poll() is not None, "the fetch to listen")
        fetcher.send_signal(signal.SIGTERM)
        self.assertEqual(fetcher.wait(8), 128 + signal.SIGTERM)

    def start_for_nobody(self, target, *options, **streams):
        """Its standard output or error is a pipe that is full and that nobody reads."""
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **streams}
        fetcher = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", binary(), "fetch", self.torrent, self.dir / target,
                                    *ON_LOOPBACK, "--listen", f"127.0.0.1:{free_port()}", *options],
                                   stdin=subprocess.DEVNULL, **streams)
        self.addCleanup(fetcher.kill)
        return fetcher

    def test_a_time_limit_holds_when_nobody_reads_what_is_printed(self):
        begun = time.monotonic()
        fetchers = [self.start_for_nobody("one.img", "--timeout", "2s", stderr=self.full_pipe()),
                    self.start_for_nobody("other.img", "--timeout", "2s", "--json", "--interval", "0", stdout=self.full_pipe())]
        for fetcher in fetchers:
            self.assertEqual(fetcher.wait(30), 7)
        self.assertLess(time.monotonic() - begun, 20)

    def test_a_fetch_completes_when_nobody_reads_what_is_printed(self):
        with self.seeding(self.torrent, self.source) as peer:
            fetcher = self.start_for_nobody("target.img", "--peer", peer, "--seed-time", "0", "--json", stdout=self.full_pipe())
            self.assertEqual(fetcher.wait(30), 0)
        self.assert_has_the_image(self.dir / "target.img")

    def test_a_torrent_is_made_when_nobody_reads_what_is_printed(self):
        for options in (), ("--json",):
            torrent = self.dir / f"new{len(options)}.torrent"
            create = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", binary(), "create", self.source, "--all", "-o", torrent,
                                       *options], stdin=subprocess.DEVNULL, stdout=self.full_pipe(), stderr=subprocess.DEVNULL)
            self.addCleanup(create.kill)
            self.assertEqual(create.wait(30), 0)
            self.ends_with(0, "verify", torrent, self.source)

    def test_the_same_signal_twice_in_a_moment_as_timeout_sends_it_is_one_orderly_stop(self):
        fetcher, _ = self.start_listening("fetch", self.torrent, self.dir / "target.img")
        fetcher.signal(signal.SIGTERM)
        fetcher.signal(signal.SIGTERM)
        self.assertEqual(fetcher.wait(8), 128 + signal.SIGTERM, fetcher)
        self.assertEqual(fetcher.events[-1]["event"], "error", fetcher)
        self.assertIn("stopped by SIGTERM", fetcher.stderr)

    @needs_loop_devices
    def test_a_stopped_fetch_lets_go_of_the_device(self):
        device = self.loop_device("disk", SIZE, fill=UNTOUCHED)
        fetcher, address = self.start_listening("fetch", self.torrent, device.path)
        with self.assertRaises(OSError, msg="the fetch does not hold the device"):
            os.close(os.open(device.path, os.O_RDWR | os.O_EXCL))
        self.check_stop(signal.SIGTERM, fetcher, address)
        os.close(os.open(device.path, os.O_RDWR | os.O_EXCL))

    def test_sigterm_stops_a_seeder(self):
        seeder, address = self.start_listening("seed", self.torrent, self.source)
        self.assertIn("it has sent 0 B, and 0 clients are complete", self.check_stop(signal.SIGTERM, seeder, address))

    def test_a_seeder_that_is_stopped_at_once_knows_who_has_completed(self):
        for _ in range(3):  # it looks at its peers once a second: at some moment of it this comes
            seeder, address = self.start_listening("seed", self.torrent, self.source)
            self.fetch(self.torrent, self.dir / "target.img", "--peer", address, "--seed-time", "0")
            self.assertIn("and 1 client is complete", self.check_stop(signal.SIGTERM, seeder, address))


@unittest.skipIf(os.geteuid() != 0 or missing_tools("setpriv", "prlimit"), "needs root and util-linux")
class TooFewThreads(ImageCase):
    """As in a container with a pids limit: a thread that cannot be made is an error with its status, not an abort."""

    def test_a_limit_of_threads_is_an_error_or_enough(self):
        user = str(2_000_000 + os.getpid())  # who has no other thread
        program = self.dir / "ezio-cli"
        shutil.copy(binary(), program)
        self.dir.chmod(0o777)
        statuses = {}
        for limit in range(1, 8):
            wrapper = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--bounding-set=-all",
                       "prlimit", f"--nproc={limit}"]
            here = [*ON_LOOPBACK, "--listen", f"127.0.0.1:{free_port()}"]
            for command in (["seed", self.torrent, self.source, "--seed-time", "100ms", *here],
                            ["fetch", self.torrent, self.dir / "target.img", "--timeout", "1s", *here],
                            ["verify", self.torrent, self.source]):
                ezio = self.start(*command, wrapper=wrapper, program=program)
                status = statuses[command[0], limit] = ezio.wait(20)
                if status == 1:
                    self.assertIn("no further thread can be started", ezio.stderr)
                else:
                    self.assertEqual(status, 7 if command[0] == "fetch" else 0, ezio)
        self.assertEqual({statuses[command, 1] for command in ("seed", "fetch", "verify")}, {1})
        self.assertEqual(statuses["verify", 7], 0)


class TimeLimits(ImageCase):
    def check_limit(self, option, seconds):
        start = time.monotonic()
        fetcher, _ = self.start_listening("fetch", self.torrent, self.dir / "target.img", option, f"{seconds}s")
        message = self.assert_failed(fetcher, 7, seconds=seconds + 10)
        self.assertGreaterEqual(time.monotonic() - start, seconds)
        self.assertRegex(message, "(?i)wait|peer")

    def test_a_stall_ends_it_and_it_says_what_it_waited_for(self):
        self.check_limit("--stall-timeout", 2)

    def test_a_time_limit_ends_it_and_it_says_what_it_waited_for(self):
        self.check_limit("--timeout", 2)

    def fetch_onto_frozen_file_system(self, *options, size=0):
        """What a fetch with a time limit says; its target has `size` bytes before, or is to be made."""
        device = self.loop_device("disk", 2 * SIZE)
        run("mkfs.ext4", "-q", "-F", device.path)
        mounted = self.enterContext(Mount(device.path, self.dir / "mounted"))
        target = mounted / "target.img"
        if size:
            make_file(target, size)
        run("fsfreeze", "--freeze", mounted)
        try:
            fetcher = self.start("fetch", self.torrent, target, *ON_LOOPBACK, "--timeout", "2s", *options)
            wait_until(lambda: "not complete after 2" in fetcher.stderr or not fetcher.is_running(), fetcher)
        finally:
            run("fsfreeze", "--unfreeze", mounted)  # before that the kernel lets no process go
        self.assertEqual(fetcher.wait(), 7, fetcher)
        return fetcher.stderr

    @needs_loop_devices
    def test_a_file_system_that_does_not_answer_when_the_target_is_opened(self):
        self.assertIn("target.img does not answer", self.fetch_onto_frozen_file_system())

    @needs_loop_devices
    def test_a_file_system_that_does_not_answer_when_blocks_are_discarded(self):
        self.assertIn("target.img was still discarding", self.fetch_onto_frozen_file_system("--discard", size=SIZE))

    def has_really_stalled(self, fetcher, seconds):
        """Whether nothing moved for so long before the end, as its own reports have it."""
        reports = fetcher.events_named("progress")
        moved = [report["seconds"] for before, report in zip(reports, reports[1:])
                 if (report["received_bytes"], report["done_bytes"]) != (before["received_bytes"], before["done_bytes"])]
        return reports[-1]["seconds"] - (moved[-1] if moved else 0) > 0.8 * seconds

    def test_a_transfer_that_moves_is_not_a_stall(self):
        """On a machine that is so busy that it does not move it is one, and then a longer one is tried."""
        for limit in 2, 5, 12:
            rate = len(self.image.payload) // (2 * limit)
            with self.seeding(self.torrent, self.source) as peer:
                fetcher, _ = self.start_listening("fetch", self.torrent, self.dir / f"{limit}.img", "--peer", peer, "--interval", "200ms",
                                                  "--max-download", rate, "--seed-time", 0, "--stall-timeout", f"{limit}s")
                if fetcher.wait() == 0:
                    self.assert_complete(fetcher)
                    self.assertGreater(fetcher.events_named("complete")[0]["seconds"], limit, "this proves nothing")
                    return
            self.assert_failed(fetcher, 7, seconds=1)
            self.assertTrue(self.has_really_stalled(fetcher, limit), fetcher)
        self.fail("this machine is too busy for any transfer")

    def test_a_transfer_that_moves_still_has_a_time_limit(self):
        with self.seeding(self.torrent, self.source) as peer:
            fetcher, _ = self.start_listening("fetch", self.torrent, self.dir / "target.img", "--peer", peer,
                                              "--max-download", "2M", "--timeout", "2s")
            self.assert_failed(fetcher, 7, seconds=12)

    def test_a_seeder_leaves_after_its_seed_time(self):
        seeder, _ = self.start_listening("seed", self.torrent, self.source, "--seed-time", "1s")
        self.assertEqual(seeder.wait(10), 0, seeder)


class FailingMachine(ImageCase):
    def test_a_machine_that_gives_no_descriptors_is_an_internal_error(self):
        info = self.start("info", self.torrent, wrapper=["prlimit", "--nofile=4"])
        self.assertEqual(info.wait(10), 1, info)


class FailingTargets(ImageCase):
    def assert_io_error(self, fetcher, path):
        """Ends with status 5 and a message that names the path, at most 5 s after the error; returns the message."""
        wait_until(lambda: not fetcher.is_running() or
                   any(event["received_bytes"] for event in fetcher.events_named("progress")), fetcher)
        message = self.assert_failed(fetcher, 5, seconds=5)  # the error cannot have come before the first byte
        self.assertIn(str(path), message)
        return message

    def small_tmpfs(self):
        return self.enterContext(Mount("tmpfs", self.dir / "small", "-t", "tmpfs", "-o", "size=8M"))

    def test_a_file_that_may_not_grow_is_an_error_with_its_offset(self):
        target = make_file(self.dir / "target.img", SIZE)
        with self.seeding(self.torrent, self.source) as peer:
            # setrlimit by prlimit(1): the write fails with EFBIG, and SIGXFSZ comes with it.
            fetcher = self.start("fetch", self.torrent, target, "--json", *ON_LOOPBACK, "--peer", peer,
                                 "--listen", f"127.0.0.1:{free_port()}", wrapper=["prlimit", f"--fsize={8 * MIB}"])
            message = self.assert_io_error(fetcher, target)
        self.assertIn("File too large", message)
        self.assertRegex(message.replace(str(target), ""), r"\d{4,}|\d ?[KM]i?B|0x[0-9a-f]+")

    @needs_loop_devices
    def test_a_file_system_that_is_too_full_is_refused_and_no_file_made(self):
        target = self.small_tmpfs() / "target.img"
        fetcher = self.start("fetch", self.torrent, target, "--json", *ON_LOOPBACK)
        self.assert_failed(fetcher, 4, seconds=12)
        self.assertFalse(target.exists())

    @needs_loop_devices
    def test_a_file_system_that_fills_up_meanwhile_is_an_error(self):
        files = self.enterContext(Mount("tmpfs", self.dir / "small", "-t", "tmpfs", "-o", "size=64M"))
        target, port = files / "target.img", free_port()
        fetcher, _ = self.start_listening("fetch", self.torrent, target, "--peer", f"127.0.0.1:{port}")
        make_file(files / "other", 56 * MIB, fill=b"x")
        self.start("seed", self.torrent, self.source, *ON_LOOPBACK, "--listen", f"127.0.0.1:{port}")
        message = self.assert_io_error(fetcher, target)
        self.assertIn("No space left on device", message)

    @needs_loop_devices
    def test_a_device_that_loses_writes_is_an_error(self):
        """The writes go to the page cache and succeed; only the sync shows that they never reached the disk."""
        device = self.enterContext(LoopDevice(self.small_tmpfs() / "disk", SIZE))
        with self.seeding(self.torrent, self.source) as peer:
            fetcher, _ = self.start_listening("fetch", self.torrent, device.path, "--peer", peer)
            message = self.assert_io_error(fetcher, device.path)
        self.assertRegex(message, "Input/output error|No space left on device")


if __name__ == "__main__":
    main()
