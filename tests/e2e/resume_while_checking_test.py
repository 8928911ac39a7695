#!/usr/bin/python3
"""Fetch --resume on a disk that takes seconds to check: missing pieces are fetched, right ones are served meanwhile."""

import random
import shutil
import signal

from harness import ON_LOOPBACK, main, needs_fuse, wait_until
from image_case import PIECE
from images import Extent, Image, flip_a_bit
from raw_peer import RawPeer, info_hash_of
from resume_case import ResumeTest

MIB = 1 << 20


@needs_fuse
class FetchingWhileItChecks(ResumeTest):
    """On a target that is slow to read, so that the check takes seconds."""

    payload = (12 << 20) + 12_345

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

    @staticmethod
    def wait_for_received(fetcher, received):
        wait_until(lambda: not fetcher.is_running() or
                   any(event["received_bytes"] > received for event in fetcher.events_named("progress")), fetcher)

    def check_redeploy(self, wrong, piece, read_seconds, waits_for_half=False):
        self.disk = self.slow_target(wrong, piece, read_seconds)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher = self.fetch_slowly("--peer", peer)
            if waits_for_half:  # or on a busy machine the check may end before most has come
                self.wait_for_received(fetcher, 0)
                self.disk.slow_down_reads(10 * read_seconds)
                self.wait_for_received(fetcher, len(wrong) * piece // 2)
                self.disk.slow_down_reads(read_seconds)
            self.assert_fetched_while_checking(fetcher, len(wrong) * piece)

    def test_the_pieces_that_differ_are_fetched_as_they_are_found(self):
        """An image of which 95 % is unchanged moves 5 %."""
        pieces = len(self.image.payload) // PIECE
        self.check_redeploy(random.Random(5).sample(range(pieces - 1), pieces // 20), PIECE, 0.05)

    def test_so_are_pieces_of_16_mib(self):
        piece = 16 * MIB
        self.image = Image([Extent(MIB, 5 * piece + 12_345)])
        self.torrent = self.image.write_torrent(self.dir / "big.torrent", piece)
        self.source = self.image.write_to(self.dir / "big.img")
        self.check_redeploy([1, 2], piece, 0.01, waits_for_half=True)

    def test_it_does_not_say_that_it_wants_nothing_while_it_checks(self):
        """Seeds of other programs hang up on who says so."""
        self.disk = self.slow_target([0], read_seconds=0.1)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher, address = self.start_listening("fetch", self.torrent, self.disk.path, "--resume", "--interval", "0.2s",
                                                    "--peer", peer)
            wait_until(lambda: not fetcher.is_running() or any(event["received_bytes"] >= PIECE for event in
                                                               fetcher.events_named("progress")), fetcher)
            raw = RawPeer.connect(address, info_hash_of(self.torrent), len(self.image.payload) // PIECE + 1)
            with raw.connection:
                raw.handshake(bytes(5) + b"\x10" + bytes(2))
                kind, payload = raw.message()
                while kind != 20:
                    kind, payload = raw.message()
        self.assertEqual({event["phase"] for event in fetcher.events_named("progress")}, {"checking"}, fetcher)
        self.assertIn(b"12:ezio_process", payload)
        self.assertNotIn(b"11:upload_onlyi1e", payload)  # its number in `m` is another one

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
        self.disk = self.slow_target([0], read_seconds=0.08)
        other = self.dir / "other.img"
        with self.seeding(self.torrent, self.source, "--max-upload", "64K") as peer:
            _, address = self.start_listening("fetch", self.torrent, self.disk.path, "--resume", "--peer", peer)
            fetcher = self.fetch(self.torrent, other, "--peer", address, "--peer", peer)
        totals = {total["address"]: total["received_bytes"] for total in self.summary(fetcher)["peers"]}
        self.assertGreater(totals[address], len(self.image.payload) // 2, fetcher)
        self.assert_has_the_image(other)


if __name__ == "__main__":
    main()
