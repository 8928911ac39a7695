#!/usr/bin/python3
"""Ezio-cli among all the other BitTorrent clients at once, with and without padding between the extents."""

import itertools
import shutil

import clients
from harness import main
from images import write_padded_torrent
from interop_case import InteropTest


class AllOfThem(InteropTest):
    def test_a_swarm_of_our_seeder_two_of_ours_and_one_of_each_of_theirs(self):
        seeder = self.start_seed()
        others = self.start_all_clients()
        fetchers = [self.start_fetch(name) for name in ("one", "other")]
        for other in others:
            other.wait_until_complete()
            self.assert_downloaded(other.download)
        for fetcher, target in fetchers:
            self.assert_complete(fetcher)
            self.assert_device_has_the_image(target)
        self.end_seed(seeder)


class Padding(InteropTest):
    """A torrent in which each extent begins with a piece."""

    def setUp(self):
        super().setUp()
        numbers = itertools.count()  # rtorrent does not take two files of one name
        self.torrent, _ = write_padded_torrent(self.torrent, self.image, 65536, lambda length: [".pad", str(next(numbers))],
                                               tracker=self.tracker.url)

    def assert_downloaded(self, download):
        shutil.rmtree(download / "sda1" / ".pad", ignore_errors=True)  # of those that take it for a directory
        super().assert_downloaded(download)

    def test_all_of_them_download_it_from_our_seed(self):
        seeder = self.start_seed()
        for other in self.start_all_clients():
            other.wait_until_complete()
            self.assert_downloaded(other.download)
        self.end_seed(seeder)

    def test_our_fetch_downloads_it_from_one_that_knows_padding(self):
        self.check_seeds(clients.QBittorrent)


if __name__ == "__main__":
    main()
