#!/usr/bin/python3
"""Compression with hand-made peers: units in any form and order, and nothing that a liar could do with them."""

import contextlib
import socket
import struct

from compression_case import (BLOCK, HANDSHAKE, MIB, STEADY, UNITS_ID, CompressionTest, HandmadeSeed, extended, lz4, message, noise, words,
                              zstd)
from harness import main, wait_until
from raw_peer import EXTENSIONS_AND_FAST, RawPeer, info_hash_of


class ByHand(CompressionTest):
    PIECE = 65536
    PERIOD = 64

    def setUp(self):
        super().setUp()
        patterns = noise(self.PERIOD * 32)
        pieces = [patterns[start:start + self.PERIOD] * (self.PIECE // self.PERIOD) for start in range(0, len(patterns), self.PERIOD)]
        self.use(b"".join(pieces), self.PIECE)

    def data(self, piece, start, length):
        at = piece * self.piece + start
        return self.image.payload[at:at + length]

    def unit(self, piece, start, length, data=None, said=None, codec=1):
        data = data or self.data(piece, start, length)
        return extended(struct.pack("!BIII", codec, piece, start, said or length) + lz4(data, self.PERIOD))

    def block(self, piece, start, length):
        return message(7, struct.pack("!II", piece, start) + self.data(piece, start, length))

    def units(self, requests):
        return b"".join(self.unit(*request) for request in requests)

    @staticmethod
    def runs(requests):
        """Several blocks in one, where they follow each other."""
        runs = []
        for piece, start, length in requests:
            if runs and runs[-1][0] == piece and runs[-1][1] + runs[-1][2] == start:
                runs[-1][2] += length
            else:
                runs.append([piece, start, length])
        return runs

    def longer_units(self, requests):
        return self.units(self.runs(requests))

    def mixed(self, requests):
        return b"".join(self.block(*request) if number % 2 else self.unit(*request) for number, request in enumerate(requests))

    def assert_fetched_from(self, answer, step=None):
        """From this peer alone, without a fault."""
        with HandmadeSeed(self.torrent, answer, step) as seed:
            fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", seed.address, "--seed-time", "0",
                                              "--timeout", "60s")
            self.assert_complete(fetcher)
            self.assertEqual(seed.may, 1)
        self.assert_right()
        summary = fetcher.events_named("summary")[0]
        self.assertEqual((summary["redundant_bytes"], summary["failed_pieces"]), (0, 0))
        return fetcher

    def test_units_of_a_block_each(self):
        self.assertGreater(self.ratio(self.assert_fetched_from(self.units)), 20)

    def test_units_of_several_blocks(self):
        self.assertGreater(self.ratio(self.assert_fetched_from(self.longer_units)), 20)

    def test_units_that_come_byte_by_byte(self):
        self.assert_fetched_from(self.units, step=1)

    def test_units_and_blocks_in_turns(self):
        self.assert_fetched_from(self.mixed)

    def test_units_and_blocks_in_parts_of_an_odd_size(self):
        self.assert_fetched_from(self.mixed, step=1777)

    # --- who wants no units for now ---

    def asking(self, *options):
        """A peer of a seeder of ours that may be sent units."""
        _, address = self.start_listening("seed", self.torrent, self.source, *STEADY, *options)
        peer = RawPeer.connect(address, info_hash_of(self.torrent), 32)
        self.enterContext(peer.connection)
        peer.handshake(EXTENSIONS_AND_FAST)
        peer.connection.sendall(message(20, b"\0" + HANDSHAKE) + extended(b"\0\1") + message(2))
        while peer.message()[0] != 1:
            pass
        return peer

    def answers(self, peer, piece, *before, after=b""):
        """What the requests of a piece are answered with: "unit" or "block"."""
        requests = b"".join(message(6, struct.pack("!III", piece, start, BLOCK)) for start in range(0, self.PIECE, BLOCK))
        peer.connection.sendall(b"".join(before) + requests + after)
        kinds, missing = [], self.PIECE
        while missing > 0:
            kind, payload = peer.message()
            if kind == 7:
                kinds.append("block")
                missing -= len(payload) - 8
            elif kind == 20 and payload[0] == UNITS_ID and payload[1] != 0:
                kinds.append("unit")
                missing -= struct.unpack_from("!I", payload, 10)[0]
            self.assertNotEqual(kind, 16)
        return set(kinds)

    def test_who_wants_no_units_any_more_gets_blocks_from_then_on(self):
        peer = self.asking()
        none, both = extended(b"\0\0"), extended(b"\0\3")
        self.assertEqual(self.answers(peer, 0), {"unit"})
        self.assertEqual(self.answers(peer, 1, after=none), {"block"})  # though they were asked for before
        self.assertEqual(self.answers(peer, 2), {"block"})
        self.assertEqual(self.answers(peer, 3, both), {"unit"})

    def test_units_pay_for_the_requests_that_they_answer(self):
        """A fast client sends more requests than any peer may send messages that lead to nothing."""
        peer = self.asking()
        batch = b"".join(message(6, struct.pack("!III", piece, start, BLOCK))
                         for piece in range(32) for start in range(0, self.PIECE, BLOCK))
        batches = 30_000 * BLOCK // (32 * self.PIECE)
        for number in range(batches + 3):
            if number < batches:
                peer.connection.sendall(batch)
            missing = 32 * self.PIECE if number >= 3 else 0  # three are on their way
            while missing > 0:
                kind, payload = peer.message()  # fails when it is hung up on
                if kind == 20 and payload[0] == UNITS_ID and payload[1] != 0:
                    missing -= struct.unpack_from("!I", payload, 10)[0]

    # --- liars ---

    def assert_harmless(self, answer, hangs_up=True):
        """Whatever it does, the image comes from the other one. Returns the fetcher."""
        with HandmadeSeed(self.torrent, answer) as liar:
            _, honest = self.start_listening("seed", self.torrent, self.source, "--max-upload", "200K")
            fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", liar.address, "--peer", honest,
                                              "--seed-time", "0", "--timeout", "60s", "--verbose")
            if hangs_up:
                wait_until(lambda: liar.ended > 0 or not fetcher.is_running(), "the liar to be hung up on")
            self.assert_complete(fetcher)
            self.assertGreater(liar.requests, 0)
            if hangs_up:
                self.assertGreater(liar.ended, 0)
        self.assert_right()
        return fetcher

    def test_a_bomb(self):
        self.assert_harmless(lambda requests: self.unit(*requests[0], data=b"x" * (8 * MIB)))

    def frame(self, request, *blocks, says=None):
        """A unit with a frame of zstd."""
        return extended(struct.pack("!BIII", 2, *request) + zstd(request[2] if says is None else says, *blocks))

    def test_a_frame_with_more_in_it_than_it_says(self):
        self.assert_harmless(lambda requests: self.frame(requests[0], *[(b"x", 128 * 1024 - 1)] * 64))

    def test_a_frame_that_says_more_than_the_unit(self):
        self.assert_harmless(lambda requests: self.frame(requests[0], (b"x", BLOCK), says=0xffffffff))

    def test_a_storm_of_units_that_were_not_asked_for(self):
        self.assert_harmless(lambda requests: extended(struct.pack("!BIIIB", 1, 0, 0, BLOCK, 0)) * 100_000)

    def test_a_storm_of_the_smallest_units_is_taken_within_the_memory(self):
        self.use(bytes(96 * MIB), BLOCK)
        with HandmadeSeed(self.torrent, lambda requests: b"".join(self.frame(request, (b"\0", request[2])) for request in requests)) as seed:
            fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", seed.address, "--memory", "32M")
            fetcher.wait_for_event("complete")
            self.assertLess(fetcher.peak_mib(), 32 + 96)
            self.assert_right()

    def test_less_than_it_says(self):
        self.assert_harmless(lambda requests: self.unit(*requests[0], data=b"x" * (BLOCK - 1)))

    def test_more_than_it_says(self):
        self.assert_harmless(lambda requests: self.unit(*requests[0], data=b"x" * (BLOCK + 1)))

    def test_no_whole_blocks(self):
        self.assert_harmless(lambda requests: self.unit(*requests[0][:2], 100, said=100))

    def test_what_was_not_asked_for(self):
        def other(requests):
            asked = set(requests)
            return next(self.unit(piece, start, BLOCK) for piece in range(32) for start in range(0, self.PIECE, BLOCK)
                        if (piece, start, BLOCK) not in asked)
        self.assert_harmless(other)

    def test_what_was_answered_already(self):
        self.assert_harmless(lambda requests: self.unit(*requests[0]) * 2)

    def test_another_codec(self):
        self.assert_harmless(lambda requests: self.unit(*requests[0], codec=77))

    def test_a_message_that_is_too_long(self):
        self.assert_harmless(lambda requests: extended(bytes(600_000)))

    def test_a_message_that_is_empty(self):
        self.assert_harmless(lambda requests: extended(b""))

    def test_a_storm_of_permissions(self):
        self.assert_harmless(lambda requests: extended(b"\0\1") * 100_000 + self.units(requests), hangs_up=False)

    def test_wrong_content_in_the_right_form_is_found_and_the_peer_named(self):
        wrong = b"wrong" + noise(self.PERIOD - 5)
        fetcher = self.assert_harmless(lambda requests: b"".join(
            self.unit(*request, data=(wrong * BLOCK)[:request[2]]) for request in requests))
        self.assertGreater(fetcher.events_named("summary")[0]["failed_pieces"], 0)
        notes = [event["message"] for event in fetcher.events_named("note")]
        self.assertTrue(any("with the wrong hash had data from 127.0.0.1" in note for note in notes), fetcher)

    def test_units_to_a_seeder_who_has_asked_for_nothing(self):
        _, address = self.start_listening("seed", self.torrent, self.source)
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), timeout=30) as liar:
            liar.sendall(b"\x13BitTorrent protocol" + EXTENSIONS_AND_FAST + info_hash_of(self.torrent) + b"-XX0000-" +
                         bytes(12) + message(20, b"\0" + HANDSHAKE) + self.unit(0, 0, BLOCK))
            with contextlib.suppress(ConnectionError):
                while liar.recv(65536):
                    pass
        self.fetch(self.torrent, self.target, "--peer", address, "--seed-time", "0")
        self.assert_right()

    def test_many_that_ask_for_units_and_read_nothing(self):
        self.use(words(32 * MIB), 262144)
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--memory", "64M")
        host, port = address.split(":")
        requests = b"".join(message(6, struct.pack("!III", piece, start, BLOCK)) for piece in range(64) for start in range(0, 262144, BLOCK))
        for number in range(40):
            liar = self.enterContext(socket.socket())
            liar.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            liar.settimeout(1)
            with contextlib.suppress(TimeoutError, ConnectionError):
                liar.connect((host, int(port)))
                liar.sendall(b"\x13BitTorrent protocol" + EXTENSIONS_AND_FAST + info_hash_of(self.torrent) +
                             b"-XX0000-%012d" % number + message(20, b"\0" + HANDSHAKE) + extended(b"\0\1") + message(2) +
                             requests * 20)
        self.fetch(self.torrent, self.target, "--peer", address, "--seed-time", "0", "--timeout", "60s")
        self.assert_right()
        self.assertLess(seeder.peak_mib(), 64 + 96)


if __name__ == "__main__":
    main()
