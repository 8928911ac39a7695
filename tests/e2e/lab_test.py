#!/usr/bin/python3
"""The administrator's view at the seeder: which clients are complete, which failed and why, and a status that covers all."""

import contextlib
import functools
import json
import re
import signal
import socket
import threading
import time

from harness import ON_LOOPBACK, free_port, is_listening, main, make_file, needs_fuse, wait_until
from image_case import ImageCase, needs_libtorrent
from images import bencode
from networks import Switch, needs_network_namespaces
from raw_peer import EXTENDED, EXTENSIONS_AND_FAST, PeersTest, RawPeer
from terminal import Terminal


class Lab(ImageCase):
    """Has a seeder on loopback, and clients of it."""

    payload = (8 << 20) + 12_345

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"

    def seed(self, *options, **more):
        seeder = self.start("seed", self.torrent, self.source, *ON_LOOPBACK, "--listen", self.address, *options, **more)
        wait_until(lambda: is_listening(self.port) or not seeder.is_running(), seeder)
        return seeder

    def fetching(self, name, *options, **more):
        return self.start("fetch", self.torrent, self.dir / f"{name}.img", "--json", *ON_LOOPBACK, "--listen",
                          f"127.0.0.1:{free_port()}", "--peer", self.address, "--report-as", name, "--seed-time", "0", *options,
                          **more)

    def fetched(self, name, *options):
        fetcher = self.fetching(name, *options)
        self.assert_complete(fetcher)
        self.assert_has_the_image(self.dir / f"{name}.img")

    @staticmethod
    def states(seeder, name):
        return [event["state"] for event in seeder.events_named("client") if event["host"] == name]

    def wait_for_state(self, seeder, name, state):
        wait_until(lambda: state in self.states(seeder, name), f"{name} to be {state}: {seeder}")


class Endings(Lab):
    """What the status and the message of a seeder say."""

    def test_a_client_counts_when_it_has_synced_and_with_verify_read_back(self):
        seeder = self.seed("--json", "--clients", "1")
        self.fetched("pc1", "--verify")
        self.assertEqual(seeder.wait(), 0, seeder)
        states = self.states(seeder, "pc1")
        self.assertEqual(states[-1], "complete", seeder)
        (client,) = seeder.events_named("summary")[0]["clients"]
        self.assertEqual((client["host"], client["state"], client["status"]), ("pc1", "complete", 0), client)
        self.assertEqual(client["done_bytes"], len(self.image.payload))
        self.assertTrue(client["target"].endswith("pc1.img"))

    def test_one_that_leaves_before_all_are_complete_says_who_is_not(self):
        seeder = self.seed("--json", "--clients", "3", "--idle-timeout", "2s", "--max-upload", "8M")
        failing = self.fetching("pc2", "--timeout", "1s", "--max-download", "1M")
        self.fetched("pc1")
        self.assertEqual(failing.wait(), 7, failing)
        message = self.assert_failed(seeder, 7, 20)
        self.assertIn("1 of 3 clients is complete: pc2 (", message)
        self.assertRegex(message, r"pc2 \(.*\) failed at [0-9.]+ %: not complete after 1 s.*; 1 has not connected$")
        (summary,) = seeder.events_named("summary")
        self.assertEqual(summary["status"], 7)
        self.assertEqual({client["host"]: client["state"] for client in summary["clients"]},
                         {"pc1": "complete", "pc2": "failed"})

    def test_a_signal_keeps_its_status_and_says_who_is_not_complete(self):
        seeder = self.seed("--json", "--clients", "2")
        self.fetched("pc1")
        stopped = self.fetching("pc2", "--max-download", "1M")
        self.wait_for_state(seeder, "pc2", "downloading")
        stopped.signal(signal.SIGTERM)
        self.assertEqual(stopped.wait(), 143, stopped)
        self.wait_for_state(seeder, "pc2", "stopped")
        seeder.signal(signal.SIGTERM)
        message = self.assert_failed(seeder, 143, 8)
        self.assertIn("1 of 2 clients is complete: pc2 (", message)
        self.assertIn("stopped at ", message)

    def test_without_a_number_of_clients_it_may_leave_when_it_likes(self):
        seeder = self.seed("--json", "--seed-time", "3s")
        self.fetching("pc1", "--timeout", "1s", "--max-download", "1M")
        self.assertEqual(seeder.wait(), 0, seeder)
        self.assertEqual(seeder.events_named("summary")[0]["clients"][0]["state"], "failed")

    def test_one_that_failed_and_comes_again_is_complete(self):
        seeder = self.seed("--json", "--clients", "1")
        self.assertEqual(self.fetching("pc1", "--timeout", "1s", "--max-download", "1M").wait(), 7)
        self.wait_for_state(seeder, "pc1", "failed")
        self.fetched("pc1", "--resume")
        self.assertEqual(seeder.wait(), 0, seeder)
        (client,) = seeder.events_named("summary")[0]["clients"]
        self.assertEqual(client["state"], "complete")

    def test_a_seeder_that_is_started_again_hears_it_all(self):
        first = self.seed("--json")
        fetchers = [self.fetching(name, "--max-download", "2M", "--seed-time", "30s") for name in ("pc1", "pc2")]
        for name in "pc1", "pc2":
            self.wait_for_state(first, name, "downloading")
        first.signal(signal.SIGKILL)
        first.wait()
        second = self.seed("--json", "--clients", "2")
        self.assertEqual(second.wait(), 0, second)
        for fetcher in fetchers:
            fetcher.wait_for_event("complete")

    def test_without_a_terminal_there_is_a_line_for_each_and_a_table_at_the_end(self):
        seeder = self.seed("--clients", "2", "--seed-time", "20s")
        self.assertEqual(self.fetching("pc\033[2J", "--timeout", "1s", "--max-download", "1M").wait(), 7)
        self.fetched("pc1")
        self.fetched("pc2")
        self.assertEqual(seeder.wait(), 0, seeder)
        self.assertRegex(seeder.stderr, r"(?m)^client pc\\x1b\[2J \(.*\): failed at [0-9.]+ %: not complete after 1 s")
        self.assertRegex(seeder.stderr, r"(?m)^client pc1 \(.*\): complete$")
        table = seeder.stderr[seeder.stderr.rindex("client   "):].splitlines()
        self.assertRegex(table[0], r"^client +target +result +received +time +rate$")
        self.assertRegex(table[1], r"^pc\\x1b\[2J .* failed .*not complete after 1 s")
        self.assertRegex(table[2], r"^pc1 .* complete +8.0 MiB +0:0\d +\S+ [KM]iB/s$")
        self.assertNotIn("\033", seeder.stderr)


class ReportFile(Lab):
    def test_it_can_be_read_at_any_moment_and_has_the_end(self):
        report = self.dir / "clients.json"
        seeder = self.seed("--json", "--clients", "2", "--report", report, "--max-upload", "8M")
        seen, over = [], threading.Event()

        def look():
            while not over.is_set():
                seen.append([client["state"] for client in json.loads(report.read_text())["clients"]])
                time.sleep(0.005)
        thread = threading.Thread(target=look)
        thread.start()
        self.fetched("pc1")
        self.fetched("pc2")
        self.assertEqual(seeder.wait(), 0, seeder)
        self.assertTrue(thread.is_alive(), "the report could not be read")
        over.set()
        thread.join()
        self.assertIn(["downloading"], seen)
        last = json.loads(report.read_text())
        self.assertEqual((last["complete"], last["failed"]), (2, 0))
        self.assertEqual(last["clients"], seeder.events_named("summary")[0]["clients"])
        self.assertEqual(list(self.dir.glob("clients.json?*")), [])

    def test_it_replaces_nothing_that_is_read_and_has_to_be_writable(self):
        for path, status, words in ((self.source, 2, "would be replaced by the list of clients"),
                                    (self.torrent, 2, "would be replaced by the list of clients"),
                                    (self.dir / "none" / "clients.json", 4, "none")):
            before = path.read_bytes() if path.exists() else None
            seeder = self.ends_with(status, "seed", self.torrent, self.source, *ON_LOOPBACK, "--listen", self.address, "--report",
                                    path)
            self.assertIn(words, seeder.stderr)
            self.assertEqual(path.read_bytes() if path.exists() else None, before)


class OnATerminal(Lab):
    def terminal(self, rows, columns, *options, **environment):
        terminal = self.enterContext(Terminal(rows, columns, "seed", self.torrent, self.source, *ON_LOOPBACK, "--listen",
                                              self.address, "--max-upload", "4M", *options, **environment))
        wait_until(lambda: is_listening(self.port), "the seeder to listen")
        return terminal

    def test_each_has_a_line_that_is_redrawn_in_place(self):
        terminal = self.terminal(24, 80)
        self.assertEqual(self.fetching("pc2", "--timeout", "1s", "--max-download", "1M").wait(), 7)
        fetcher = self.fetching("pc1", "--max-download", "2M")
        wait_until(lambda: re.search(r"(?m)^client .*\npc2 .*failed at .*\npc1 .*%.*downloading\nseeding .* 1 failed", terminal.text()),
                   terminal)
        self.assert_complete(fetcher)
        wait_until(lambda: re.search(r"(?m)^pc1 .*100.0% +complete\nseeding  +1 complete", terminal.text()), terminal)
        self.assertEqual([line.split()[0] for line in terminal.screen() if line.startswith("pc")], ["pc2", "pc1"], terminal.text())
        terminal.resize(24, 50)
        wait_until(lambda: "100.0%" in terminal.text() and all(len(line) < 50 for line in terminal.screen()), terminal)
        terminal.resize(6, 80)  # no room any more: one line
        wait_until(lambda: "pc1" not in terminal.text() and "seeding" in terminal.text(), terminal)
        terminal.resize(24, 80)
        wait_until(lambda: "pc1" in terminal.text(), terminal)
        terminal.signal(signal.SIGTERM)
        self.assertEqual(terminal.process.wait(8), 143)
        wait_until(lambda: re.search(r"(?m)^client +target +result.*\npc2 .*failed.*", terminal.text()), terminal)

    def test_a_dumb_one_gets_lines(self):
        terminal = self.terminal(24, 80, TERM="dumb")
        self.fetched("pc1")
        wait_until(lambda: re.search(r"(?m)^client pc1 ", terminal.text()), terminal)


class Hostile(PeersTest):
    """Reports of peers that are no fetch."""

    payload = 12 << 20
    MEMORY = 32  # MiB

    def setUp(self):
        super().setUp()
        self.seeder, self.address = self.start_listening("seed", self.torrent, self.source, "--clients", "1", "--memory", f"{self.MEMORY}M",
                                                         "--max-upload", "6M")
        self.seeder.wait_for_event("start")  # by then whatever tried the port has left it
        wait_until(lambda: is_listening(int(self.address.split(":")[1])), self.seeder)

    def reporter(self):
        """A peer that has said that it reports, and the number that the seeder takes reports under."""
        peer = RawPeer.connect(self.address, self.info_hash, self.pieces)
        self.enterContext(peer.connection)
        peer.handshake(EXTENSIONS_AND_FAST)
        peer.send(EXTENDED, b"\0d1:md12:ezio_report1i9eee")
        peer.send(15)
        while True:
            kind, payload = peer.message()
            if kind == EXTENDED and payload[0] == 0:
                return peer, int(re.search(rb"ezio_report1i(\d+)e", payload)[1])

    @staticmethod
    def report(name, state=b"failed", target=b"/dev/sda"):
        return bencode({"host": name, "id": name[:32], "message": b"\033[2J\033]0;owned\007", "state": state, "target": target, "v": 1})

    def is_hung_up_on(self, peer, send):
        try:
            for _ in range(3000):
                send()
            while True:
                peer.message()
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def test_they_change_nothing_for_others(self):
        fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", self.address, "--seed-time", "0",
                                          "--report-as", "honest")
        for payload in b"nonsense", b"d5:stateie", b"x" * 2000, self.report(b"a", state=b"lost"):
            peer, number = self.reporter()
            self.assertTrue(self.is_hung_up_on(peer, lambda peer=peer, payload=payload: peer.send(EXTENDED, bytes([number]) + payload)))
        peer, number = self.reporter()  # as many a second as it can
        self.assertTrue(self.is_hung_up_on(peer, lambda: peer.send(EXTENDED, bytes([number]) + self.report(b"flood"))))
        peer, number = self.reporter()  # another name on the same connection
        names = iter(b"name%d" % index for index in range(10_000))
        self.assertTrue(self.is_hung_up_on(peer, lambda: peer.send(EXTENDED, bytes([number]) + self.report(next(names)))))
        self.assert_complete(fetcher)
        self.assert_has_the_image(self.target)
        self.assertEqual(self.seeder.wait(), 0, self.seeder)
        clients = self.seeder.events_named("summary")[0]["clients"]
        self.assertEqual([client["state"] for client in clients if client["host"] == "honest"], ["complete"])
        self.assertIn("sends invalid reports, or too many", self.seeder.stdout)
        self.assertLessEqual(len(self.seeder.events_named("client")), 40, self.seeder)

    def come_as(self, names):
        """Each name on a connection of its own, with a port of its own, that ends when it is heard."""
        for number in names:
            peer = RawPeer.connect(self.address, self.info_hash, self.pieces)
            with peer.connection, contextlib.suppress(OSError):
                peer.handshake(EXTENSIONS_AND_FAST)
                peer.send(EXTENDED, b"\0d1:md12:ezio_report1i9ee1:pi%dee" % (1 + number))
                peer.send(15)
                name = b"liar%d\033[2J" % number + b"x" * 400
                peer.send(EXTENDED, b"\x29" + self.report(name, target=b"/%d" % number + b"t" * 100))
                peer.connection.shutdown(socket.SHUT_WR)
                while peer.connection.recv(65536):
                    pass

    def test_ten_thousand_names_stay_few_and_in_memory(self):
        self.assertEqual(self.reporter()[1], 0x29)
        with self.background(*(functools.partial(self.come_as, range(first, 10_000, 8)) for first in range(8))):
            fetcher, _ = self.start_listening("fetch", self.torrent, self.target, "--peer", self.address, "--seed-time", "0",
                                              "--report-as", "honest", "--max-download", "1M")
        self.assertLess(self.seeder.peak_mib(), self.MEMORY + 96)
        self.assert_complete(fetcher)
        self.assertEqual(self.seeder.wait(), 0, self.seeder)
        clients = self.seeder.events_named("summary")[0]["clients"]
        liars = [client for client in clients if client["host"].startswith("liar")]
        self.assertTrue(32 < len(liars) <= 64, len(liars))
        self.assertTrue(all(len(client["host"]) <= 64 for client in clients))
        self.assertEqual([client["state"] for client in clients if client["host"] == "honest"], ["complete"])


@needs_network_namespaces
@needs_fuse
@needs_libtorrent
class EightHosts(ImageCase):
    """Of which one has a disk that fails, one is killed, one is stopped, one is another program, one comes twice, one says
    nothing."""

    payload = (24 << 20) + 12_345

    def fetching(self, number, *options, target=None):
        return self.start("fetch", self.torrent, target or self.dir / f"pc{number}.img", "--json", "--peer",
                          f"{self.server.address}:6881", "--report-as", f"pc{number}", "--seed-time", "20s", *options,
                          wrapper=self.hosts[number].wrapper)

    def test_the_seeder_tells_the_truth_about_all_of_them(self):
        switch = self.enterContext(Switch())
        self.server, *self.hosts = (self.enterContext(switch.new_host()) for _ in range(9))
        report = self.dir / "clients.json"
        seeder = self.start("seed", self.torrent, self.source, "--json", "--clients", "8", "--idle-timeout", "34s", "--report",
                            report, "--max-upload", "6M", wrapper=self.server.wrapper)
        wait_until(lambda: 6881 in self.server.listening_ports(), seeder)
        disk = self.fuse_disk(make_file(self.dir / "backing", self.image.end))
        disk.allow_writes_up_to(int(0.6 * self.image.end))

        def states(number):
            return [event["state"] for event in seeder.events_named("client") if event["host"] == f"pc{number}"]
        killed, stopped, twice = (self.fetching(number, "--max-download", "500K") for number in (2, 3, 5))
        failing = self.fetching(1, target=disk.path)
        good = [self.fetching(0), self.fetching(6, "--no-report"), self.fetching(7)]
        stock = self.start_stock_client(self.hosts[4], self.server.address)
        for number in 2, 3, 5:
            wait_until(lambda number=number: "downloading" in states(number), seeder)
        killed.signal(signal.SIGKILL)
        stopped.signal(signal.SIGTERM)
        twice.signal(signal.SIGTERM)
        for ezio, status in (killed, -signal.SIGKILL), (stopped, 143), (twice, 143), (failing, 5):
            self.assertEqual(ezio.wait(), status, ezio)
        good.append(self.fetching(5, "--resume"))
        wait_until(lambda: stock.status().is_seeding, lambda: stock.status().progress)
        for fetcher in good:
            fetcher.wait_for_event("complete")
        message = self.assert_failed(seeder, 7, 90)
        self.assertIn("5 of 8 clients are complete: ", message)
        self.assertRegex(message, r"pc1 \(.*\) failed at [0-9.]+ %: .*Disk quota exceeded")
        self.assertRegex(message, r"pc2 \(.*\) lost at [0-9.]+ %")
        self.assertRegex(message, r"pc3 \(.*\) stopped at [0-9.]+ %")
        clients = seeder.events_named("summary")[0]["clients"]
        self.assertEqual({client["host"]: client["state"] for client in clients if client["reports"]},
                         {"pc0": "complete", "pc1": "failed", "pc2": "lost", "pc3": "stopped", "pc5": "complete", "pc7": "complete"})
        self.assertEqual({client["address"].split(":")[0]: client["state"] for client in clients if not client["reports"]},
                         {self.hosts[number].address: "complete" for number in (4, 6)})
        self.assertEqual(json.loads(report.read_text())["clients"], clients)
        self.assertEqual(states(2)[-1], "lost")
        for number in 0, 6, 7, 5:
            self.assert_has_the_image(self.dir / f"pc{number}.img")


if __name__ == "__main__":
    main()
