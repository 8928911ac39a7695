#!/usr/bin/python3
"""Torrents with padding, and hybrid ones of BitTorrent v1 and v2, with stock libtorrent at the other end and without.

Padding is payload that is nowhere on the device: zeros for others, nothing for the target.
"""

import shutil
import unittest

from harness import ON_LOOPBACK, UNTOUCHED, EndToEndTest, free_port, main, make_file, wait_until
from images import differing_extents, odd_image, touched_gaps, write_hybrid_torrent, write_padded_torrent

try:
    import libtorrent
except ImportError:
    libtorrent = None

PIECE = 65536
SIZE = 16 << 20


class PaddedImage(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.image = odd_image((4 << 20) + 12_345)
        self.image.extents.sort(key=lambda extent: extent.offset)  # hybrid torrents are; any bytes will do
        self.source = self.image.write_to(make_file(self.dir / "source.img", SIZE))
        self.directory = self.dir / "seed" / "sda1"
        self.directory.mkdir(parents=True)
        for extent, data in self.image.extents_with_data():
            (self.directory / extent.name).write_bytes(data)

    def assert_has_the_image(self, path):
        self.assertEqual(differing_extents(self.source, path, self.image.extents), [])
        self.assertEqual(touched_gaps(path, self.image.extents, UNTOUCHED), [])

    def assert_directory_has_the_image(self, directory):
        self.assertEqual(sorted(path.name for path in directory.iterdir() if path.name != ".pad"),
                         sorted(extent.name for extent in self.image.extents))
        for extent, data in self.image.extents_with_data():
            self.assertTrue((directory / extent.name).read_bytes() == data, extent)

    def check_all_commands(self, torrent, payload_bytes):
        data = len(self.image.payload)
        (info,) = self.ends_with(0, "info", "--json", torrent).events
        self.assertEqual(info["payload_bytes"], payload_bytes)
        self.assertEqual(info["padding_bytes"], payload_bytes - data)
        self.assertEqual(info["extents"], len(self.image.extents))
        target = make_file(self.dir / "target.img", SIZE, fill=UNTOUCHED)
        with self.seeding(torrent, self.source, "--check") as peer:
            fetcher = self.fetch(torrent, target, "--peer", peer, "--verify")
            self.assert_has_the_image(target)
            self.assertEqual(fetcher.events_named("summary")[0]["written_bytes"], data)
            again = self.fetch(torrent, target, "--peer", peer, "--resume")
            self.assertEqual(again.events_named("summary")[0]["written_bytes"], 0)
            with open(target, "r+b") as file:
                file.seek(self.image.extents[-1].offset)
                file.write(bytes(byte ^ 0xFF for byte in self.image.payload[-self.image.extents[-1].length:]))
            wrong = self.ends_with(8, "verify", torrent, target)
            self.assertIn(f"in 1 extent: {self.image.extents[-1].offset:#x}\n", wrong.stderr)
            self.fetch(torrent, target, "--peer", peer, "--resume")
            self.assert_has_the_image(target)
        self.ends_with(0, "verify", torrent, target)
        images = self.dir / "images"
        images.mkdir()
        with self.seeding(torrent, self.directory.parent) as peer:  # which has no files of padding
            self.fetch(torrent, images, "--peer", peer)
        self.assert_directory_has_the_image(images / "sda1")


class Padded(PaddedImage):
    def test_padding_of_every_name_is_neither_written_nor_needed(self):
        for pad_path in (lambda length: [".pad", str(length)], lambda length: [f"_____padding_file_{length}_____"]):
            torrent, payload = write_padded_torrent(self.dir / "padded.torrent", self.image, PIECE, pad_path)
            self.check_all_commands(torrent, len(payload))
            shutil.rmtree(self.dir / "images")


@unittest.skipIf(libtorrent is None, "needs python3-libtorrent")
class Converters(PaddedImage):
    """What partclone's directory becomes in other people's hands: as Clonezilla's and EZIO's converters make torrents."""

    def make(self, flags, name_of, trackers=()):
        directory = self.dir / "converted" / "sda1"
        shutil.rmtree(directory.parent, ignore_errors=True)
        shutil.copytree(self.directory, directory)
        for extent in self.image.extents:
            (directory / extent.name).rename(directory / name_of(extent))
        storage = libtorrent.file_storage()
        libtorrent.add_files(storage, str(directory))
        maker = libtorrent.create_torrent(storage, PIECE, flags)
        for tier, tracker in enumerate(trackers):
            maker.add_tracker(tracker, tier)
        libtorrent.set_piece_hashes(maker, str(directory.parent))
        torrent = self.dir / "converted.torrent"
        torrent.write_bytes(libtorrent.bencode(maker.generate()))
        return torrent, directory

    def test_every_variant_is_taken(self):
        only, aligned = libtorrent.create_torrent.v1_only, libtorrent.create_torrent.canonical_files
        trackers = [f"http://10.99.0.{host}:6969/announce" for host in (1, 2, 3)]
        names = {"32 digits": "{:032x}", "16 digits": "{:016x}", "upper case": "{:032X}"}
        for flags in only, only | aligned, 0:  # the last is a hybrid torrent
            for what, form in names.items():
                with self.subTest(what, flags=flags):
                    torrent, directory = self.make(flags, lambda extent, form=form: form.format(extent.offset), trackers)
                    (info,) = self.ends_with(0, "info", "--json", torrent).events
                    self.assertEqual(sorted(info["trackers"]), trackers)
                    for source in self.source, directory, directory.parent:  # flat and nested
                        self.ends_with(0, "verify", torrent, source)


@unittest.skipIf(libtorrent is None, "needs python3-libtorrent")
class Hybrid(PaddedImage):
    def setUp(self):
        super().setUp()
        self.torrent = write_hybrid_torrent(self.dir / "hybrid.torrent", self.directory, PIECE)
        self.info = libtorrent.torrent_info(str(self.torrent))
        self.assertTrue(self.info.info_hashes().has_v1() and self.info.info_hashes().has_v2())

    def start_stock(self, directory, peer=None, torrent=None):
        """A session of libtorrent with its defaults, on loopback; returns its torrent and its HOST:PORT."""
        port = free_port()
        session = libtorrent.session({
            "listen_interfaces": f"127.0.0.1:{port}", "enable_dht": False, "enable_lsd": False, "enable_upnp": False,
            "enable_natpmp": False})
        handle = session.add_torrent({"ti": libtorrent.torrent_info(str(torrent or self.torrent)), "save_path": str(directory)})
        if peer:
            host, peer_port = peer.split(":")
            handle.connect_peer((host, int(peer_port)))
        self.addCleanup(lambda kept=session: kept.pause())  # and lives as long as the test
        return handle, f"127.0.0.1:{port}"

    def test_every_command_takes_it(self):
        self.check_all_commands(self.torrent, self.info.total_size())

    def test_stock_libtorrent_fetches_it_from_us(self):
        with self.seeding(self.torrent, self.source) as peer:
            stock, _ = self.start_stock(self.dir / "stock", peer)
            wait_until(lambda: stock.status().is_seeding, "the stock client to be complete")
            wait_until(lambda: len(list((self.dir / "stock" / "sda1").iterdir())) >= len(self.image.extents), "files")
        self.assert_directory_has_the_image(self.dir / "stock" / "sda1")

    def test_we_fetch_it_from_stock_libtorrent(self):
        stock, peer = self.start_stock(self.directory.parent)
        wait_until(lambda: stock.status().is_seeding, "the stock client to have checked its files")
        target = make_file(self.dir / "target.img", SIZE, fill=UNTOUCHED)
        self.fetch(self.torrent, target, "--peer", peer)
        self.assert_has_the_image(target)

    def test_its_magnet_link_works_too(self):
        target = make_file(self.dir / "target.img", SIZE, fill=UNTOUCHED)
        link = self.ends_with(0, "info", "--magnet", self.torrent).stdout.strip()
        with self.seeding(self.torrent, self.source) as peer:
            self.fetch(link, target, "--peer", peer)
        self.assert_has_the_image(target)

    def test_hashes_of_v1_and_v2_that_disagree_are_found(self):
        torrent = libtorrent.bdecode(self.torrent.read_bytes())
        pieces = bytearray(torrent[b"info"][b"pieces"])
        pieces[0] ^= 1
        torrent[b"info"][b"pieces"] = bytes(pieces)
        self.torrent.write_bytes(libtorrent.bencode(torrent))
        self.ends_with(8, "verify", self.torrent, self.source)
        target = make_file(self.dir / "target.img", SIZE, fill=UNTOUCHED)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher = self.ends_with(3, "fetch", self.torrent, target, "--peer", peer, *ON_LOOPBACK)
        self.assertIn("v1 and v2", fetcher.stderr)

    def test_data_that_only_v1_takes_for_right_is_found(self):
        """The v2 hashes are of other data: as after an attack on SHA-1."""
        first = self.image.extents[0]
        (self.directory / first.name).write_bytes(bytes(first.length))
        other = write_hybrid_torrent(self.dir / "other.torrent", self.directory, PIECE)
        torrent, other = (libtorrent.bdecode(path.read_bytes()) for path in (self.torrent, other))
        other[b"info"][b"pieces"] = torrent[b"info"][b"pieces"]
        self.torrent.write_bytes(libtorrent.bencode(other))
        wrong = self.ends_with(8, "verify", self.torrent, self.source)
        self.assertIn(f"in 1 extent: {first.offset:#x}\n", wrong.stderr)
        target = make_file(self.dir / "target.img", SIZE, fill=UNTOUCHED)
        with self.seeding(self.torrent, self.source) as peer:
            fetcher = self.ends_with(3, "fetch", self.torrent, target, "--peer", peer, *ON_LOOPBACK)
        self.assertIn("v1 and v2", fetcher.stderr)
        self.ends_with(8, "seed", "--check", self.torrent, self.source, *ON_LOOPBACK)

    def test_piece_layers_that_are_not_those_of_the_file_are_refused(self):
        torrent = libtorrent.bdecode(self.torrent.read_bytes())
        root = next(iter(torrent[b"piece layers"]))
        torrent[b"piece layers"][root] = bytes(len(torrent[b"piece layers"][root]))
        self.torrent.write_bytes(libtorrent.bencode(torrent))
        refused = self.ends_with(3, "info", self.torrent)
        self.assertRegex(refused.stderr, "v2 hashes of the pieces|a piece layer is invalid")  # libtorrent 2.0.11 sees it, too


if __name__ == "__main__":
    main()
