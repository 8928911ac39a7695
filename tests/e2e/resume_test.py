#!/usr/bin/python3
"""Fetch --resume: after kill -9, and from one image to a newer one. seed --check. Right pieces are kept, the rest is fetched."""

import os
import random
import shutil
import signal
import time

from harness import UNTOUCHED, main, make_file, needs_loop_devices, wait_until
from image_case import PIECE
from images import flip_a_bit, touched_gaps
from resume_case import ResumeTest

MIB = 1 << 20
ROUNDS = 50 if os.environ.get("EZIO_SOAK") else 3


class Redeploying(ResumeTest):
    def test_of_a_target_that_has_it_all_nothing_is_fetched(self):
        target = self.dir / "target.img"
        shutil.copy(self.source, target)
        fetcher, _ = self.start_listening("fetch", self.torrent, target, "--resume")  # nobody is there to fetch from
        self.assert_complete(fetcher)
        summary = self.summary(fetcher)
        self.assertEqual((summary["received_bytes"], summary["written_bytes"]), (0, 0), fetcher)
        self.assertEqual(summary["skipped_bytes"], len(self.image.payload), fetcher)
        phases = [event["phase"] for event in fetcher.events_named("progress")]
        self.assertIn("checking", phases, fetcher)
        for event in fetcher.events_named("progress"):
            self.assertLessEqual(event["skipped_bytes"], event["done_bytes"], event)

    def test_one_that_has_it_all_is_a_complete_client_for_the_seeder(self):
        target = self.dir / "target.img"
        shutil.copy(self.source, target)
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--clients", "1")
        self.fetch(self.torrent, target, "--resume", "--peer", address, "--seed-time", "30s")
        self.assertEqual(seeder.wait(), 0, seeder)

    def test_only_the_pieces_that_differ_are_fetched(self):
        """An image of which 95 % is unchanged moves 5 %."""
        target = self.dir / "target.img"
        shutil.copy(self.source, target)
        pieces = -(-len(self.image.payload) // PIECE)
        wrong = random.Random(5).sample(range(pieces - 1), pieces // 20)
        for piece in wrong:
            flip_a_bit(target, self.device_offset(piece * PIECE + 12345))
        summary = self.resume(target)
        self.assertEqual(summary["received_bytes"] - summary["redundant_bytes"], len(wrong) * PIECE, summary)
        self.assertEqual(summary["skipped_bytes"], len(self.image.payload) - len(wrong) * PIECE, summary)
        self.assertEqual(summary["written_bytes"], len(wrong) * PIECE, summary)

    def test_a_new_file_is_fetched_whole(self):
        summary = self.resume(self.dir / "target.img")
        self.assertEqual(summary["skipped_bytes"], 0, summary)

    def test_a_directory_is_resumed_too(self):
        target = self.dir / "images" / "sda1"
        target.mkdir(parents=True)
        for extent, data in self.image.extents_with_data():
            (target / extent.name).write_bytes(data)
        longest = max(self.image.extents, key=lambda extent: extent.length)
        flip_a_bit(target / longest.name, longest.length // 2)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher = self.fetch(self.torrent, self.dir / "images", "--resume", "--peer", peer)
        self.assertLessEqual(self.summary(fetcher)["received_bytes"], 2 * PIECE, fetcher)
        self.ends_with(0, "verify", self.torrent, self.dir / "images")

    def test_without_resume_nothing_is_kept(self):
        target = self.dir / "target.img"
        shutil.copy(self.source, target)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher = self.fetch(self.torrent, target, "--peer", peer)
        self.assertGreaterEqual(self.summary(fetcher)["received_bytes"], len(self.image.payload), fetcher)

    def test_what_was_kept_is_served(self):
        first, second = self.dir / "first.img", self.dir / "second.img"
        shutil.copy(self.source, first)
        other, address = self.start_listening("fetch", self.torrent, second)
        fetcher, _ = self.start_listening("fetch", self.torrent, first, "--resume", "--seed-time", "1m", "--peer", address)
        self.assert_complete(other)
        self.assert_complete(fetcher)
        self.assert_has_the_image(second)


class Killed(ResumeTest):
    def check(self, target, backing, rounds):
        rng = random.Random(11)
        for number in range(rounds):
            with self.subTest(round=number), self.seeding(self.torrent, self.source) as peer:
                make_file(backing, self.image.end, fill=UNTOUCHED)
                fetcher, _ = self.start_listening("fetch", self.torrent, target, "--peer", peer, "--max-download", "16M",
                                                  "--interval", "100ms")
                wait_until(lambda: not fetcher.is_running() or any(event["received_bytes"] for event in
                                                                   fetcher.events_named("progress")), fetcher)
                time.sleep(rng.random() * 1.5)  # the random point at which it dies; the test waits for nothing with it
                fetcher.signal(signal.SIGKILL)
                fetcher.wait()
                resumed = self.fetch(self.torrent, target, "--resume", "--peer", peer)
                summary = self.summary(resumed)
                missing = len(self.image.payload) - summary["skipped_bytes"]
                self.assertEqual(summary["received_bytes"] - summary["redundant_bytes"], missing, resumed)
                self.assert_has_the_image(target)
                self.assertEqual(touched_gaps(backing, self.image.extents, UNTOUCHED), [])
                self.ends_with(0, "verify", self.torrent, target)

    def test_a_file_is_completed_after_kill_9_at_any_time(self):
        self.check(self.dir / "target.img", self.dir / "target.img", ROUNDS)

    @needs_loop_devices
    def test_a_device_is_completed_after_kill_9(self):
        device = self.loop_device("disk", self.image.end + (-self.image.end) % 4096, fill=UNTOUCHED)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher, _ = self.start_listening("fetch", self.torrent, device.path, "--peer", peer, "--max-download", "8M",
                                              "--interval", "100ms")
            wait_until(lambda: not fetcher.is_running() or any(event["done_bytes"] > 4 * MIB for event in
                                                               fetcher.events_named("progress")), fetcher)
            fetcher.signal(signal.SIGKILL)
            fetcher.wait()
            resumed = self.fetch(self.torrent, device.path, "--resume", "--peer", peer)
        summary = self.summary(resumed)
        self.assertGreater(summary["skipped_bytes"], MIB, resumed)
        self.assertEqual(summary["received_bytes"] - summary["redundant_bytes"],
                         len(self.image.payload) - summary["skipped_bytes"], resumed)
        self.assert_has_the_image(device.backing)
        self.assertEqual(touched_gaps(device.backing, self.image.extents, UNTOUCHED), [])


class SeedingWithACheck(ResumeTest):
    def test_a_good_source_is_served(self):
        with self.seeding(self.torrent, self.source, "--check") as peer:
            self.fetch(self.torrent, self.dir / "target.img", "--peer", peer)

    def test_a_source_that_has_changed_is_not_served_and_its_extent_named(self):
        extent = max(self.image.extents, key=lambda extent: extent.length)
        flip_a_bit(self.source, extent.offset + extent.length // 2)
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--check")
        self.assertEqual(seeder.wait(), 8, seeder)
        (error,) = seeder.events_named("error")
        self.assertIn(f"{extent.offset:#x}", error["message"], seeder)


if __name__ == "__main__":
    main()
