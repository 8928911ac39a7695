"""What the tests stand on that fetch to a disk which misbehaves as fuse_disk.py says."""

from harness import ON_LOOPBACK, free_port, make_file
from image_case import ImageCase


class ToFuseDisk(ImageCase):
    """Has a disk, the empty `backing` behind it, and what fetches to it."""

    payload = (8 << 20) + 12_345

    def setUp(self):
        super().setUp()
        self.disk = self.fuse_disk(make_file(self.dir / "backing", self.image.end))

    def fetching(self, *options):
        port = free_port()
        self.start("seed", self.torrent, self.source, *ON_LOOPBACK, "--listen", f"127.0.0.1:{port}")
        return self.start_listening("fetch", self.torrent, self.disk.path, "--peer", f"127.0.0.1:{port}", *options)[0]
