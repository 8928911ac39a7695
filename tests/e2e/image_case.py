"""What the tests stand on that deploy one small image."""

import tempfile
import unittest

from harness import EndToEndTest
from images import differing_extents, odd_image

try:
    import libtorrent
except ImportError:
    libtorrent = None

PIECE = 65536
needs_libtorrent = unittest.skipIf(libtorrent is None, "needs python3-libtorrent")


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

    def start_stock_client(self, host, address):
        """python3-libtorrent on that host, which its threads stay on, with the peer at port 6881 of that address. Returns its torrent."""
        with host.inside():
            session = libtorrent.session({
                "listen_interfaces": f"{host.address}:6881", "enable_dht": False, "enable_lsd": False, "enable_upnp": False,
                "enable_natpmp": False})
        params = libtorrent.add_torrent_params()
        params.ti = libtorrent.torrent_info(str(self.torrent))
        params.save_path = tempfile.mkdtemp(prefix="stock-", dir=self.dir)
        torrent = session.add_torrent(params)
        torrent.connect_peer((address, 6881))
        self.addCleanup(session.pause)
        return torrent
