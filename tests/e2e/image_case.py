"""What the tests stand on that deploy one small image."""

from harness import EndToEndTest
from images import differing_extents, odd_image

PIECE = 65536


class ImageCase(EndToEndTest):
    """Has an image, its torrent with pieces of 64 KiB, and a raw image file that holds it."""

    payload = (24 << 20) + 12_345

    def setUp(self):
        super().setUp()
        self.image = odd_image(self.payload)
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent", PIECE)
        self.source = self.image.write_to(self.dir / "source.img")

    def assert_has_the_image(self, path):
        self.assertEqual(differing_extents(self.source, path, self.image.extents), [])
