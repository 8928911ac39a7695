#!/usr/bin/python3
"""Disks that fail midway, vanish or turn read-only, with real parts: loop devices and a FUSE file system."""

import contextlib
import os
import time

from harness import (ON_LOOPBACK, UNTOUCHED, LoopDevice, Mount, free_port, main, make_file, needs_fuse,
                     needs_loop_devices, run, wait_until)
from image_case import ImageCase

MIB = 1 << 20
SIZE = 64 * MIB


class FaultTest(ImageCase):
    def wait_until_some_is_done(self, fetcher, least=2 * MIB):
        wait_until(lambda: not fetcher.is_running() or
                   any(event["done_bytes"] > least for event in fetcher.events_named("progress")), fetcher)

    def fetching(self, device, rate="5M"):
        port = free_port()
        self.start("seed", self.torrent, self.source, *ON_LOOPBACK, "--listen", f"127.0.0.1:{port}", "--max-upload", rate)
        fetcher, _ = self.start_listening("fetch", self.torrent, device, "--peer", f"127.0.0.1:{port}", "--interval", "100ms")
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
    def detach_all_of(self, backing):
        """By the file: another test may have the device of that name by then."""
        for device in run("losetup", "--noheadings", "--output", "NAME", "--associated", backing).split():
            run("losetup", "--detach", device)

    def test_a_loop_device_that_is_detached_while_it_is_written(self):
        """The kernel detaches it when its last user closes it; until then nothing is lost, and nothing untrue is said."""
        backing = make_file(self.dir / "disk", SIZE, fill=UNTOUCHED)
        device = run("losetup", "--find", "--show", backing).strip()
        self.addCleanup(self.detach_all_of, backing)
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


if __name__ == "__main__":
    main()
