#!/usr/bin/python3
"""A peer that sends more messages than any peer needs is disconnected and named, and does not stop the others."""

import contextlib
import struct
import threading

from harness import is_listening, main, wait_until
from raw_peer import PeersTest, RawPeer

FAST = bytes(7) + b"\x05"  # BEP 6, and a port for the DHT


def flood_of(kind, payload=b""):
    return struct.pack(">IB", 1 + len(payload), kind) + payload


FLOODS = {
    "keep-alive": bytes(4),
    "unchoke": flood_of(1),
    "have": flood_of(4, bytes(4)),
    "bitfield": None,  # its length is that of the image's
    "cancel": flood_of(8, struct.pack(">III", 0, 0, 16384)),
    "port": flood_of(9, struct.pack(">H", 6881)),
    "suggest": flood_of(13, bytes(4)),
    "have all": flood_of(14),
    "allowed fast": flood_of(17, bytes(4)),
}
NAMED = "127.0.0.1 sends more messages than any peer needs; it is disconnected"


class Floods(PeersTest):
    payload = 6 << 20

    def flood(self, address, kind):
        """Returns when the other end has hung up; raises TimeoutError when it does not."""
        message = FLOODS[kind] or flood_of(5, bytes(-(-self.pieces // 8)))
        burst = message * ((1 << 20) // len(message))
        peer = RawPeer.connect(address, self.info_hash, self.pieces)
        with peer.connection:
            peer.handshake(FAST)
            with contextlib.suppress(ConnectionError):
                if kind not in ("bitfield", "have all"):
                    peer.send(15)
                for _ in range(500):  # 500 MB
                    peer.connection.sendall(burst)
                raise TimeoutError(f"a flood of {kind} goes on for ever")

    def assert_named(self, ezio):
        wait_until(lambda: ezio.events_named("warning"), ezio)
        self.assertEqual([event["message"] for event in ezio.events_named("warning")], [NAMED], ezio)

    def test_each_kind_is_hung_up_on_by_a_seeder(self):
        for kind in FLOODS:
            with self.subTest(kind=kind):
                seeder, address = self.start_listening("seed", self.torrent, self.source)
                seeder.wait_for_event("start")  # by then whatever tried the port has left it
                wait_until(lambda: is_listening(int(address.split(":")[1])), seeder)
                self.flood(address, kind)
                self.assert_named(seeder)

    def test_so_does_a_fetch_that_waits_for_its_metadata(self):
        link = f"magnet:?xt=urn:btih:{self.info_hash.hex()}"
        fetcher, address = self.start_listening("fetch", link, self.target, "--memory", "32M")
        self.flood(address, "have")
        self.assert_named(fetcher)

    def test_a_fetch_goes_on_meanwhile(self):
        with self.seeding(self.torrent, self.source, "--max-upload", "4M") as peer:
            fetcher, address = self.start_listening("fetch", self.torrent, self.target, "--peer", peer, "--seed-time", "0")
            over = threading.Event()

            def flood_again():
                while not over.is_set():
                    self.flood(address, "have")
            with self.background(*[flood_again] * 3):
                self.assert_complete(fetcher)
                over.set()
        self.assert_named(fetcher)
        self.assert_has_the_image(self.target)


if __name__ == "__main__":
    main()
