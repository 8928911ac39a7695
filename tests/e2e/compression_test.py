#!/usr/bin/python3
"""Compression between our own peers: the same image with fewer bytes on the wire, and nothing that a liar could do with it."""

import contextlib
import hashlib
import pathlib
import re
import select
import signal
import socket
import struct
import threading
import time
import unittest

from certificates import Authority
from harness import EndToEndTest, main, make_file, missing_tools, needs_fuse, wait_until
from images import Extent, Image, differing_extents
from networks import Switch, needs_network_namespaces

try:
    import libtorrent
except ImportError:
    libtorrent = None

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
    return Image([Extent(0, size)]).payload


class CompressionTest(EndToEndTest):
    def use(self, payload, piece=65536, **extras):
        self.image = image_of(payload)
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent", piece, **extras)
        self.source = self.image.write_to(self.dir / "source.img")
        self.target = self.dir / "target.img"

    def assert_right(self, target=None):
        self.assertEqual(differing_extents(self.source, target or self.target, self.image.extents), [])

    def ratio(self, fetcher):
        """What was received, to what that took of the wire, as it says itself."""
        summary = fetcher.events_named("summary")[0]
        return summary["received_bytes"] / summary["received_wire_bytes"]


@needs_network_namespaces
class OnTheWire(CompressionTest):
    def setUp(self):
        super().setUp()
        switch = self.enterContext(Switch())
        self.master, self.client = (self.enterContext(switch.new_host()) for _ in range(2))

    def received(self):
        line = next(line for line in self.client.run("cat", "/proc/thread-self/net/dev").splitlines() if "eth0:" in line)
        return int(line.split(":")[1].split()[0])

    def deploy(self, payload, seed_options=(), fetch_options=(), piece=65536):
        """Returns the client, the seeder, and how many bytes the client's interface has received."""
        self.use(payload, piece)
        seeder = self.start("seed", self.torrent, self.source, "--json", "--no-lsd", "--listen", "7001", "--clients", "1",
                            *(seed_options or STEADY), wrapper=self.master.wrapper)
        seeder.wait_for_event("start")
        before = self.received()
        fetcher = self.start("fetch", self.torrent, self.target, "--json", "--no-lsd", "--seed-time", "0", "--peer",
                             f"{self.master.address}:7001", *fetch_options, wrapper=self.client.wrapper)
        self.assert_complete(fetcher)
        self.assert_right()
        self.assertEqual(seeder.wait(), 0, seeder)
        wire = self.received() - before
        summary = fetcher.events_named("summary")[0]
        self.assertEqual(summary["received_bytes"], len(payload))
        self.assertEqual(seeder.events_named("summary")[0]["uploaded_bytes"], len(payload))
        self.assertLess(abs(summary["received_wire_bytes"] / wire - 1), 0.15)  # there are headers, and what is not data
        sent = seeder.events_named("summary")[0]["uploaded_wire_bytes"]
        self.assertLess(abs(summary["received_wire_bytes"] / sent - 1), 0.02)
        return fetcher, seeder, wire

    def test_what_can_be_compressed_is(self):
        payload = words(24 * MIB)
        fetcher, _, wire = self.deploy(payload)
        self.assertLess(wire, len(payload) * 0.6)
        self.assertEqual(fetcher.events_named("summary")[0]["redundant_bytes"], 0)

    def test_units_are_no_flood_for_as_long_as_they_come(self):
        """libtorrent counts them as messages, of which a peer may only send so many bytes."""
        text, rest = words(24 * MIB), noise(24 * MIB)
        payload = b"".join(text[at:at + 2048] + rest[at:at + 2048] for at in range(0, len(text), 2048))
        fetcher, _, wire = self.deploy(payload, ["--max-upload", "4M"])
        self.assertLess(wire, len(payload) * 0.75)
        self.assertEqual(fetcher.events_named("warning"), [], fetcher)

    def test_what_cannot_be_is_sent_as_it_is(self):
        payload = noise(16 * MIB)
        _, _, wire = self.deploy(payload)
        self.assertLess(wire, len(payload) * 1.08)

    def test_of_both_only_the_one_half(self):
        payload = noise(4 * MIB) + words(8 * MIB) + noise(4 * MIB + 5000)
        _, _, wire = self.deploy(payload)
        self.assertLess(wire, len(payload) * 0.9)

    def test_either_side_can_do_without(self):
        payload = words(8 * MIB)
        for seed_options, fetch_options in (["--no-compression"], []), ([], ["--no-compression"]):
            _, _, wire = self.deploy(payload, seed_options, fetch_options)
            self.assertGreater(wire, len(payload))
            self.target.unlink()

    def test_the_smallest_and_the_largest_pieces(self):
        payload = words(20 * MIB + 777)
        for piece in BLOCK, 16 * MIB:
            _, _, wire = self.deploy(payload, piece=piece)
            self.assertLess(wire, len(payload) * 0.7)
            self.target.unlink()

    def test_limits_are_on_what_goes_over_the_wire(self):
        payload = words(12 * MIB)
        start = time.monotonic()
        fetcher, _, wire = self.deploy(payload, ["--max-upload", "2M"])
        rate = len(payload) / fetcher.events_named("complete")[0]["seconds"]
        self.assertGreater(rate, 2.2e6)  # of the payload
        self.assertGreater(time.monotonic() - start, wire / 2.5e6)


class OnOneHost(CompressionTest):
    def test_several_clients_feed_each_other(self):
        self.use(words(16 * MIB), 262144)
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--clients", "3", "--max-upload", "4M")
        fetchers, known = [], [address]
        for number in range(3):
            options = [word for peer in known for word in ("--peer", peer)]
            fetcher, peer = self.start_listening("fetch", self.torrent, self.dir / f"{number}.img", "--verbose", *options)
            fetchers.append(fetcher)
            known.append(peer)
        for number, fetcher in enumerate(fetchers):
            self.assert_complete(fetcher)
            self.assert_right(self.dir / f"{number}.img")
            self.assertGreater(self.ratio(fetcher), 1.5)
        notes = [event["message"] for fetcher in fetchers for event in fetcher.events_named("note")]
        self.assertTrue(any("needed no compressing" in note and ", 0 B" not in note for note in notes), notes)
        self.assertEqual(seeder.wait(), 0, seeder)
        totals = [process.events_named("summary")[0] for process in (seeder, *fetchers)]
        self.assertEqual(sum(total["received_bytes"] for total in totals), sum(total["uploaded_bytes"] for total in totals))
        for total in totals:
            self.assertEqual(sum(peer["uploaded_bytes"] for peer in total["peers"]), total["uploaded_bytes"])
            self.assertEqual(sum(peer["received_bytes"] for peer in total["peers"]), total["received_bytes"])

    def test_what_is_there_already_is_not_fetched(self):
        payload = words(8 * MIB)
        self.use(payload)
        self.target.write_bytes(payload[:4 * MIB] + bytes(4 * MIB))
        _, address = self.start_listening("seed", self.torrent, self.source, *STEADY)
        fetcher = self.fetch(self.torrent, self.target, "--resume", "--peer", address, "--seed-time", "0")
        self.assert_right()
        self.assertLessEqual(fetcher.events_named("summary")[0]["received_bytes"], 4 * MIB)
        self.assertGreater(self.ratio(fetcher), 1.5)

    def test_a_client_that_was_killed_goes_on_where_it_was(self):
        self.use(words(16 * MIB))
        _, address = self.start_listening("seed", self.torrent, self.source, "--max-upload", "3M")
        first, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", address, "--interval", "50ms")
        wait_until(lambda: any(event["done_bytes"] > 4 * MIB for event in first.events_named("progress")), first)
        first.signal(signal.SIGKILL)
        fetcher = self.fetch(self.torrent, self.target, "--resume", "--peer", address, "--seed-time", "0")
        self.assert_right()
        self.assertGreater(fetcher.events_named("summary")[0]["skipped_bytes"], 0)

    def test_a_seeder_whose_units_flow_is_not_idle(self):
        self.use(words(16 * MIB))
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--idle-timeout", "4s", "--max-upload", "600K")
        self.fetch(self.torrent, self.target, "--peer", address, "--seed-time", "0")
        self.assert_right()
        self.assertEqual(seeder.wait(), 0, seeder)

    @unittest.skipIf(missing_tools("openssl"), "needs openssl")
    def test_so_is_what_is_sent_over_tls(self):
        authority = Authority(self.dir, "ca")
        self.use(words(8 * MIB), ca=authority.certificate.read_text())
        with self.seeding(self.torrent, self.source, *STEADY, *authority.issue("server")) as address:
            fetcher = self.fetch(self.torrent, self.target, "--peer", address, *authority.issue("client"), "--seed-time", "0")
        self.assert_right()
        self.assertGreater(self.ratio(fetcher), 1.5)

    @needs_fuse
    def test_a_disk_that_is_behind_holds_it_up_within_the_memory(self):
        self.use(bytes(160 * MIB) + words(8 * MIB), 1 * MIB)
        _, address = self.start_listening("seed", self.torrent, self.source)
        disk = self.fuse_disk(make_file(self.dir / "backing", len(self.image.payload)))
        disk.block("write")
        fetcher, _ = self.start_listening("fetch", self.torrent, disk.path, "--peer", address, "--memory", "32M", "--seed-time",
                                          "0", "--interval", "100ms")
        wait_until(lambda: any(event["received_bytes"] > 24 * MIB for event in fetcher.events_named("progress")), fetcher)
        time.sleep(1)  # it would go on
        peak = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{fetcher.pid}/status").read_text()).group(1)) / 1024
        self.assertLess(peak, 32 + 96)
        self.assertLess(fetcher.events_named("progress")[-1]["received_bytes"], 80 * MIB)
        disk.unblock("write")
        self.assert_complete(fetcher)
        self.assert_right(self.dir / "backing")
        self.assertEqual(fetcher.events_named("summary")[0]["redundant_bytes"], 0)


@unittest.skipIf(libtorrent is None, "needs python3-libtorrent")
class AmongOthers(CompressionTest):
    def test_a_stock_client_gets_blocks_and_ours_units_from_the_same_seeder(self):
        from swarm_test import StockClient
        self.use(words(8 * MIB))
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--clients", "2", *STEADY)
        stock = self.enterContext(StockClient(self.torrent, self.dir / "stock"))
        stock.connect(address)
        fetcher, other = self.start_listening("fetch", self.torrent, self.target, "--peer", address)
        stock.connect(other)
        self.assert_complete(fetcher)
        self.assert_right()
        self.assertGreater(self.ratio(fetcher), 1.3)
        stock.wait_until_complete()
        self.assertEqual(seeder.wait(), 0, seeder)


def info_hash_of(torrent):
    content = torrent.read_bytes()
    return hashlib.sha1(content[content.index(b"4:info") + 6:-1]).digest()


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


class HandmadeSeed:
    """A peer that has everything and answers requests as `answer` says: by messages, from a list of (piece, start, length).

    Every connection is served; `ended` counts those that the other side has closed."""

    def __init__(self, torrent, answer, step=None):
        self._handshake = b"\x13BitTorrent protocol" + b"\0\0\0\0\0\x10\0\x04" + info_hash_of(torrent)
        self._answer, self._step = answer, step
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._over = False
        self.ended, self.may, self.requests = 0, 0, 0
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
                    self.requests += len(requests)
                    if requests and may:
                        self._send(connection, self._answer(requests))
        except ConnectionError:
            pass
        if not self._over:
            self.ended += 1


class ByHand(CompressionTest):
    PIECE = 65536
    PERIOD = 64

    def setUp(self):
        super().setUp()
        patterns = noise(self.PERIOD * 32)
        pieces = [patterns[start:start + self.PERIOD] * (self.PIECE // self.PERIOD) for start in range(0, len(patterns), self.PERIOD)]
        self.use(b"".join(pieces), self.PIECE)

    def data(self, piece, start, length):
        at = piece * self.PIECE + start
        return self.image.payload[at:at + length]

    def unit(self, piece, start, length, data=None, said=None, codec=1):
        data = data or self.data(piece, start, length)
        return extended(struct.pack("!BIII", codec, piece, start, said or length) + lz4(data, self.PERIOD))

    def block(self, piece, start, length):
        return message(7, struct.pack("!II", piece, start) + self.data(piece, start, length))

    def units(self, requests):
        return b"".join(self.unit(*request) for request in requests)

    def runs(self, requests):
        """Units of several blocks where they follow each other."""
        runs = []
        for piece, start, length in requests:
            if runs and runs[-1][0] == piece and runs[-1][1] + runs[-1][2] == start:
                runs[-1][2] += length
            else:
                runs.append([piece, start, length])
        return self.units(runs)

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
        self.assertGreater(self.ratio(self.assert_fetched_from(self.runs)), 20)

    def test_units_that_come_byte_by_byte(self):
        self.assert_fetched_from(self.units, step=1)

    def test_units_and_blocks_in_turns(self):
        self.assert_fetched_from(self.mixed)

    def test_units_and_blocks_in_parts_of_an_odd_size(self):
        self.assert_fetched_from(self.mixed, step=1777)

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
            liar.sendall(b"\x13BitTorrent protocol" + b"\0\0\0\0\0\x10\0\x04" + info_hash_of(self.torrent) + b"-XX0000-" +
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
                liar.sendall(b"\x13BitTorrent protocol" + b"\0\0\0\0\0\x10\0\x04" + info_hash_of(self.torrent) +
                             b"-XX0000-%012d" % number + message(20, b"\0" + HANDSHAKE) + extended(b"\0\1") + message(2) +
                             requests * 20)
        self.fetch(self.torrent, self.target, "--peer", address, "--seed-time", "0", "--timeout", "60s")
        self.assert_right()
        peak = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{seeder.pid}/status").read_text()).group(1)) / 1024
        self.assertLess(peak, 64 + 96)


if __name__ == "__main__":
    main()
