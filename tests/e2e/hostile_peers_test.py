#!/usr/bin/python3
"""Peers that lie or flood: no crash, no growth, never a wrong byte, and the data of the good ones completes."""

import contextlib
import os
import random
import signal
import socket
import struct

from harness import main, wait_until
from raw_peer import PeersTest, RawPeer


class HostilePeers(PeersTest):
    def test_wrong_data_from_one_does_not_hurt(self):
        with self.lying() as address, self.seeding(self.torrent, self.source, "--max-upload", "16M") as peer:
            self.fetch(self.torrent, self.target, "--peer", address, "--peer", peer)
            self.assert_has_the_image(self.target)

    def test_wrong_data_from_the_only_source_ends_it(self):
        with self.lying() as address:
            fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", address)
            self.assertIn("does not match", self.assert_failed(fetcher, 8, seconds=40))

    def garbage(self, address):
        """Each of these is a conversation that no honest peer would have."""
        rng = random.Random(1)

        def with_handshake(data):
            def work():
                peer = RawPeer.connect(address, self.info_hash, self.pieces)
                with peer.connection:
                    peer.handshake()
                    peer.connection.sendall(data)
                    while True:
                        peer.message()
            return work

        def without(data):
            def work():
                with socket.create_connection(address.split(":"), timeout=20) as connection:
                    connection.settimeout(20)
                    connection.sendall(data)
                    while connection.recv(65536):
                        pass
            return work

        block = lambda piece, begin, length: struct.pack(">IBII", 9 + length, 7, piece, begin) + rng.randbytes(length)
        request = lambda *numbers: struct.pack(">IBIII", 13, 6, *numbers)
        return [
            without(rng.randbytes(1 << 20)),
            without(b"GET / HTTP/1.1\r\n\r\n"),
            without(b"\x13BitTorrent protocol"),
            without(b"\xff" * 1000),
            with_handshake(rng.randbytes(1 << 20)),
            with_handshake(struct.pack(">I", 0xFFFFFFFF) + b"x" * 100000),
            with_handshake(struct.pack(">IB", 1 << 30, 7) + b"x" * 100000),
            with_handshake(struct.pack(">IB", 3, 5) + b"\xff\xff"),
            with_handshake(struct.pack(">IBI", 5, 4, 0xFFFFFFFF) * 100),
            with_handshake(block(0, 0, 16384) * 20),
            with_handshake(block(0xFFFFFFF, 0, 16384)),
            with_handshake(block(0, 0x7FFFFFFF, 16384)),
            with_handshake(block(0, 0, 1 << 20)),
            with_handshake(b"".join(request(rng.getrandbits(32), rng.getrandbits(32), rng.getrandbits(32)) for _ in range(500))),
            with_handshake(request(0, 0, 0) * 100),
            with_handshake(request(0, 1, 1 << 17)),
            with_handshake(request(self.pieces - 1, 0, 16384) * 5000),
            with_handshake(struct.pack(">IBB", 2 + 100000, 20, 0) + b"d" * 100000),
            with_handshake(struct.pack(">IBB", 2 + 4, 20, 200) + b"abcd"),
            with_handshake(b"\0\0\0\0" * 100000),
        ]

    def test_garbage_hurts_neither_fetcher_nor_seeder(self):
        seeder, peer = self.start_listening("seed", self.torrent, self.source, "--max-upload", "12M")
        fetcher, address = self.start_listening("fetch", self.torrent, self.target, "--peer", peer, "--seed-time", "3s")
        with self.background(*self.garbage(peer), *self.garbage(address)):
            self.assert_complete(fetcher)
            self.assertTrue(seeder.is_running(), seeder)
            self.assert_has_the_image(self.target)
            seeder.signal(signal.SIGTERM)
            self.assertEqual(seeder.wait(), 128 + signal.SIGTERM, seeder)
            self.assert_clean(seeder)

    def test_who_asks_for_ever_and_reads_nothing_is_hung_up_on(self):
        """Or the answers would fill the memory: each INTERESTED has one."""
        interested = struct.pack(">IB", 1, 2) * 65536
        with self.seeding(self.torrent, self.source) as address, socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            host, port = address.split(":")
            connection.connect((host, int(port)))
            RawPeer(connection, self.info_hash, self.pieces).handshake()
            with self.assertRaises(ConnectionError):
                for _ in range(200):
                    connection.sendall(interested)
            self.fetch(self.torrent, self.target, "--peer", address)

    def test_500_connections_neither_stop_it_nor_make_it_grow(self):
        memory = 64
        with self.seeding(self.torrent, self.source, "--max-upload", "6M") as peer:
            fetcher, address = self.start_listening("fetch", self.torrent, self.target, "--peer", peer, "--memory",
                                                    f"{memory}M", "--interval", "100ms")
            wait_until(lambda: not fetcher.is_running() or any(event["received_bytes"] for event in fetcher.events_named("progress")),
                       fetcher)  # or there may be no room for the seeder
            connections = []
            with contextlib.ExitStack() as stack:
                for _ in range(500):
                    with contextlib.suppress(OSError):
                        raw = RawPeer.connect(address, self.info_hash, self.pieces)
                        stack.enter_context(raw.connection)
                        raw.connection.sendall(b"\x13BitTorrent protocol" + bytes(8) + self.info_hash + os.urandom(20))
                        connections.append(raw)
                self.assertGreater(len(connections), 200)
                fetcher.wait_for_event("complete")
                peak = fetcher.peak_mib()
            self.assertLess(peak, memory + 96, fetcher)
            self.assert_complete(fetcher)
        self.assert_has_the_image(self.target)


if __name__ == "__main__":
    main()
