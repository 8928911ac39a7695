#!/usr/bin/python3
"""Seeders whose disk differs from the torrent: the wrong piece is named, and one good seeder is enough."""

from harness import main, make_file
from image_case import PIECE, ImageCase
from images import odd_image


class ASourceThatHasChanged(ImageCase):
    def setUp(self):
        super().setUp()
        self.target = self.dir / "target.img"

    def test_it_is_said_which_piece_and_extent_do_not_match(self):
        self.image = odd_image(2 << 20)  # soon there but for what is wrong
        self.torrent = self.image.write_torrent(self.dir / "small.torrent", PIECE)
        self.source = self.image.write_to(self.dir / "small.img")
        extent = max(self.image.extents, key=lambda extent: extent.length)
        with open(self.source, "r+b") as file:
            file.seek(extent.offset + extent.length // 2)
            file.write(b"changed since")
        with self.seeding(self.torrent, self.source) as peer:
            fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", peer)
            message = self.assert_failed(fetcher, 8, seconds=90)
        self.assertIn("does not match", message)
        self.assertRegex(message, rf"piece \d+ .*{extent.offset:#x}")
        with open(self.target, "rb") as file:
            file.seek(extent.offset + extent.length // 2)
            self.assertEqual(file.read(13), bytes(13), "what fails its hash was written")

    def test_a_second_source_that_is_right_completes_it(self):
        wrong = make_file(self.dir / "wrong.img", self.image.end)
        with self.seeding(self.torrent, wrong) as bad, self.seeding(self.torrent, self.source, "--max-upload", "20M") as good:
            self.fetch(self.torrent, self.target, "--peer", bad, "--peer", good)
        self.assert_has_the_image(self.target)


if __name__ == "__main__":
    main()
