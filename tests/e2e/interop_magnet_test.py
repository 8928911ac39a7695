#!/usr/bin/python3
"""Magnet links: ezio-cli gets the metadata from other BitTorrent clients, and they from it."""

import hashlib
import signal

import clients
from harness import UNTOUCHED, main
from images import Extent, Image, info_of, touched_gaps
from interop_case import InteropTest


class MagnetLinks(InteropTest):
    def link(self, torrent=None):
        return self.ends_with(0, "info", "--magnet", torrent or self.torrent).stdout.strip()

    def fetch_link(self, link, *options):
        self.target = self.loop_device("target", self.size, fill=UNTOUCHED)
        return self.start_ezio("fetch", link, self.target.path, "--seed-time", "0", *options)

    def test_a_link_names_the_torrent_and_its_tracker(self):
        link = self.link()
        self.assertRegex(link, r"^magnet:\?xt=urn:btih:[0-9a-f]{40}&dn=sda1&tr=http%3A%2F%2F10\.99\.0\.1%3A\d+%2Fannounce$")

    def test_the_metadata_comes_from_the_peers_of_the_links_tracker(self):
        seeder = self.start_seed()
        fetcher = self.fetch_link(self.link())
        self.assert_complete(fetcher)
        self.assert_device_has_the_image(self.target)
        self.end_seed(seeder)

    def test_the_metadata_comes_from_a_named_peer_and_is_kept(self):
        seeder = self.start_seed()
        peer = seeder.events_named("start")[0]["listen"]
        kept = self.dir / "kept.torrent"
        fetcher = self.fetch_link(self.link().split("&")[0], "--peer", peer, "--save-torrent", kept)
        self.assert_complete(fetcher)
        self.assert_device_has_the_image(self.target)
        one, other = (self.ends_with(0, "info", "--magnet", torrent).stdout for torrent in (self.torrent, kept))
        self.assertEqual(one.split("&")[:2], other.strip().split("&")[:2])
        self.end_seed(seeder)

    def check_serves_metadata(self, client):
        other = self.start_client(client, self.write_directory(self.dir / "images"))
        other.wait_until_complete()
        fetcher = self.fetch_link(self.link().split("&")[0], "--peer", f"{other.address}:{clients.PORT}")
        self.assert_complete(fetcher)
        self.assert_device_has_the_image(self.target)

    def test_aria2_serves_the_metadata(self):
        self.check_serves_metadata(clients.Aria2)

    def test_transmission_serves_the_metadata(self):
        self.check_serves_metadata(clients.Transmission)

    def test_qbittorrent_serves_the_metadata(self):
        self.check_serves_metadata(clients.QBittorrent)

    def test_rtorrent_serves_the_metadata(self):
        self.check_serves_metadata(clients.RTorrent)

    def test_all_of_them_get_the_metadata_from_us(self):
        seeder = self.start_seed()
        self.torrent = self.link()
        others = self.start_all_clients()
        for other in others:
            other.wait_until_complete()
            self.assert_downloaded(other.download)
        self.end_seed(seeder)

    def test_what_is_no_image_is_refused_before_anything_is_written(self):
        overlapping = Image([Extent(0, 65536), Extent(4096, 65536)])
        self.torrent = overlapping.write_torrent(self.dir / "bad.torrent", announce=self.tracker.url)
        other = self.start_client(clients.Aria2, self.write_directory(self.dir / "images", overlapping))
        other.wait_until_complete()
        fetcher = self.fetch_link("magnet:?xt=urn:btih:" + hashlib.sha1(info_of(self.torrent)).hexdigest(),
                                  "--peer", f"{other.address}:{clients.PORT}")
        self.assertEqual(fetcher.wait(), 3, fetcher)
        self.assertIn("overlap", fetcher.stderr)
        self.assertEqual(touched_gaps(self.target.backing, [], UNTOUCHED), [])

    def test_the_wait_for_metadata_is_bounded(self):
        fetcher = self.fetch_link("magnet:?xt=urn:btih:" + "ab" * 20, "--stall-timeout", "1s")
        self.assertEqual(fetcher.wait(), 7, fetcher)
        self.assertIn("no peer is connected", fetcher.stderr)

    def test_the_wait_for_metadata_can_be_interrupted(self):
        fetcher = self.fetch_link("magnet:?xt=urn:btih:" + "ab" * 20)
        fetcher.wait_for_event("progress")
        fetcher.signal(signal.SIGINT)
        self.assertEqual(fetcher.wait(), 130, fetcher)


if __name__ == "__main__":
    main()
