#!/usr/bin/python3
"""Named peers are tried for as long as it takes: hosts are switched on at any time."""

import pathlib

from harness import ON_LOOPBACK, free_port, main, wait_until
from raw_peer import PeersTest


def failed_connections():
    """How many connections of this network have been refused, ever."""
    names, numbers = (line.split() for line in pathlib.Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Tcp:"))
    return int(numbers[names.index("AttemptFails")])


class LatePeers(PeersTest):
    LATE = 4  # calls in vain; libtorrent gives up after three

    def setUp(self):
        super().setUp()
        self.before = failed_connections()

    def start_the_named_seeder_late(self, port):
        """Only the named one is called in vain here, so that these are the calls that are counted."""
        wait_until(lambda: failed_connections() - self.before >= self.LATE, "calls in vain")
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


if __name__ == "__main__":
    main()
