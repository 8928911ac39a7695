#!/usr/bin/python3
"""Disks that fail in the middle, hang, vanish or turn read-only, with real parts: loop devices and a FUSE file system."""

import contextlib
import os
import signal
import subprocess
import time

from harness import (DEADLINE, ON_LOOPBACK, UNTOUCHED, LoopDevice, Mount, free_port, main, make_file, needs_fuse,
                     needs_loop_devices, run, wait_until)
from image_case import ImageCase

MIB = 1 << 20
SIZE = 64 * MIB


class FaultTest(ImageCase):
    def wait_until_some_is_done(self, fetcher, least=2 * MIB):
        wait_until(lambda: not fetcher.is_running() or
                   any(event["done_bytes"] > least for event in fetcher.events_named("progress")), fetcher)

    def fetching(self, device, rate="3M"):
        port = free_port()
        self.start("seed", self.torrent, self.source, *ON_LOOPBACK, "--listen", f"127.0.0.1:{port}", "--max-upload", rate)
        fetcher, _ = self.start_listening("fetch", self.torrent, device, "--peer", f"127.0.0.1:{port}")
        self.wait_until_some_is_done(fetcher)
        return fetcher


@needs_loop_devices
class DevicesThatFailMeanwhile(FaultTest):
    def test_a_device_that_is_smaller_than_it_was(self):
        """Its last part is gone: its writes fail with 'No space left on device' or their write-back does."""
        device = self.loop_device("disk", SIZE, fill=UNTOUCHED)
        fetcher = self.fetching(device.path)
        os.truncate(device.backing, 4 * MIB)
        run("losetup", "--set-capacity", device.path)
        message = self.assert_failed(fetcher, 5, seconds=5)
        self.assertIn(device.path, message)

    def test_a_device_that_turns_read_only(self):
        """The kernel then refuses the writes, or what is in its cache never gets to the disk; either way it is not complete."""
        device = self.loop_device("disk", SIZE, fill=UNTOUCHED)
        fetcher = self.fetching(device.path)
        device.set_read_only()
        status = fetcher.wait()
        if status == 0:  # Linux lets the descriptors that are open write on: then it has to be there
            self.assert_has_the_image(device.backing)
        else:
            self.assertIn(device.path, self.assert_failed(fetcher, 5, seconds=1))

    def test_a_device_whose_disk_fills_up(self):
        """The error comes with the write-back of what arrives after that, some seconds later at this rate."""
        files = self.enterContext(Mount("tmpfs", self.dir / "small", "-t", "tmpfs", "-o", "size=40M"))
        device = self.enterContext(LoopDevice(files / "disk", SIZE))
        fetcher = self.fetching(device.path)
        with contextlib.suppress(OSError):
            make_file(files / "other", SIZE, fill=b"x")
        message = self.assert_failed(fetcher, 5, seconds=20)
        self.assertIn(device.path, message)
        self.assertRegex(message, "Input/output error|No space left on device")


class FilesThatGoAway(FaultTest):
    """What is written to a file that has no name any more is lost when the fetch ends."""

    def check_loss(self, target, file, go_away):
        fetcher = self.fetching(target, rate="8M")
        go_away(file)
        self.assertIn(f"{file} was removed or replaced", self.assert_failed(fetcher, 5, seconds=20))

    def test_an_image_file_that_is_removed_or_replaced(self):
        target = self.dir / "target.img"
        self.check_loss(target, target, os.unlink)
        make_file(self.dir / "other.img", SIZE)
        self.check_loss(target, target, lambda path: os.replace(self.dir / "other.img", path))

    def test_an_extent_of_a_directory_that_is_replaced(self):
        target = self.dir / "images"
        target.mkdir()
        file = target / "sda1" / self.image.extents[0].name
        make_file(self.dir / "other", self.image.extents[0].length)
        self.check_loss(target, file, lambda path: os.replace(self.dir / "other", path))


@needs_loop_devices
class DetachedDevice(FaultTest):
    def test_a_loop_device_that_is_detached_while_it_is_written(self):
        """The kernel detaches it when its last user closes it; until then nothing is lost, and nothing untrue is said."""
        backing = make_file(self.dir / "disk", SIZE, fill=UNTOUCHED)
        device = run("losetup", "--find", "--show", backing).strip()
        self.addCleanup(lambda: subprocess.run(["losetup", "--detach", device], stderr=subprocess.DEVNULL))
        with self.seeding(self.torrent, self.source, "--max-upload", "8M") as peer:
            fetcher, _ = self.start_listening("fetch", self.torrent, device, "--peer", peer)
            self.wait_until_some_is_done(fetcher)
            run("losetup", "--detach", device)
            status = fetcher.wait()
        if status == 0:
            self.assert_has_the_image(backing)
        else:
            self.assert_failed(fetcher, 5, seconds=1)


@needs_fuse
class ReadErrors(FaultTest):
    def setUp(self):
        super().setUp()
        self.disk = self.fuse_disk(self.source)
        self.bad = max(self.image.extents, key=lambda extent: extent.length)
        self.disk.fail_reads(self.bad.offset + self.bad.length // 2, self.bad.offset + self.bad.length // 2 + 4096)

    def test_a_seeder_with_a_bad_sector_says_so_and_its_fetcher_does_not_wait_for_ever(self):
        seeder, peer = self.start_listening("seed", self.torrent, self.disk.path)
        fetcher, _ = self.start_listening("fetch", self.torrent, self.dir / "target.img", "--peer", peer, "--stall-timeout", "3s")
        message = self.assert_failed(seeder, 5, seconds=30)
        self.assertLess(time.monotonic() - self.disk.first_failure("read"), 5)
        self.assertIn(str(self.disk.path), message)
        self.assertIn("Input/output error", message)
        self.assert_failed(fetcher, 7, seconds=30)

    def test_a_fetcher_completes_from_another_seeder(self):
        seeder, bad = self.start_listening("seed", self.torrent, self.disk.path)
        with self.seeding(self.torrent, self.source, "--max-upload", "12M") as good:
            self.fetch(self.torrent, self.dir / "target.img", "--peer", bad, "--peer", good)
        self.assert_has_the_image(self.dir / "target.img")
        self.assert_failed(seeder, 5, seconds=30)

    def test_a_check_finds_it_before_anybody_is_served(self):
        seeder, _ = self.start_listening("seed", self.torrent, self.disk.path, "--check")
        self.assertIn("Input/output error", self.assert_failed(seeder, 5, seconds=5))

    def test_verify_and_resume_say_where(self):
        self.assertIn("Input/output error", self.ends_with(5, "verify", self.torrent, self.disk.path).stderr)
        fetcher, _ = self.start_listening("fetch", self.torrent, self.disk.path, "--resume")
        self.assertIn("read of", self.assert_failed(fetcher, 5, seconds=5))


@needs_fuse
class Quotas(FaultTest):
    def test_a_file_whose_quota_is_used_up_is_an_error_with_its_offset(self):
        """By FUSE: kernels without quota formats are common."""
        disk = self.fuse_disk(make_file(self.dir / "backing", self.image.end))
        disk.allow_writes_up_to(self.image.end // 2)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher, _ = self.start_listening("fetch", self.torrent, disk.path, "--peer", peer)
            message = self.assert_failed(fetcher, 5, seconds=30)
        self.assertLess(time.monotonic() - disk.first_failure("write"), 5)
        self.assertIn("Disk quota exceeded", message)
        self.assertRegex(message, rf"^{disk.path}: write of \d+ bytes at offset \d+ failed")


class ToFuseDisk(FaultTest):
    def setUp(self):
        super().setUp()
        self.disk = self.fuse_disk(make_file(self.dir / "backing", self.image.end))

    def fetching(self, *options):
        port = free_port()
        self.start("seed", self.torrent, self.source, *ON_LOOPBACK, "--listen", f"127.0.0.1:{port}")
        return self.start_listening("fetch", self.torrent, self.disk.path, "--peer", f"127.0.0.1:{port}", *options)[0]


@needs_fuse
class LyingDisks(ToFuseDisk):
    """What no call says is found only by reading again what the disk has; what the sync says has to be believed."""

    def setUp(self):
        super().setUp()
        self.bad = max(self.image.extents, key=lambda extent: extent.length)

    def test_a_disk_that_stores_something_else_is_found_by_verify(self):
        """Not in the page cache, where everything still is as it was written."""
        self.disk.spoil_writes(self.bad.offset + self.bad.length // 2, self.bad.offset + self.bad.length // 2 + 1)
        message = self.assert_failed(self.fetching("--verify"), 8, DEADLINE)
        self.assertIn(f"{self.disk.path} does not hold what was written: 1 of ", message)
        self.assertIn(f"{self.bad.offset:#x}", message)

    def test_a_disk_that_stores_what_it_is_given_passes(self):
        self.assert_complete(self.fetching("--verify"))

    def test_a_sync_that_fails_is_an_error_though_every_write_went_well(self):
        self.disk.block("sync")
        self.disk.fail_syncs()
        fetcher = self.fetching()
        wait_until(lambda: not fetcher.is_running() or "sync" in self.disk.calls(), fetcher)
        time.sleep(1)  # it is waited for, too
        self.disk.unblock("sync")
        message = self.assert_failed(fetcher, 5, DEADLINE)
        self.assertEqual(message, f"{self.disk.path}: sync failed: Input/output error")


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
        self.check_limit("write", "--timeout", "8s")  # it is still moving until the memory is full

    def test_a_disk_that_hangs_for_a_while_is_waited_for(self):
        fetcher = self.hanging("write")
        time.sleep(0.5)  # as long as it hangs
        self.disk.unblock("write")
        self.assert_complete(fetcher)
        self.assert_has_the_image(self.dir / "backing")


@needs_fuse
class HangingSources(FaultTest):
    def test_a_seeder_that_may_leave_does_not_wait_for_a_read_that_hangs(self):
        disk = self.fuse_disk(self.source)
        seeder, peer = self.start_listening("seed", self.torrent, disk.path, "--idle-timeout", "5s")
        disk.block("read")
        self.start_listening("fetch", self.torrent, self.dir / "target.img", "--peer", peer)
        wait_until(lambda: not seeder.is_running() or any(line.startswith("read") for line in disk.calls()), seeder)
        seeder.wait_for_event("summary", seconds=30)
        seeder.wait_for_event("warning", seconds=10)
        disk.unblock("read")
        self.assertEqual(seeder.wait(10), 0, seeder)
        messages = [event["message"] for event in seeder.events_named("warning")]
        self.assertEqual(messages, [f"{disk.path} does not answer: the process ends when the kernel gives its request back"], seeder)


@needs_fuse
class OrderOfCalls(FaultTest):
    """What a power loss would leave: complete is said only after a sync that came after the last write has returned."""

    def test_complete_waits_for_the_sync(self):
        disk = self.fuse_disk(make_file(self.dir / "backing", self.image.end))
        disk.block("sync")
        with self.seeding(self.torrent, self.source) as peer:
            fetcher, _ = self.start_listening("fetch", self.torrent, disk.path, "--peer", peer)
            wait_until(lambda: not fetcher.is_running() or "sync" in disk.calls(), fetcher)
            wait_until(lambda: not fetcher.is_running() or
                       any(event["phase"] == "syncing" for event in fetcher.events_named("progress")), fetcher)
            time.sleep(1)  # if it did not wait, it would say so now
            self.assertEqual(fetcher.events_named("complete"), [], fetcher)
            self.assertNotIn("sync-done", disk.calls())
            disk.unblock("sync")
            self.assert_complete(fetcher)
        calls = disk.calls()
        first_sync = calls.index("sync")
        self.assertTrue(all(call.startswith("write") for call in calls[:first_sync]), calls[first_sync - 5:])
        self.assertFalse(any(call.startswith("write") for call in calls[first_sync:]), calls[first_sync:])
        written = sum(int(call.split()[2]) for call in calls[:first_sync])
        self.assertGreaterEqual(written, len(self.image.payload))


if __name__ == "__main__":
    main()
