#!/usr/bin/python3
"""Disks that hang: a message names them in time. With FUSE."""

import signal
import time

from fuse_case import ToFuseDisk
from harness import main, needs_fuse, wait_until
from image_case import ImageCase


@needs_fuse
class HangingDisks(ToFuseDisk):
    """A write, or the sync, does not return: what is waited for is said in time."""

    def hanging(self, call, *options):
        self.disk.block(call)
        fetcher = self.fetching(*options)
        wait_until(lambda: not fetcher.is_running() or any(line.startswith(call) for line in self.disk.calls()), fetcher)
        return fetcher

    def assert_says_in_time(self, call, fetcher, status, seconds):
        """The error is reported while the disk hangs. The kernel lets no process end whose write is with a FUSE server."""
        fetcher.wait_for_event("error", seconds)
        self.disk.unblock(call)
        return self.assert_failed(fetcher, status, seconds=10)

    def assert_names_the_disk(self, message):
        self.assertIn(f"; {self.disk.path} does not answer: the process ends when the kernel gives its request back", message)

    def check_signal(self, call, number):
        fetcher = self.hanging(call)
        fetcher.signal(number)
        self.assert_names_the_disk(self.assert_says_in_time(call, fetcher, 128 + number, seconds=10))

    def check_limit(self, call, *options):
        fetcher = self.hanging(call, *options)
        message = self.assert_says_in_time(call, fetcher, 7, seconds=20)
        self.assertIn(f"the target {self.disk.path} does not finish ", message)
        self.assert_names_the_disk(message)

    def test_sigint_is_answered_when_a_write_hangs(self):
        self.check_signal("write", signal.SIGINT)

    def test_sigterm_is_answered_when_the_sync_hangs(self):
        self.check_signal("sync", signal.SIGTERM)

    def test_a_second_sigint_does_not_wait_for_the_disk_and_says_what_may(self):
        fetcher = self.hanging("write")
        fetcher.signal(signal.SIGINT)
        time.sleep(0.6)  # or it is taken for the same one
        fetcher.signal(signal.SIGINT)
        sentence = f"ezio-cli: leaving at once; if not, {self.disk.path} does not answer: the process ends when the kernel gives its request back"
        wait_until(lambda: sentence in fetcher.stderr, fetcher, seconds=2)
        self.disk.unblock("write")
        self.assertEqual(fetcher.wait(10), 130, fetcher)

    def test_a_verify_of_a_disk_that_hangs_can_be_interrupted(self):
        self.disk.block("read")
        verify = self.start("verify", self.torrent, self.disk.path)
        wait_until(lambda: any(line.startswith("read") for line in self.disk.calls()), verify)
        verify.signal(signal.SIGINT)
        sentence = f"ezio-cli: {self.disk.path} does not answer: the process ends when the kernel gives its request back"
        wait_until(lambda: sentence in verify.stderr, verify, seconds=10)
        self.disk.unblock("read")
        self.assertEqual(verify.wait(10), 130, verify)

    def test_a_stall_names_the_target_when_a_write_hangs(self):
        self.check_limit("write", "--stall-timeout", "3s")

    def test_a_stall_names_the_target_when_the_sync_hangs(self):
        self.check_limit("sync", "--stall-timeout", "3s")

    def test_a_time_limit_names_the_target_when_a_write_hangs(self):
        self.check_limit("write", "--timeout", "6s")  # it is still moving until the memory is full

    def test_a_disk_that_hangs_for_a_while_is_waited_for(self):
        fetcher = self.hanging("write")
        time.sleep(0.5)  # as long as it hangs
        self.disk.unblock("write")
        self.assert_complete(fetcher)
        self.assert_has_the_image(self.dir / "backing")


@needs_fuse
class HangingSources(ImageCase):
    def test_a_seeder_that_may_leave_does_not_wait_for_a_read_that_hangs(self):
        disk = self.fuse_disk(self.source)
        seeder, peer = self.start_listening("seed", self.torrent, disk.path, "--idle-timeout", "3s")
        disk.block("read")
        self.start_listening("fetch", self.torrent, self.dir / "target.img", "--peer", peer)
        wait_until(lambda: not seeder.is_running() or any(line.startswith("read") for line in disk.calls()), seeder)
        seeder.wait_for_event("summary", seconds=30)
        seeder.wait_for_event("warning", seconds=10)
        disk.unblock("read")
        self.assertEqual(seeder.wait(10), 0, seeder)
        messages = [event["message"] for event in seeder.events_named("warning")]
        self.assertEqual(messages, [f"{disk.path} does not answer: the process ends when the kernel gives its request back"], seeder)


if __name__ == "__main__":
    main()
