"""What the tests of compression stand on: images that shrink, and peers that are made by hand."""

import contextlib
import random
import select
import socket
import struct
import threading
import unittest

from harness import COMPRESSION, EndToEndTest
from images import Extent, Image, differing_extents
from raw_peer import EXTENSIONS_AND_FAST, info_hash_of

MIB = 1 << 20
BLOCK = 16384
STEADY = ["--max-upload", "20M"]  # with a limit it does not try whether it is faster without, which on a busy machine it may be
UNITS_ID = 40  # under which ezio-cli takes messages of the extension
HANDSHAKE = b"d11:ezio_codecsi1e1:md11:ezio_units1i40eee"


def words(size, seed=1):
    """Bytes that shrink to about a third."""
    line = b"".join(b"%08x the quick brown fox jumps over the lazy dog\n" % (number * 2654435761 % (1 << 32))
                    for number in range(seed, seed + 20_000))
    return (line * (size // len(line) + 1))[:size]


def image_of(payload):
    image = Image([Extent(0, len(payload))])
    image.payload = payload
    return image


def noise(size):
    """Bytes that do not shrink."""
    return random.Random(1).randbytes(size)


@unittest.skipIf(COMPRESSION == "off", "compression is off")
class CompressionTest(EndToEndTest):
    def use(self, payload, piece=65536, **extras):
        self.image, self.piece = image_of(payload), piece
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent", piece, **extras)
        self.source = self.image.write_to(self.dir / "source.img")
        self.target = self.dir / "target.img"

    def assert_right(self, target=None):
        self.assertEqual(differing_extents(self.source, target or self.target, self.image.extents), [])

    def ratio(self, fetcher):
        """What was received, to what that took of the wire, as it says itself."""
        summary = fetcher.events_named("summary")[0]
        return summary["received_bytes"] / summary["received_wire_bytes"]


def message(kind, payload=b""):
    return struct.pack("!IB", len(payload) + 1, kind) + payload


def extended(payload):
    return message(20, bytes([UNITS_ID]) + payload)


def extra(length):
    """The rest of a length of 15 and more, as LZ4 has it."""
    return b"\xff" * ((length - 15) // 255) + bytes([(length - 15) % 255])


def lz4(data, period):
    """Of data that repeats itself."""
    match = len(data) - period - 5
    return (bytes([0xff if period >= 15 else period << 4 | 15]) + (extra(period) if period >= 15 else b"") + data[:period] +
            struct.pack("<H", period) + extra(match - 4) + b"\x50" + data[-5:])


def zstd(size, *blocks):
    """A frame that says that it holds `size` bytes, of blocks of at most 128 KiB: bytes as they are, or one byte and how often."""
    frame = struct.pack("<IBI", 0xfd2fb528, 0xa0, size)
    for number, block in enumerate(blocks):
        kind, length, data = (1, block[1], block[0]) if isinstance(block, tuple) else (0, len(block), block)
        frame += struct.pack("<I", length << 3 | kind << 1 | (number == len(blocks) - 1))[:3] + data
    return frame


class HandmadeSeed:
    """A peer that has everything and answers requests as `answer` says: by messages, from a list of (piece, start, length).

    Every connection is served; `ended` counts those that the other side has closed. `may` and `unwanted` count how often it was told
    that units may be sent, and that they may not."""

    def __init__(self, torrent, answer, step=None, host="127.0.0.1"):
        self._handshake = b"\x13BitTorrent protocol" + EXTENSIONS_AND_FAST + info_hash_of(torrent)
        self._answer, self._step = answer, step
        self._listener = socket.create_server((host, 0))
        self.address = f"{host}:{self._listener.getsockname()[1]}"
        self._over = False
        self.ended, self.may, self.unwanted, self.requests = 0, 0, 0, 0
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        self._over = True
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self):
        while not self._over:
            if select.select([self._listener], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    connection = self._listener.accept()[0]
                    connection.settimeout(0.05)
                    self._threads.append(threading.Thread(target=self._serve, args=[connection, len(self._threads)]))
                    self._threads[-1].start()

    def _receive(self, connection, buffer):
        """Returns the requests and whether it may send, of whole messages in the buffer."""
        requests, may = [], None
        while len(buffer) >= 4 and len(buffer) >= 4 + (size := struct.unpack_from("!I", buffer)[0]):
            body = bytes(buffer[4:4 + size])
            del buffer[:4 + size]
            if body[:1] == b"\x06":
                requests.append(struct.unpack("!III", body[1:]))
            elif body[:3] == b"\x14\x28\0":
                may = body[3]
        return requests, may

    def _send(self, connection, data):
        for start in range(0, len(data), self._step or len(data) or 1):
            part = data[start:start + (self._step or len(data))]
            while part and not self._over:
                with contextlib.suppress(TimeoutError):
                    part = part[connection.send(part):]

    def _serve(self, connection, number):
        buffer, may = bytearray(), False
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.sendall(self._handshake + b"-XX0000-%012d" % number +
                                   message(20, b"\0" + HANDSHAKE) + message(14) + message(1))
                while not self._over:
                    with contextlib.suppress(TimeoutError):
                        data = connection.recv(65536)
                        if not data:
                            break
                        buffer += data
                    if len(buffer) >= 68 and buffer[0] == 0x13:
                        del buffer[:68]
                    if not buffer or buffer[0] == 0x13:
                        continue
                    requests, told = self._receive(connection, buffer)
                    may = may or bool(told)
                    self.may += bool(told)
                    self.unwanted += told == 0
                    self.requests += len(requests)
                    if requests and may:
                        self._send(connection, self._answer(requests))
        except ConnectionError:
            pass
        if not self._over:
            self.ended += 1
