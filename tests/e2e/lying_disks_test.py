#!/usr/bin/python3
"""Disks that store something else or whose sync fails, and the order: complete is reported after the sync. With FUSE."""

import time

from fuse_case import ToFuseDisk
from harness import DEADLINE, main, make_file, needs_fuse, wait_until
from image_case import ImageCase


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
class OrderOfCalls(ImageCase):
    """What a power loss would leave: complete is said only after a sync that came after the last write has returned."""

    payload = (8 << 20) + 12_345

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
