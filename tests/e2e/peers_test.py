#!/usr/bin/python3
"""Peers that die, lie or flood: no crash, no growth, never a wrong byte, and the data of the good ones completes."""

import contextlib
import hashlib
import os
import pathlib
import random
import re
import signal
import socket
import struct
import threading
import time

from harness import ON_LOOPBACK, free_port, main, make_file, wait_until
from image_case import PIECE, ImageCase
from networks import Host, Switch, needs_network_namespaces

MIB = 1 << 20


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

    def liar(self):
        """A peer that listens, has everything and sends random bytes. Returns its address and its work."""
        server = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        server.settimeout(30)

        def work():
            while True:
                connection, _ = server.accept()
                with connection, contextlib.suppress(OSError):
                    RawPeer(connection, self.info_hash, self.pieces).serve(lambda piece, begin, length: os.urandom(length))
        self.addCleanup(server.close)
        return f"127.0.0.1:{server.getsockname()[1]}", work


class LostPeers(PeersTest):
    def test_when_the_seeder_dies_half_way_the_stall_ends_it(self):
        seeder, peer = self.start_listening("seed", self.torrent, self.source)
        fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", peer, "--max-download", "4M",
                                          "--stall-timeout", "3s")
        half = len(self.image.payload) // 2
        wait_until(lambda: any(event["done_bytes"] > half for event in fetcher.events_named("progress")), fetcher)
        seeder.signal(signal.SIGKILL)
        self.assertRegex(self.assert_failed(fetcher, 7, seconds=20), "no peer is connected")

    def test_another_seeder_takes_over(self):
        first, peer = self.start_listening("seed", self.torrent, self.source)
        port = free_port()
        fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", peer, "--peer", f"127.0.0.1:{port}",
                                          "--max-download", "8M")
        wait_until(lambda: any(event["done_bytes"] > 4 * MIB for event in fetcher.events_named("progress")), fetcher)
        first.signal(signal.SIGKILL)
        self.start("seed", self.torrent, self.source, *ON_LOOPBACK, "--listen", f"127.0.0.1:{port}")
        self.assert_complete(fetcher)
        self.assert_has_the_image(self.target)

    def test_a_peer_without_data_is_what_it_waits_for(self):
        other, peer = self.start_listening("fetch", self.torrent, self.dir / "other.img")
        fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", peer, "--stall-timeout", "3s")
        self.assertRegex(self.assert_failed(fetcher, 7, seconds=20), "connected, but without any data")

    def test_a_tracker_that_is_not_there_is_named(self):
        url = f"http://127.0.0.1:{free_port()}/announce"
        fetcher = self.start("fetch", self.torrent, self.target, "--json", "--no-lsd", "--tracker", url, "--listen",
                             f"127.0.0.1:{free_port()}", "--stall-timeout", "4s")
        self.assertIn(url, self.assert_failed(fetcher, 7, seconds=20))


class LatePeers(PeersTest):
    """Who is named is called for as long as it takes: hosts are switched on when they are."""

    LATE = 15  # seconds; libtorrent gives up after three failures, within five

    def start_the_named_seeder_late(self, port):
        time.sleep(self.LATE)
        self.start("seed", self.torrent, self.source, *ON_LOOPBACK, "--listen", f"127.0.0.1:{port}")

    def test_a_named_seeder_that_is_started_much_later_is_found(self):
        port = free_port()
        fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", f"127.0.0.1:{port}")
        self.start_the_named_seeder_late(port)
        self.assert_complete(fetcher)
        self.assert_has_the_image(self.target)

    def test_it_is_found_also_when_others_are_connected(self):
        port = free_port()
        fetcher, address = self.start_listening("fetch", self.torrent, self.target, "--peer", f"127.0.0.1:{port}")
        for number in range(2):
            self.start_listening("fetch", self.torrent, self.dir / f"other{number}.img", "--peer", address)
        wait_until(lambda: not fetcher.is_running() or any(event["peers"] == 2 for event in fetcher.events_named("progress")), fetcher)
        self.start_the_named_seeder_late(port)
        self.assert_complete(fetcher)
        self.assert_has_the_image(self.target)


@needs_network_namespaces
class AddressesThatGo(PeersTest):
    def test_a_transfer_that_loses_one_of_its_addresses_goes_on(self):
        first, second = self.enterContext(Switch("10.77.1")), self.enterContext(Switch("10.77.2"))
        server, client = self.enterContext(first.new_host()), self.enterContext(Host())
        first.attach(client, "eth0")
        second.attach(client, "eth1")
        self.start("seed", self.torrent, self.source, "--no-lsd", "--listen", "7001", wrapper=server.wrapper)
        fetcher = self.start("fetch", self.torrent, self.target, "--json", "--no-lsd", "--listen", "eth0", "--listen", "eth1",
                             "--peer", f"{server.address}:7001", "--max-download", "4M", wrapper=client.wrapper)
        wait_until(lambda: not fetcher.is_running() or
                   any(event["received_bytes"] for event in fetcher.events_named("progress")), fetcher)
        client.run("ip", "address", "flush", "dev", "eth1")
        client.run("ip", "address", "add", "10.77.3.1/24", "dev", "eth1")  # libtorrent looks when there is a new one
        self.assert_complete(fetcher)
        self.assert_has_the_image(self.target)
        warnings = [event["message"] for event in fetcher.events_named("warning")]
        self.assertTrue(any(warning.startswith("cannot listen on 10.77.2.1:") for warning in warnings), fetcher)


class ASourceThatHasChanged(PeersTest):
    def test_it_is_said_which_piece_and_extent_do_not_match(self):
        extent = max(self.image.extents, key=lambda extent: extent.length)
        with open(self.source, "r+b") as file:
            file.seek(extent.offset + extent.length // 2)
            file.write(b"changed since")
        with self.seeding(self.torrent, self.source) as peer:
            fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", peer)
            message = self.assert_failed(fetcher, 8, seconds=90)  # with libtorrent 2.0.11 the banned one calls back, twenty times
        self.assertIn("does not match", message)
        self.assertRegex(message, rf"piece \d+ .*{extent.offset:#x}")
        with open(self.target, "rb") as file:
            file.seek(extent.offset + extent.length // 2)
            self.assertEqual(file.read(13), bytes(13), "what fails its hash was written")

    def test_a_second_source_that_is_right_completes_it(self):
        wrong = make_file(self.dir / "wrong.img", self.image.end)
        with self.seeding(self.torrent, wrong) as bad, self.seeding(self.torrent, self.source, "--max-upload", "20M") as good:
            self.fetch(self.torrent, self.target, "--peer", bad, "--peer", good)
        self.assert_has_the_image(self.target)


class Steering(PeersTest):
    """The seeder shows a peer what it is to fetch, and hides the rest."""

    EXTENSIONS_AND_FAST = b"\0\0\0\0\0\x10\0\x04"
    HAVE, REQUEST, HAVE_NONE, REJECT, EXTENDED = 4, 6, 15, 16, 20
    DONT_HAVE = 9  # the number that this peer gives it

    def test_what_a_peer_asks_for_before_it_knows_that_is_rejected(self):
        with self.seeding(self.torrent, self.source) as address:
            peer = RawPeer.connect(address, self.info_hash, self.pieces)
            with peer.connection:
                peer.handshake(self.EXTENSIONS_AND_FAST)
                peer.send(self.EXTENDED, b"\0" + b"d1:md11:lt_donthavei%deee" % self.DONT_HAVE)
                peer.send(self.HAVE_NONE)
                request = struct.pack(">III", self.pieces - 1, 0, 1)
                peer.send(self.REQUEST, request)
                hidden = set()
                for kind, payload in iter(peer.message, (self.REJECT, request)):
                    self.assertNotEqual(kind, 7)
                    if kind == self.EXTENDED and payload[0] == self.DONT_HAVE:
                        hidden.add(payload[1:])
                    elif kind == self.HAVE:
                        hidden.remove(payload)
                self.assertIn(request[:4], hidden)


class Counting(PeersTest):
    """Which peers `seed --clients` counts, where they do not say what they are."""

    def come_and_leave(self, address, has):
        """A peer that listens on port 1, and says which pieces it has with the bitfield `has`."""
        peer = RawPeer.connect(address, self.info_hash, self.pieces)
        with peer.connection:
            peer.handshake(Steering.EXTENSIONS_AND_FAST)
            peer.send(Steering.EXTENDED, b"\0d1:mde1:pi1ee")
            peer.send(5, has)
            time.sleep(0.5)

    def test_who_hangs_up_before_it_says_that_it_has_the_last_piece_counts_when_it_comes_back_with_it(self):
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--clients", "1")
        bits = (1 << self.pieces) - 1 << -self.pieces % 8
        size = -(-self.pieces // 8)
        self.come_and_leave(address, (bits & ~(1 << 8 * size - 1)).to_bytes(size, "big"))
        time.sleep(1.5)
        self.assertTrue(seeder.is_running(), seeder)
        self.come_and_leave(address, bits.to_bytes(size, "big"))
        self.assertEqual(seeder.wait(20), 0, seeder)


class HostilePeers(PeersTest):
    def test_wrong_data_from_one_does_not_hurt(self):
        address, work = self.liar()
        with self.background(work), self.seeding(self.torrent, self.source, "--max-upload", "16M") as peer:
            self.fetch(self.torrent, self.target, "--peer", address, "--peer", peer)
            self.assert_has_the_image(self.target)

    def test_wrong_data_from_the_only_source_ends_it(self):
        address, work = self.liar()
        with self.background(work):
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
        seeder, peer = self.start_listening("seed", self.torrent, self.source, "--max-upload", "8M")
        fetcher, address = self.start_listening("fetch", self.torrent, self.target, "--peer", peer)
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
                                                    f"{memory}M")
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
                status = pathlib.Path(f"/proc/{fetcher.pid}/status").read_text()
            self.assertLess(int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1024, memory + 96, fetcher)
            self.assert_complete(fetcher)
        self.assert_has_the_image(self.target)


if __name__ == "__main__":
    main()
