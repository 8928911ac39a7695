#!/usr/bin/python3
"""Fetch --discard discards what the image does not use, and only that; --serial and sector sizes protect the target."""


from harness import ON_LOOPBACK, UNTOUCHED, EndToEndTest, free_port, main, make_file, needs_loop_devices
from images import Extent, Image, differing_extents, gaps, torrent_of

MIB = 1 << 20
SIZE = 64 * MIB


class DiscardTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.image = Image([Extent(40 * MIB, MIB), Extent(4096, 8192), Extent(2 * MIB, 3 * MIB + 512), Extent(0, 512)])
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent")
        self.source = self.image.write_to(self.dir / "source.img")

    def fetch_with_discard(self, target):
        with self.seeding(self.torrent, self.source) as peer:
            return self.fetch(self.torrent, target, "--discard", "--peer", peer)

    def assert_gaps_discarded(self, path, alignment):
        """All whole blocks outside the extents are zero, all that share one with an extent are as they were."""
        with open(path, "rb") as file:
            for gap in gaps(self.image.extents, SIZE):
                first, end = -(-gap.offset // alignment) * alignment, gap.end // alignment * alignment
                file.seek(gap.offset)
                data = file.read(gap.length)
                inner = data[first - gap.offset:end - gap.offset]
                self.assertEqual(inner.count(0), len(inner), f"{gap} was not discarded")
                edges = data[:first - gap.offset] + data[end - gap.offset:]
                self.assertEqual(edges, UNTOUCHED * len(edges), f"the edges of {gap} were discarded")


class DiscardingFiles(DiscardTest):
    def test_holes_are_punched_in_an_image_file(self):
        target = make_file(self.dir / "target.img", SIZE, fill=UNTOUCHED)
        before = target.stat().st_blocks
        self.fetch_with_discard(target)
        self.assertEqual(differing_extents(self.source, target, self.image.extents), [])
        self.assert_gaps_discarded(target, target.stat().st_blksize)
        self.assertLess(target.stat().st_blocks, before // 4)

    def test_where_it_cannot_be_done_there_is_a_warning(self):
        directory = self.dir / "images"
        directory.mkdir()
        fetcher = self.fetch_with_discard(directory)
        (warning,) = fetcher.events_named("warning")
        self.assertIn("--discard", warning["message"])

    def test_nothing_is_discarded_when_it_is_refused(self):
        target = make_file(self.dir / "target.img", SIZE, fill=UNTOUCHED)
        torrent = self.dir / "bad.torrent"
        torrent.write_bytes(torrent_of([("-1", MIB)]))
        self.ends_with(3, "fetch", torrent, target, "--discard", *ON_LOOPBACK)
        self.ends_with(4, "fetch", self.torrent, target, "--discard", "--serial", "X", *ON_LOOPBACK)
        self.assertEqual(target.read_bytes(), UNTOUCHED * SIZE)


@needs_loop_devices
class DiscardingDevices(DiscardTest):
    def test_a_device_is_told_of_every_block_outside_the_extents(self):
        device = self.loop_device("disk", SIZE, fill=UNTOUCHED)
        self.fetch_with_discard(device.path)
        self.assertEqual(differing_extents(self.source, device.backing, self.image.extents), [])
        self.assert_gaps_discarded(device.backing, 512)


@needs_loop_devices
class GuardingTheTarget(DiscardTest):
    def refused(self, device, *options):
        fetcher = self.ends_with(4, "fetch", self.torrent, device.path, *options, *ON_LOOPBACK, "--listen",
                                 f"127.0.0.1:{free_port()}")
        self.assertEqual(len(fetcher.stderr.strip().splitlines()), 1, fetcher)
        self.assertEqual(device.backing.read_bytes(), UNTOUCHED * SIZE)
        return fetcher.stderr

    def test_a_device_without_a_serial_number_is_not_the_one(self):
        device = self.loop_device("disk", SIZE, fill=UNTOUCHED)
        message = self.refused(device, "--serial", "S3Z8NB0K")
        self.assertIn("S3Z8NB0K", message)
        self.assertIn(device.path, message)

    def test_sectors_that_the_extents_do_not_fit_are_refused(self):
        device = self.loop_device("disk", SIZE, fill=UNTOUCHED, sector=4096)
        message = self.refused(device)
        self.assertIn("4096", message)
        self.assertIn("512", message)

    def test_sectors_that_the_extents_fit_are_good(self):
        image = Image([Extent(MIB, 8192), Extent(4096, 4096)])
        torrent = image.write_torrent(self.dir / "other.torrent")
        source = image.write_to(self.dir / "other.img")
        device = self.loop_device("disk", SIZE, fill=UNTOUCHED, sector=4096)
        with self.seeding(torrent, source) as peer:
            self.fetch(torrent, device.path, "--peer", peer)
        self.assertEqual(differing_extents(source, device.backing, image.extents), [])

    def test_info_says_which_sectors_fit(self):
        (info,) = self.ends_with(0, "info", "--json", self.torrent).events
        self.assertEqual(info["sector_bytes"], 512)
        self.assertEqual(info["device_bytes"], 41 * MIB)


if __name__ == "__main__":
    main()
