#!/usr/bin/python3
"""Wrong blocks among right ones: exactly the peers that sent them are banned, and the image completes."""

import contextlib
import os
import random
import threading

from harness import main
from networks import Switch, needs_network_namespaces
from raw_peer import PeersTest, RawPeer, info_hash_of

PORT = 7001


@needs_network_namespaces
class Blame(PeersTest):
    payload = 12 << 20
    piece = 1 << 20  # of so many blocks that none comes right from peers of which each block may be wrong

    def setUp(self):
        super().setUp()
        self.torrent = self.image.write_torrent(self.dir / "large.torrent", self.piece)
        self.pieces = -(-len(self.image.payload) // self.piece)
        self.info_hash = info_hash_of(self.torrent)
        switch = self.enterContext(Switch())
        self.honest, self.client, *self.liars = (self.enterContext(switch.new_host()) for _ in range(4))

    def sometimes_wrong(self, seed):
        """Answers of which one in ten is wrong."""
        rng = random.Random(seed)

        def answer(piece, begin, length):
            return os.urandom(length) if rng.random() < 0.1 else self.image.payload[piece * self.piece + begin:][:length]
        return answer

    def seed(self, *options):
        seeder = self.start("seed", self.torrent, self.source, "--json", "--no-lsd", "--listen", str(PORT), *options,
                            wrapper=self.honest.wrapper)
        seeder.wait_for_event("start")
        return f"{self.honest.address}:{PORT}"

    def fetch_from(self, *peers, seed_time="0"):
        named = [word for peer in peers for word in ("--peer", peer)]
        return self.start("fetch", self.torrent, self.target, "--json", "--no-lsd", "--verbose", "--listen", str(PORT),
                          "--seed-time", seed_time, "--timeout", "120s", *named, wrapper=self.client.wrapper)

    def assert_blamed(self, fetcher, *hosts):
        """At least one of these, as soon as a piece came out wrong, and nobody else."""
        warnings = [event["message"] for event in fetcher.events_named("warning")]
        kept_out = {message.split()[0] for message in warnings if "banned from now on" in message}
        self.assertLessEqual(kept_out, {host.address for host in hosts}, fetcher)
        self.assertEqual(bool(kept_out), fetcher.events_named("summary")[0]["failed_pieces"] > 0, fetcher)
        self.assertFalse(any(f"{self.honest.address}:" in message for message in warnings), fetcher)
        return kept_out

    def test_two_peers_that_send_a_wrong_block_in_ten(self):
        answer = self.sometimes_wrong(os.environ.get("EZIO_SEED", "blame"))
        with self.serving(answer, self.liars[0], PORT) as one, self.serving(answer, self.liars[1], PORT) as other:
            fetcher = self.fetch_from(self.seed("--max-upload", "3M"), one, other)
            self.assert_complete(fetcher)
        self.assertTrue(self.assert_blamed(fetcher, *self.liars), fetcher)
        self.assert_has_the_image(self.target)

    def test_one_beside_the_seeder_on_one_host(self):
        with self.serving(self.sometimes_wrong(1), self.honest, PORT + 1) as liar:
            fetcher = self.fetch_from(self.seed("--max-upload", "3M"), liar)
            self.assert_complete(fetcher)
        self.assertGreater(fetcher.events_named("summary")[0]["failed_pieces"], 0, fetcher)
        warnings = [event["message"] for event in fetcher.events_named("warning")]
        self.assertFalse(any("banned" in message or f":{PORT} " in message for message in warnings), fetcher)
        self.assert_has_the_image(self.target)

    def test_one_wrong_block_for_each_connection_ten_times_a_second(self):
        over = threading.Event()
        refused = threading.Event()

        def attack():
            while not over.wait(0.1):
                with contextlib.suppress(OSError):
                    self.lie_once(refused)
        fetcher = self.fetch_from(self.seed("--max-upload", "6M"), seed_time="1s")  # in which the liar tries again
        fetcher.wait_for_event("start")
        with self.background(attack):
            self.assert_complete(fetcher)
            over.set()
        kept_out = self.assert_blamed(fetcher, self.liars[0])
        self.assert_has_the_image(self.target)
        self.assertEqual(bool(kept_out), refused.is_set(), "the liar was let in to the end")

    def lie_once(self, refused):
        """Answers one request, with rubbish, and hangs up."""
        with self.liars[0].inside():
            peer = RawPeer.connect(f"{self.client.address}:{PORT}", self.info_hash, self.pieces)
        with peer.connection:
            peer.connection.settimeout(2)
            try:
                peer.handshake()
            except ConnectionError:
                refused.set()
                return
            peer.have_everything()
            while True:
                kind, payload = peer.message()
                if kind == 6:
                    peer.send(7, payload[:8] + os.urandom(int.from_bytes(payload[8:], "big")))
                    return


if __name__ == "__main__":
    main()
