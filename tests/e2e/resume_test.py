#!/usr/bin/python3
"""fetch --resume: after kill -9, and from one image to a newer one. seed --check. What is right is kept, the rest fetched."""

import os
import random
import shutil
import signal
import time

from harness import ON_LOOPBACK, UNTOUCHED, main, make_file, needs_fuse, needs_loop_devices, wait_until
from image_case import PIECE, ImageCase
from images import Extent, Image, flip_a_bit, touched_gaps

MIB = 1 << 20
ROUNDS = 50 if os.environ.get("EZIO_SOAK") else 3


class ResumeTest(ImageCase):
    def summary(self, fetcher):
        (summary,) = fetcher.events_named("summary")
        return summary

    def resume(self, target, *options):
        """Fetches with --resume to a correct target; returns the summary."""
        with self.seeding(self.torrent, self.source) as peer:
            fetcher = self.fetch(self.torrent, target, "--resume", "--peer", peer, *options)
        self.assert_has_the_image(target)
        self.ends_with(0, "verify", self.torrent, target)
        return self.summary(fetcher)

    def device_offset(self, payload_offset):
        for extent in self.image.extents:
            if payload_offset < extent.length:
                return extent.offset + payload_offset
            payload_offset -= extent.length
        raise AssertionError("beyond the payload")


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


@needs_fuse
class FetchingWhileItChecks(ResumeTest):
    """On a target that is slow to read, so that the check takes seconds."""

    def slow_target(self, wrong, piece=PIECE, read_seconds=0.05):
        """A disk that holds the image but for these pieces. Its backing file is self.backing."""
        self.backing = self.dir / "backing"
        shutil.copy(self.source, self.backing)
        for number in wrong:
            flip_a_bit(self.backing, self.device_offset(number * piece + 12345))
        disk = self.fuse_disk(self.backing)
        disk.slow_down_reads(read_seconds)
        return disk

    def assert_fetched_while_checking(self, fetcher, wrong_bytes):
        """It has fetched what is wrong, nothing else, before the check was over, and did not take long after that."""
        self.assert_complete(fetcher)
        summary = self.summary(fetcher)
        self.assertEqual(summary["received_bytes"] - summary["redundant_bytes"], wrong_bytes, fetcher)
        self.assertEqual(summary["written_bytes"], wrong_bytes, fetcher)
        self.assertEqual(summary["skipped_bytes"], len(self.image.payload) - wrong_bytes, fetcher)
        checking = [event for event in fetcher.events_named("progress") if event["phase"] == "checking"]
        self.assertGreater(checking[-1]["received_bytes"], wrong_bytes // 2, fetcher)
        (complete,) = fetcher.events_named("complete")
        self.assertLess(complete["seconds"] - checking[-1]["seconds"], 5, fetcher)
        self.assert_has_the_image(self.backing)

    def fetch_slowly(self, *options):
        return self.start_listening("fetch", self.torrent, self.disk.path, "--resume", "--interval", "0.2s",
                                    "--seed-time", "0", *options)[0]

    def check_redeploy(self, wrong, piece, read_seconds):
        self.disk = self.slow_target(wrong, piece, read_seconds)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher = self.fetch_slowly("--peer", peer)
            self.assert_fetched_while_checking(fetcher, len(wrong) * piece)

    def test_the_pieces_that_differ_are_fetched_as_they_are_found(self):
        """An image of which 95 % is unchanged moves 5 %."""
        pieces = len(self.image.payload) // PIECE
        self.check_redeploy(random.Random(5).sample(range(pieces - 1), pieces // 20), PIECE, 0.05)

    def test_so_are_pieces_of_16_mib(self):
        piece = 16 * MIB
        self.image = Image([Extent(MIB, 12 * piece + 12_345)])
        self.torrent = self.image.write_torrent(self.dir / "big.torrent", piece)
        self.source = self.image.write_to(self.dir / "big.img")
        self.check_redeploy([1, 5], piece, 0.01)

    def test_killed_in_the_middle_it_is_resumed_again(self):
        wrong = range(3, len(self.image.payload) // PIECE, 7)
        self.disk = self.slow_target(wrong)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher = self.fetch_slowly("--peer", peer)
            wait_until(lambda: not fetcher.is_running() or any(event["received_bytes"] > 4 * PIECE for event in
                                                               fetcher.events_named("progress")), fetcher)
            fetcher.signal(signal.SIGKILL)
            self.assertEqual(fetcher.wait(), -signal.SIGKILL, fetcher)
        self.assertEqual({event["phase"] for event in fetcher.events_named("progress")}, {"checking"}, fetcher)
        self.resume(self.backing)

    def test_a_read_error_ends_it_though_data_comes_in(self):
        self.disk = self.slow_target([0])
        with self.seeding(self.torrent, self.source) as peer:
            fetcher = self.fetch_slowly("--peer", peer)
            wait_until(lambda: not fetcher.is_running() or any(event["received_bytes"] for event in
                                                               fetcher.events_named("progress")), fetcher)
            self.disk.fail_reads(0, self.image.end)
            self.assertEqual(fetcher.wait(), 5, fetcher)
        self.assertEqual(fetcher.events_named("complete"), [], fetcher)
        self.assertEqual({event["phase"] for event in fetcher.events_named("progress")}, {"checking"}, fetcher)
        (error,) = fetcher.events_named("error")
        self.assertIn(str(self.disk.path), error["message"], fetcher)

    def test_nobody_is_asked_for_anything_before_something_is_missing(self):
        self.disk = self.slow_target([])
        with self.seeding(self.torrent, self.source) as peer:
            fetcher = self.fetch_slowly("--peer", peer)
            self.assert_complete(fetcher)
        checking = [event for event in fetcher.events_named("progress") if event["phase"] == "checking"]
        self.assertEqual({event["peers"] for event in checking}, {0}, fetcher)
        self.assertEqual(self.summary(fetcher)["received_bytes"], 0, fetcher)

    def test_nothing_is_read_before_what_others_wrote_is_on_the_disk(self):
        """Or it would find in memory what a power loss takes away."""
        self.disk = self.slow_target([], read_seconds=0)
        self.disk.block("sync")
        fetcher = self.start("fetch", self.torrent, self.disk.path, "--resume", "--interval", "0.2s", "--seed-time", "0",
                             "--json", *ON_LOOPBACK)
        self.addCleanup(self.disk.unblock, "sync")  # or nothing could end it
        wait_until(lambda: not fetcher.is_running() or len(fetcher.events_named("progress")) > 5, fetcher)
        progress = [(event["phase"], event["done_bytes"]) for event in fetcher.events_named("progress")]
        self.assertEqual(set(progress), {("checking", 0)}, fetcher)
        self.disk.unblock("sync")
        self.assert_complete(fetcher)

    def test_what_is_kept_is_served_before_the_check_is_over(self):
        """From its first missing piece on it has peers, and tells them what it turns out to have."""
        self.disk = self.slow_target([0], read_seconds=0.1)
        other = self.dir / "other.img"
        with self.seeding(self.torrent, self.source, "--max-upload", "64K") as peer:
            _, address = self.start_listening("fetch", self.torrent, self.disk.path, "--resume", "--peer", peer)
            fetcher = self.fetch(self.torrent, other, "--peer", address, "--peer", peer)
        totals = {total["address"]: total["received_bytes"] for total in self.summary(fetcher)["peers"]}
        self.assertGreater(totals[address], len(self.image.payload) // 2, fetcher)
        self.assert_has_the_image(other)


class Killed(ResumeTest):
    def check(self, target, backing, rounds):
        rng = random.Random(11)
        for number in range(rounds):
            with self.subTest(round=number), self.seeding(self.torrent, self.source) as peer:
                make_file(backing, self.image.end, fill=UNTOUCHED)
                fetcher, _ = self.start_listening("fetch", self.torrent, target, "--peer", peer, "--max-download", "16M")
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
            fetcher, _ = self.start_listening("fetch", self.torrent, device.path, "--peer", peer, "--max-download", "8M")
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
