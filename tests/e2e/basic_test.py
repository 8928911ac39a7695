#!/usr/bin/python3
"""Seed and fetch between two processes: an image of odd extents, with a torrent that another program made.

Quick enough for the sanitizer builds, so it does little; the other files here do the rest.
"""

import signal
import unittest

from harness import UNTOUCHED, EndToEndTest, main, make_file, needs_loop_devices, wait_until
from images import differing_extents, odd_image, touched_gaps, write_torrent_with_libtorrent

try:
    import libtorrent
except ImportError:
    libtorrent = None

PIECE = 65536
SIZE = 64 << 20


@unittest.skipIf(libtorrent is None, "needs python3-libtorrent")
class ImageOfOddExtents(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.image = odd_image()
        self.assertNotEqual(len(self.image.payload) % PIECE, 0)
        digests = [sha1.digest() for sha1 in self.image.hashes(PIECE)]
        self.torrent = write_torrent_with_libtorrent(self.dir / "odd.torrent", self.image.extents, digests, PIECE)
        self.source = self.image.write_to(make_file(self.dir / "source.img", SIZE))

    def assert_has_the_image(self, path, around):
        self.assertEqual(differing_extents(self.source, path, self.image.extents), [])
        self.assertEqual(touched_gaps(path, self.image.extents, around), [])

    def test_a_new_file_gets_every_byte_and_is_empty_around_them(self):
        target = self.dir / "target.img"
        with self.seeding(self.torrent, self.source) as peer:
            self.fetch(self.torrent, target, "--peer", peer)
        self.assert_has_the_image(target, around=b"\0")

    def test_an_old_file_gets_every_byte_and_keeps_what_is_around_them(self):
        target = make_file(self.dir / "target.img", SIZE, fill=UNTOUCHED)
        with self.seeding(self.torrent, self.source) as peer:
            self.fetch(self.torrent, target, "--peer", peer)
        self.assert_has_the_image(target, around=UNTOUCHED)
        self.assertEqual(target.stat().st_size, SIZE)

    @needs_loop_devices
    def test_a_device_gets_every_byte_and_keeps_what_is_around_them(self):
        target = self.loop_device("target", SIZE, fill=UNTOUCHED)
        with self.seeding(self.torrent, self.source) as peer:
            self.fetch(self.torrent, target.path, "--peer", peer)
        self.assert_has_the_image(target.backing, around=UNTOUCHED)

    def test_a_fetch_that_is_stopped_half_way_ends_in_order(self):
        target = self.dir / "target.img"
        with self.seeding(self.torrent, self.source) as peer:
            fetcher, _ = self.start_listening("fetch", self.torrent, target, "--peer", peer, "--max-download", "2M")
            wait_until(lambda: target.exists() and target.stat().st_blocks > 0, fetcher)
            fetcher.signal(signal.SIGINT)
            self.assertEqual(fetcher.wait(), 130, fetcher)
            self.assert_clean(fetcher)
        self.assertEqual(fetcher.events_named("complete"), [], fetcher)


if __name__ == "__main__":
    main()
