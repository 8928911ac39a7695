#!/usr/bin/python3
"""Peers that lie, flood or dawdle: the others still get the image, and memory stays bounded."""

import contextlib
import re
import socket
import struct

from harness import main
from image_case import ImageCase
from networks import Switch, needs_network_namespaces
from raw_peer import EXTENSIONS_AND_FAST, info_hash_of

MIB = 1 << 20
MEMORY = 64  # MiB, for --memory
REST = 96  # MiB that the rest of the process may need, as the manual says


class HostileTest(ImageCase):
    def setUp(self):
        super().setUp()
        self.target = self.dir / "target.img"


@needs_network_namespaces
class WrongData(HostileTest):
    def setUp(self):
        super().setUp()
        self.wrong = self.dir / "wrong.img"  # a source that is not the image, and nobody has checked it
        with open(self.source, "rb") as file:
            self.wrong.write_bytes(file.read().translate(bytes(byte ^ 0x55 for byte in range(256))))
        switch = self.enterContext(Switch())
        self.honest, self.liar, self.client = (self.enterContext(switch.new_host()) for _ in range(3))

    def seed(self, host, source):
        seeder = self.start("seed", self.torrent, source, "--json", "--no-lsd", "--listen", "7001", wrapper=host.wrapper)
        seeder.wait_for_event("start")
        return f"{host.address}:7001"

    def fetch_from(self, *peers):
        options = [word for peer in peers for word in ("--peer", peer)]
        return self.start("fetch", self.torrent, self.target, "--json", "--no-lsd", "--verbose", *options,
                          wrapper=self.client.wrapper)

    def warnings(self, fetcher):
        return [event["message"] for event in fetcher.events_named("warning")]

    def test_a_peer_that_sends_wrong_data_is_named_and_dropped_and_the_image_is_right(self):
        honest, liar = self.seed(self.honest, self.source), self.seed(self.liar, self.wrong)
        fetcher = self.fetch_from(honest, liar)
        self.assert_complete(fetcher)
        self.assert_has_the_image(self.target)
        self.assertTrue(any(f"{self.liar.address}:" in message for message in self.warnings(fetcher)), fetcher)
        self.assertFalse(any(f"{self.honest.address}:" in message for message in self.warnings(fetcher)), fetcher)
        self.assertGreater(fetcher.events_named("summary")[0]["failed_pieces"], 0)
        notes = [event["message"] for event in fetcher.events_named("note")]
        self.assertTrue(any(re.fullmatch(rf"piece \d+ with the wrong hash had data from {re.escape(self.liar.address)}:\d+", note)
                            for note in notes), fetcher)

    def test_one_that_comes_back_again_and_again_is_kept_out_and_the_fetch_ends(self):
        fetcher = self.fetch_from(self.seed(self.liar, self.wrong))
        self.assertEqual(fetcher.wait(), 8, fetcher)
        self.assertIn("does not match the torrent", fetcher.events_named("error")[0]["message"])
        self.assertTrue(any("banned from now on" in message for message in self.warnings(fetcher)), fetcher)


class Peer:
    """A peer of the BitTorrent protocol, by hand."""

    def __init__(self, address, info_hash, peer_id=b"-XX0000-" + bytes(12), receive_buffer=None):
        host, port = address.split(":")
        self.socket = socket.socket()
        self.socket.settimeout(30)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect((host, int(port)))
        self.socket.sendall(b"\x13BitTorrent protocol" + EXTENSIONS_AND_FAST + info_hash + peer_id)

    def send(self, kind, payload=b""):
        self.socket.sendall(struct.pack("!IB", len(payload) + 1, kind) + payload)

    def close(self):
        self.socket.close()


class Floods(HostileTest):
    CONNECTIONS = 500

    def start_seeder(self):
        return self.start_listening("seed", self.torrent, self.source, "--memory", f"{MEMORY}M")

    def check(self, seeder, peer):
        """While whatever it is goes on, the image is to be had, and memory bounded."""
        self.fetch(self.torrent, self.target, "--peer", peer, "--timeout", "60s")
        self.assert_has_the_image(self.target)
        self.assertLess(seeder.peak_mib(), MEMORY + REST)

    def connections(self, peer, first_bytes):
        """Many that send so much and then nothing."""
        host, port = peer.split(":")
        sockets = contextlib.ExitStack()
        for _ in range(self.CONNECTIONS):
            connection = sockets.enter_context(socket.create_connection((host, int(port)), timeout=30))
            connection.sendall(first_bytes)
        return sockets

    def test_many_connections_that_say_nothing(self):
        seeder, peer = self.start_seeder()
        with self.connections(peer, b""):
            self.check(seeder, peer)

    def test_many_handshakes_that_never_end(self):
        seeder, peer = self.start_seeder()
        with self.connections(peer, b"\x13BitTorrent pro"):
            self.check(seeder, peer)

    def test_many_peers_of_something_else(self):
        seeder, peer = self.start_seeder()
        with self.connections(peer, b"\x13BitTorrent protocol" + bytes(8) + b"x" * 20 + b"-XX0000-" + bytes(12)):
            self.check(seeder, peer)

    def test_more_peers_than_there_is_room_for_that_want_nothing(self):
        seeder, peer = self.start_seeder()
        with contextlib.ExitStack() as idle:
            for number in range(self.CONNECTIONS):
                idle.enter_context(contextlib.closing(Peer(peer, info_hash_of(self.torrent), b"-XX0000-%012d" % number)))
            self.check(seeder, peer)

    def test_a_message_that_would_be_huge(self):
        seeder, peer = self.start_seeder()
        with contextlib.closing(Peer(peer, info_hash_of(self.torrent))) as liar:
            liar.socket.sendall(struct.pack("!IB", 0x7FFFFFFF, 7))
            self.check(seeder, peer)

    def flood(self, peer, messages):
        """Sends until the other side no longer reads, or hangs up. Reads nothing."""
        liar = self.enterContext(contextlib.closing(Peer(peer, info_hash_of(self.torrent))))
        liar.socket.settimeout(2)
        sent = 0
        with contextlib.suppress(TimeoutError, ConnectionError):
            while sent < 32 * MIB:
                sent += liar.socket.send(messages)
        return liar

    def test_requests_for_the_metadata_without_end(self):
        seeder, peer = self.start_seeder()
        handshake = b"\0d1:md11:ut_metadatai2eee"
        request = b"\x02d8:msg_typei0e5:piecei0ee"
        wrapped = [struct.pack("!IB", len(body) + 1, 20) + body for body in (handshake, request)]
        self.flood(peer, wrapped[0] + wrapped[1] * 1000)
        self.check(seeder, peer)

    INTERESTED = struct.pack("!IB", 1, 2)
    REQUESTS = b"".join(struct.pack("!IBIII", 13, 6, piece, 0, 16384) for piece in range(300))

    def test_requests_for_data_without_end(self):
        seeder, peer = self.start_seeder()
        self.flood(peer, self.INTERESTED + self.REQUESTS)
        self.check(seeder, peer)

    def test_many_that_ask_for_some_data_each_and_read_nothing(self):
        seeder, peer = self.start_seeder()
        for number in range(60):
            liar = self.enterContext(contextlib.closing(Peer(peer, info_hash_of(self.torrent), b"-XX0000-%012d" % number, 4096)))
            liar.socket.settimeout(1)
            with contextlib.suppress(TimeoutError, ConnectionError):
                liar.socket.sendall(self.INTERESTED + self.REQUESTS * 650)  # 3.2 MiB, each answered by as much
        self.check(seeder, peer)

    def test_messages_about_all_pieces_without_end(self):
        seeder, peer = self.start_seeder()
        self.flood(peer, struct.pack("!IB", 1, 14) * 10_000)  # HAVE_ALL
        self.check(seeder, peer)


if __name__ == "__main__":
    main()
