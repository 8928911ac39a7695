"""A peer that says what a test wants it to say, and what the tests stand on that have such peers."""

import contextlib
import hashlib
import os
import socket
import struct
import threading

from image_case import PIECE, ImageCase

EXTENSIONS_AND_FAST = b"\0\0\0\0\0\x10\0\x04"  # in a handshake: BEP 10, and rejections (BEP 6)
EXTENDED = 20


def info_hash_of(torrent):
    """The SHA-1 of the info dictionary, which is the last thing in the torrents that images.py makes."""
    data = torrent.read_bytes()
    start = data.index(b"4:info") + 6
    return hashlib.sha1(data[start:-1]).digest()


class RawPeer:
    """Speaks as much BitTorrent as its tests need, over a plain socket."""

    def __init__(self, connection, info_hash, pieces):
        self.connection = connection
        self.connection.settimeout(20)
        self.info_hash, self.pieces = info_hash, pieces

    @classmethod
    def connect(cls, address, info_hash, pieces):
        host, port = address.split(":")
        return cls(socket.create_connection((host, int(port)), timeout=20), info_hash, pieces)

    def handshake(self, reserved=bytes(8)):
        self.connection.sendall(b"\x13BitTorrent protocol" + reserved + self.info_hash + b"-XX0000-" + os.urandom(12))
        return self.receive(68)

    def receive(self, count):
        data = b""
        while len(data) < count:
            part = self.connection.recv(count - len(data))
            if not part:
                raise ConnectionError("closed")
            data += part
        return data

    def message(self):
        (length,) = struct.unpack(">I", self.receive(4))
        data = self.receive(length)
        return (data[0], data[1:]) if data else (None, b"")

    def send(self, kind, payload=b""):
        self.connection.sendall(struct.pack(">IB", 1 + len(payload), kind) + payload)

    def have_everything(self):
        bits = (1 << self.pieces) - 1 << -self.pieces % 8
        self.send(5, bits.to_bytes(-(-self.pieces // 8), "big"))
        self.send(1)

    def serve(self, answer):
        """Has everything, and answers each request with answer(piece, begin, length)."""
        self.handshake()
        self.have_everything()
        while True:
            kind, payload = self.message()
            if kind == 6:
                piece, begin, length = struct.unpack(">III", payload)
                self.send(7, struct.pack(">II", piece, begin) + answer(piece, begin, length))


@contextlib.contextmanager
def waiting_peer(fetcher, address):
    """A peer that lacks everything and asks for nothing: meanwhile a complete fetch does not leave."""
    fetcher.wait_for_event("start")
    info_hash = bytes.fromhex(fetcher.events_named("start")[0]["info_hash"])
    peer = RawPeer.connect(address, info_hash, pieces=0)
    with peer.connection:
        peer.handshake()
        yield


class PeersTest(ImageCase):
    def setUp(self):
        super().setUp()
        self.target = self.dir / "target.img"
        self.info_hash = info_hash_of(self.torrent)
        self.pieces = -(-len(self.image.payload) // PIECE)

    @contextlib.contextmanager
    def background(self, *works):
        """Runs each of these until it is done or fails, meanwhile; what they do is none of the test's business."""
        def run(work):
            with contextlib.suppress(OSError, struct.error):
                work()
        threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
        for thread in threads:
            thread.start()
        yield
        for thread in threads:
            thread.join(60)

    @contextlib.contextmanager
    def serving(self, answer, host=None, port=0):
        """A peer that listens, on loopback or that host, has everything and answers requests so. Yields its address."""
        with host.inside() if host else contextlib.nullcontext():
            server = self.enterContext(socket.create_server((host.address if host else "127.0.0.1", port)))

        def serve(connection):
            with connection, contextlib.suppress(OSError):
                RawPeer(connection, self.info_hash, self.pieces).serve(answer)

        def work():
            while True:
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
        with self.background(work):
            try:
                yield "{}:{}".format(*server.getsockname())
            finally:
                server.shutdown(socket.SHUT_RDWR)  # ends accept()

    def lying(self):
        """The same with random bytes for an answer."""
        return self.serving(lambda piece, begin, length: os.urandom(length))
