#!/usr/bin/python3
"""Ezio-cli with one other BitTorrent client: each downloads from our seed of a block device, and seeds a directory to our fetch."""

import clients
from harness import main, needs_fuse, wait_until
from images import differing_extents, flip_a_bit
from interop_case import InteropTest


class OneOfThem(InteropTest):
    def check_downloads(self, client):
        seeder = self.start_seed()
        other = self.start_client(client, self.dir / "downloads")
        wait_until(lambda: other.is_complete() or not seeder.is_running(), (other, seeder))
        self.assert_downloaded(self.dir / "downloads")
        self.end_seed(seeder)

    def test_aria2_downloads_from_our_seed(self):
        self.check_downloads(clients.Aria2)

    def test_our_fetch_downloads_from_aria2(self):
        self.check_seeds(clients.Aria2)

    def test_transmission_downloads_from_our_seed(self):
        self.check_downloads(clients.Transmission)

    def test_our_fetch_downloads_from_transmission(self):
        self.check_seeds(clients.Transmission)

    def test_qbittorrent_downloads_from_our_seed(self):
        self.check_downloads(clients.QBittorrent)

    def test_our_fetch_downloads_from_qbittorrent(self):
        self.check_seeds(clients.QBittorrent)

    @needs_fuse
    def test_pieces_that_differ_come_from_qbittorrent_while_the_disk_is_checked(self):
        """It would hang up on a peer that says that it wants nothing, and not come back for a minute."""
        piece = 65536
        self.torrent = self.image.write_torrent(self.dir / "small.torrent", piece, tracker=self.tracker.url)
        other = self.start_client(clients.QBittorrent, self.write_directory(self.dir / "images"))
        other.wait_until_complete()
        backing = self.dir / "backing"
        self.image.write_to(backing)
        for extent in self.image.extents[::5]:
            flip_a_bit(backing, extent.offset)
        disk = self.fuse_disk(backing)
        disk.slow_down_reads(0.1)
        fetcher = self.start_ezio("fetch", self.torrent, disk.path, "--resume", "--seed-time", "0")
        self.assert_complete(fetcher)
        checking = [event for event in fetcher.events_named("progress") if event["phase"] == "checking"]
        (complete,) = fetcher.events_named("complete")
        self.assertLess(complete["seconds"] - checking[-1]["seconds"], 15, fetcher)
        self.assertEqual(differing_extents(self.source.path, backing, self.image.extents), [])

    def test_rtorrent_downloads_from_our_seed(self):
        self.check_downloads(clients.RTorrent)

    def test_our_fetch_downloads_from_rtorrent(self):
        self.check_seeds(clients.RTorrent)


if __name__ == "__main__":
    main()
