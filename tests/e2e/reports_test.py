#!/usr/bin/python3
"""A fetch's reports to a seeder: which seeders get them, how often, and the last one."""

import contextlib
import queue
import signal
import socket
import struct
import threading
import time

from harness import main, wait_until
from image_case import PIECE
from images import bdecode
from raw_peer import EXTENDED, EXTENSIONS_AND_FAST, PeersTest, RawPeer

OUR_NUMBER = 77  # that reports come to us under


class Seed:
    """A peer that serves the payload of an image to all that come, and takes reports, if it says that it is a seed."""

    def __init__(self, test, is_seed=True, slow=0.0, answers=True):
        self.test, self.is_seed, self.slow, self.answers = test, is_seed, slow, answers
        self.reports, self.report_bytes, self.handshakes = [], 0, []
        self._sending = threading.Lock()
        self._server = test.enterContext(socket.create_server(("127.0.0.1", 0)))
        test.addCleanup(self._server.shutdown, socket.SHUT_RDWR)
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        except OSError:
            pass

    def _serve(self, connection):
        peer = RawPeer(connection, self.test.info_hash, self.test.pieces)
        requests = queue.SimpleQueue()
        try:
            with connection:
                peer.handshake(EXTENSIONS_AND_FAST)
                number = f"1:md12:ezio_report1i{OUR_NUMBER}ee".encode()
                peer.send(EXTENDED, b"\0d" + (b"9:ezio_seedi1e" if self.is_seed else b"") + number + b"e")
                peer.have_everything()
                threading.Thread(target=self._send_blocks, args=(peer, requests), daemon=True).start()
                while True:
                    self.take(peer, requests, *peer.message())
        except OSError:
            requests.put(None)

    def _send_blocks(self, peer, requests):
        with contextlib.suppress(OSError):
            while request := requests.get():
                time.sleep(self.slow)
                piece, begin, length = struct.unpack(">III", request)
                start = piece * PIECE + begin
                with self._sending:
                    peer.send(7, struct.pack(">II", piece, begin) + self.test.image.payload[start:start + length])

    def take(self, peer, requests, kind, payload):
        if kind == 6:
            requests.put(payload)
        elif kind == EXTENDED and payload[0] == 0:
            self.handshakes.append(bdecode(payload[1:])[0])
        elif kind == EXTENDED and payload[0] == OUR_NUMBER:
            self.report_bytes += len(payload) + 5
            self.reports.append(bdecode(payload[1:])[0])
            if self.answers and self.reports[-1]["state"] in (b"complete", b"failed", b"stopped"):
                with self._sending:
                    peer.send(EXTENDED, bytes([self.handshakes[-1]["m"]["ezio_report1"]]) + b"d5:heardi1ee")

    def states(self):
        """Each state that was reported, once for as long as it lasted."""
        states = [report["state"].decode() for report in self.reports]
        return [state for index, state in enumerate(states) if index == 0 or state != states[index - 1]]


class Reports(PeersTest):
    payload = 6 << 20

    def fetch_from(self, seed, *options, target=None):
        fetcher, _ = self.start_listening("fetch", self.torrent, target or self.target, "--peer", seed.address, "--seed-time", "0",
                                          *options)
        return fetcher

    def test_a_seed_hears_who_it_is_and_each_state_and_the_last_word(self):
        seed = Seed(self)
        fetcher = self.fetch_from(seed)
        self.assert_complete(fetcher)
        self.assertEqual(seed.states()[-1], "complete")
        self.assertLessEqual(set(seed.states()), {"connecting", "downloading", "syncing", "complete"})
        report = seed.reports[-1]
        self.assertEqual(report["host"].decode(), socket.gethostname()[:64])
        self.assertTrue(str(self.target).endswith(report["target"].decode().removeprefix("...")), report)
        self.assertEqual((report["done"], report["status"]), (len(self.image.payload), 0))
        self.assertEqual({report["id"] for report in seed.reports}, {report["id"]})

    def test_with_another_name_or_none_at_all(self):
        seed = Seed(self)
        self.assert_complete(self.fetch_from(seed, "--report-as", "pc 07"))
        self.assertEqual({report["host"] for report in seed.reports}, {b"pc 07"})
        quiet = Seed(self)
        self.assert_complete(self.fetch_from(quiet, "--no-report", target=self.dir / "other.img"))
        self.assertEqual(quiet.reports, [])
        self.assertNotIn("ezio_report1", quiet.handshakes[0]["m"])

    def test_who_is_no_seed_hears_nothing(self):
        peer = Seed(self, is_seed=False)
        self.assert_complete(self.fetch_from(peer))
        self.assertTrue(peer.handshakes)
        self.assertEqual(peer.reports, [])

    def test_it_reports_every_two_seconds_and_300_of_them_stay_under_100_kB_a_second(self):
        seed = Seed(self, slow=0.02)  # 800 KB/s: 7 s
        fetcher = self.fetch_from(seed, "--report-as", "laboratory-b-computer-07")
        self.assert_complete(fetcher)
        seconds = fetcher.events_named("complete")[0]["seconds"]
        self.assertGreaterEqual(len(seed.reports), seconds / 2)
        self.assertLessEqual(len(seed.reports), seconds / 2 + 6)  # one for each state
        self.assertLess(300 * seed.report_bytes / seconds, 100_000)

    def test_a_signal_is_its_last_word(self):
        seed = Seed(self, slow=0.1)
        fetcher = self.fetch_from(seed)
        wait_until(lambda: "downloading" in seed.states(), fetcher)
        fetcher.signal(signal.SIGTERM)
        self.assertEqual(fetcher.wait(8), 128 + signal.SIGTERM, fetcher)
        self.assertEqual(seed.states()[-1], "stopped")
        self.assertEqual(seed.reports[-1]["status"], 143)
        self.assertIn(b"stopped by SIGTERM", seed.reports[-1]["message"])

    def test_so_is_a_failure_and_who_does_not_answer_is_not_waited_for(self):
        seed = Seed(self, slow=0.05, answers=False)
        fetcher = self.fetch_from(seed, "--timeout", "2s")
        self.assertEqual(fetcher.wait(6), 7, fetcher)
        self.assertEqual(seed.states()[-1], "failed")
        self.assertEqual(seed.reports[-1]["status"], 7)
        self.assertIn(b"not complete after 2 s", seed.reports[-1]["message"])

    def test_a_seed_that_comes_late_hears_it_at_once(self):
        first = Seed(self)
        fetcher, address = self.start_listening("fetch", self.torrent, self.target, "--peer", first.address)
        fetcher.wait_for_event("complete")
        late = Seed(self)
        peer = RawPeer.connect(address, self.info_hash, self.pieces)
        with peer.connection:
            peer.handshake(EXTENSIONS_AND_FAST)
            peer.send(EXTENDED, b"\0d9:ezio_seedi1e1:md12:ezio_report1i77eee")
            while not late.reports:
                late.take(peer, queue.SimpleQueue(), *peer.message())
        self.assertEqual(late.states(), ["complete"])


if __name__ == "__main__":
    main()
