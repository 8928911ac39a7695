#!/usr/bin/python3
"""Peers that die, change their address or announce little: the data of the remaining ones completes."""

import signal
import struct

from harness import ON_LOOPBACK, free_port, main, wait_until, wire_limit
from networks import Host, Switch, needs_network_namespaces
from raw_peer import EXTENDED, EXTENSIONS_AND_FAST, PeersTest, RawPeer

MIB = 1 << 20


class LostPeers(PeersTest):
    def test_when_the_seeder_dies_half_way_the_stall_ends_it(self):
        seeder, peer = self.start_listening("seed", self.torrent, self.source)
        fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", peer, "--max-download", wire_limit(12),
                                          "--interval", "100ms", "--stall-timeout", "3s")
        half = len(self.image.payload) // 2
        wait_until(lambda: any(event["done_bytes"] > half for event in fetcher.events_named("progress")), fetcher)
        seeder.signal(signal.SIGKILL)
        self.assertRegex(self.assert_failed(fetcher, 7, seconds=20), "no peer is connected")

    def test_another_seeder_takes_over(self):
        first, peer = self.start_listening("seed", self.torrent, self.source)
        port = free_port()
        fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", peer, "--peer", f"127.0.0.1:{port}",
                                          "--max-download", wire_limit(12), "--interval", "100ms")
        wait_until(lambda: any(event["done_bytes"] > 4 * MIB for event in fetcher.events_named("progress")), fetcher)
        first.signal(signal.SIGKILL)
        self.start("seed", self.torrent, self.source, *ON_LOOPBACK, "--listen", f"127.0.0.1:{port}")
        self.assert_complete(fetcher)
        self.assert_has_the_image(self.target)

    def test_a_peer_without_data_is_what_it_waits_for(self):
        other, peer = self.start_listening("fetch", self.torrent, self.dir / "other.img")
        fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", peer, "--stall-timeout", "3s")
        self.assertRegex(self.assert_failed(fetcher, 7, seconds=20), "connected, but without data")

    def test_a_tracker_that_is_not_there_is_named(self):
        url = f"http://127.0.0.1:{free_port()}/announce"
        fetcher = self.start("fetch", self.torrent, self.target, "--json", "--no-lsd", "--tracker", url, "--listen",
                             f"127.0.0.1:{free_port()}", "--stall-timeout", "4s")
        self.assertIn(url, self.assert_failed(fetcher, 7, seconds=20))


@needs_network_namespaces
class AddressesThatGo(PeersTest):
    def test_a_transfer_that_loses_one_of_its_addresses_goes_on(self):
        first, second = self.enterContext(Switch("10.77.1")), self.enterContext(Switch("10.77.2"))
        server, client = self.enterContext(first.new_host()), self.enterContext(Host())
        first.attach(client, "eth0")
        second.attach(client, "eth1")
        self.start("seed", self.torrent, self.source, "--no-lsd", "--listen", "7001", wrapper=server.wrapper)
        fetcher = self.start("fetch", self.torrent, self.target, "--json", "--no-lsd", "--listen", "eth0", "--listen", "eth1",
                             "--peer", f"{server.address}:7001", "--max-download", "8M", wrapper=client.wrapper)
        wait_until(lambda: not fetcher.is_running() or
                   any(event["received_bytes"] for event in fetcher.events_named("progress")), fetcher)
        client.run("ip", "address", "flush", "dev", "eth1")
        client.run("ip", "address", "add", "10.77.3.1/24", "dev", "eth1")  # libtorrent looks when there is a new one
        self.assert_complete(fetcher)
        self.assert_has_the_image(self.target)
        warnings = [event["message"] for event in fetcher.events_named("warning")]
        self.assertTrue(any(warning.startswith("cannot listen on 10.77.2.1:") for warning in warnings), fetcher)


class Steering(PeersTest):
    """The seeder shows a peer what it is to fetch, and hides the rest."""

    HAVE, REQUEST, HAVE_NONE, REJECT = 4, 6, 15, 16
    DONT_HAVE = 9  # the number that this peer gives it

    def test_what_a_peer_asks_for_before_it_knows_that_is_rejected(self):
        with self.seeding(self.torrent, self.source) as address:
            peer = RawPeer.connect(address, self.info_hash, self.pieces)
            with peer.connection:
                peer.handshake(EXTENSIONS_AND_FAST)
                peer.send(EXTENDED, b"\0" + b"d1:md11:lt_donthavei%deee" % self.DONT_HAVE)
                peer.send(self.HAVE_NONE)
                request = struct.pack(">III", self.pieces - 1, 0, 1)
                peer.send(self.REQUEST, request)
                hidden = set()
                for kind, payload in iter(peer.message, (self.REJECT, request)):
                    self.assertNotEqual(kind, 7)
                    if kind == EXTENDED and payload[0] == self.DONT_HAVE:
                        hidden.add(payload[1:])
                    elif kind == self.HAVE:
                        hidden.remove(payload)
                self.assertIn(request[:4], hidden)


class Counting(PeersTest):
    """Which peers `seed --clients` counts, where they do not say what they are."""

    def setUp(self):
        super().setUp()
        bits, size = (1 << self.pieces) - 1 << -self.pieces % 8, -(-self.pieces // 8)
        self.all, self.all_but_the_first = (has.to_bytes(size, "big") for has in (bits, bits & ~(1 << 8 * size - 1)))

    def seed(self, clients):
        return self.start_listening("seed", self.torrent, self.source, "--clients", clients, "--interval", "100ms")

    def come(self, address, has):
        """A peer that listens on port 1, has a new id, and says which pieces it has with the bitfield `has`."""
        peer = RawPeer.connect(address, self.info_hash, self.pieces)
        peer.handshake(EXTENSIONS_AND_FAST)
        peer.send(EXTENDED, b"\0d1:mde1:pi1ee")
        peer.send(5, has)
        return peer

    @staticmethod
    def wait_for(seeder, **counts):
        wait_until(lambda: counts.items() <= (seeder.events_named("progress") or [{}])[-1].items(), seeder)

    def test_who_hangs_up_before_it_says_that_it_has_the_last_piece_counts_when_it_comes_back_with_it(self):
        seeder, address = self.seed("1")
        with self.come(address, self.all_but_the_first).connection:
            self.wait_for(seeder, clients_in_progress=1)
        self.wait_for(seeder, peers=0, clients_complete=0)
        self.assertTrue(seeder.is_running(), seeder)
        with self.come(address, self.all).connection:
            self.assertEqual(seeder.wait(20), 0, seeder)

    def test_several_of_one_address_are_counted_each_when_they_are_connected_at_the_same_time(self):
        seeder, address = self.seed("2")
        peers = [self.come(address, self.all_but_the_first) for _ in range(2)]
        self.wait_for(seeder, clients_in_progress=2)
        for peer in peers:
            with peer.connection:
                peer.send(4, bytes(4))
        self.assertEqual(seeder.wait(20), 0, seeder)

    def test_one_that_comes_again_with_ever_new_ids_counts_once(self):
        seeder, address = self.seed("2")
        for _ in range(5):
            peer = self.come(address, self.all_but_the_first)
            with peer.connection:
                self.wait_for(seeder, clients_in_progress=1)
                peer.send(4, bytes(4))
                self.wait_for(seeder, clients_complete=1)
            self.wait_for(seeder, peers=0)
        self.assertTrue(seeder.is_running(), seeder)
        self.wait_for(seeder, clients_complete=1, clients_in_progress=0)


if __name__ == "__main__":
    main()
