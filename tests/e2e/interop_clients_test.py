#!/usr/bin/python3
"""ezio-cli with one other BitTorrent client: each downloads from our seed of a block device, each seeds a directory to our fetch."""

import clients
from harness import main, wait_until
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

    def test_rtorrent_downloads_from_our_seed(self):
        self.check_downloads(clients.RTorrent)

    def test_our_fetch_downloads_from_rtorrent(self):
        self.check_seeds(clients.RTorrent)


if __name__ == "__main__":
    main()
