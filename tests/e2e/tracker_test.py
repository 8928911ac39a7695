#!/usr/bin/python3
"""Peers that find each other by a tracker: opentracker, over HTTP and UDP, and how a missing tracker shows."""

import contextlib
import hashlib
import subprocess
import unittest

from harness import main, missing_tools, wait_until
from image_case import ImageCase
from networks import Switch, needs_network_namespaces

PORT = 6969


class Opentracker:
    """Listens on TCP and UDP of a host's address. Debian's knows no torrent but those on its list."""

    def __init__(self, host, torrent):
        content = torrent.read_bytes()
        info = content[content.index(b"4:info") + 6:-1]
        (torrent.parent / "whitelist").write_text(hashlib.sha1(info).hexdigest() + "\n")
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *host.wrapper, "opentracker", "-i", host.address, "-p", str(PORT),
             "-P", str(PORT), "-u", "nobody", "-d", torrent.parent, "-w", "whitelist"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_until(lambda: PORT in host.listening_ports() or self._process.poll() is not None, "opentracker to listen")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()


@needs_network_namespaces
@unittest.skipIf(missing_tools("opentracker"), "needs opentracker")
class Tracker(ImageCase):
    def setUp(self):
        super().setUp()
        switch = self.enterContext(Switch())
        self.tracker, self.server, self.client, self.stranger = (self.enterContext(switch.new_host()) for _ in range(4))
        self.http = f"http://{self.tracker.address}:{PORT}/announce"
        self.udp = f"udp://{self.tracker.address}:{PORT}"

    def seed(self, *options):
        seeder = self.start("seed", self.torrent, self.source, "--json", *options, wrapper=self.server.wrapper)
        seeder.wait_for_event("start")
        return seeder

    def fetch(self, *options, name="target.img"):
        return self.start("fetch", self.torrent, self.dir / name, "--json", "--timeout", "60s", *options,
                          wrapper=self.client.wrapper)

    def assert_fetched(self, fetcher, name="target.img"):
        self.assert_complete(fetcher)
        self.assert_has_the_image(self.dir / name)

    def warnings(self, ezio):
        return [event["message"] for event in ezio.events_named("warning")]

    def notes(self, ezio):
        return [event["message"] for event in ezio.events_named("note")]

    def check_tracker(self, url):
        with Opentracker(self.tracker, self.torrent):
            self.seed("--no-lsd", "--tracker", url)
            fetcher = self.fetch("--no-lsd", "--tracker", url)
            self.assert_fetched(fetcher)
        self.assertEqual(self.warnings(fetcher), [])
        self.assertLess(fetcher.events_named("complete")[0]["seconds"], 15)

    def test_over_http(self):
        self.check_tracker(self.http)

    def test_over_udp(self):
        self.check_tracker(self.udp)

    def test_one_that_comes_late_is_asked_again_within_seconds(self):
        self.seed("--no-lsd", "--tracker", self.http)
        fetcher = self.fetch("--no-lsd", "--tracker", self.http)
        wait_until(lambda: self.warnings(fetcher) or not fetcher.is_running(), "a warning about the tracker")
        with Opentracker(self.tracker, self.torrent):
            fetcher.wait_for_event("complete", 20)
            self.assert_fetched(fetcher)

    def test_that_of_the_torrent_is_used_unless_it_is_left_out(self):
        self.torrent = self.image.write_torrent(self.dir / "tracked.torrent", tracker=self.http)
        with Opentracker(self.tracker, self.torrent):
            self.seed("--no-lsd")
            self.assert_fetched(self.fetch("--no-lsd"))
            self.client = self.stranger  # the seeder remembers the first one
            lonely = self.fetch("--no-lsd", "--no-tracker", "--timeout", "3s", name="other.img")
            self.assertEqual(lonely.wait(), 7, lonely)
        self.assertIn("0 trackers", lonely.events_named("error")[0]["message"])

    def test_a_dead_one_is_only_a_warning_where_peers_are_found_otherwise(self):
        self.seed("--tracker", self.http)
        fetcher = self.fetch("--tracker", self.http)
        self.assert_fetched(fetcher)
        with contextlib.suppress(IndexError):  # it may have been complete before the tracker had failed
            self.assertIn(self.http, self.warnings(fetcher)[0])

    def test_a_dead_one_is_the_reason_when_there_is_nothing_else(self):
        fetchers = [(url, self.fetch("--no-lsd", "--tracker", url, "--stall-timeout", "8s", name=f"lonely{number}.img"))
                    for number, url in enumerate((self.http, self.udp))]
        for url, fetcher in fetchers:
            self.assertEqual(fetcher.wait(), 7, fetcher)
            message = fetcher.events_named("error")[0]["message"]
            self.assertIn("no peer is connected", message)
            self.assertIn(url, message)
            self.assertRegex(message, "(?i)refused|time")

    def test_verbose_says_what_it_answers_and_how_often_it_is_asked(self):
        with Opentracker(self.tracker, self.torrent):
            alone = self.fetch("--no-lsd", "--tracker", self.http, "--verbose", "--stall-timeout", "6s")
            self.assertEqual(alone.wait(), 7, alone)
            self.seed("--no-lsd", "--tracker", self.http)
            fetcher = self.fetch("--no-lsd", "--tracker", self.http, "--verbose", name="other.img")
            self.assert_fetched(fetcher, "other.img")
        self.assertIn("no peer is connected: asking 1 tracker every 3 s", self.notes(alone))
        self.assertTrue(any(note.startswith("no data for 5 s: no peer is connected") for note in self.notes(alone)), alone)
        for ezio in alone, fetcher:
            self.assertTrue(any(note.startswith(f"tracker {self.http}: it returned ") for note in self.notes(ezio)), ezio)

    def test_verbose_says_the_same_of_the_wait_for_metadata(self):
        link = self.ends_with(0, "info", "--magnet", self.torrent).stdout.strip()
        nobody = f"{self.server.address}:6999"
        self.torrent, torrent = link, self.torrent
        alone = self.fetch("--no-lsd", "--tracker", self.http, "--peer", nobody, "--verbose", "--stall-timeout", "7s")
        self.assertEqual(alone.wait(), 7, alone)
        self.assertIn("no peer is connected: asking 1 tracker every 3 s", self.notes(alone))
        self.assertTrue(any(note.startswith(f"no connection with {nobody}: ") and note.endswith("tried again")
                            for note in self.notes(alone)), alone)
        self.assertTrue(any(message.startswith(f"tracker {self.http}: ") for message in self.warnings(alone)), alone)
        why = "no peer is connected (tried: 1 --peer, 1 tracker, local service discovery off"
        self.assertTrue(any(note.startswith(f"no metadata for the magnet link after 5 s: {why}") for note in self.notes(alone)), alone)
        self.assertTrue(alone.events_named("error")[0]["message"].startswith(f"no metadata for the magnet link after 7 s: {why}"), alone)
        with Opentracker(self.tracker, torrent):
            fetcher = self.fetch("--no-lsd", "--tracker", self.http, "--verbose", name="other.img")
            wait_until(lambda: any(note.startswith(f"tracker {self.http}: it returned ") for note in self.notes(fetcher)), fetcher)
            self.torrent = torrent
            self.seed("--no-lsd", "--tracker", self.http)
            self.assert_fetched(fetcher, "other.img")
        self.assertTrue(any(note.startswith("the metadata arrived after ") for note in self.notes(fetcher)), fetcher)


if __name__ == "__main__":
    main()
