#!/usr/bin/python3
"""How quickly many hosts find each other and are all connected. Runs alone."""

import pathlib
import time

from discovery_case import DiscoveryTest
from harness import main, wait_until
from networks import Switch, needs_network_namespaces

HOSTS = 8


@needs_network_namespaces
class LocalDiscovery(DiscoveryTest):
    def seconds_to_first_byte(self, fetcher):
        """By its own clock, which starts when it listens."""
        return min(event["seconds"] for event in fetcher.events
                   if event["event"] == "complete" or event["event"] == "progress" and event["received_bytes"] > 0)

    def test_eight_hosts_on_a_network_find_each_other_within_two_seconds(self):
        switch = self.enterContext(Switch())
        hosts = [self.enterContext(switch.new_host()) for _ in range(HOSTS)]
        self.seed(hosts[0])
        fetchers = [self.fetch(host, number) for number, host in enumerate(hosts[1:])]
        for number, fetcher in enumerate(fetchers):
            self.assert_fetched(fetcher, number)
        self.assertLessEqual(max(map(self.seconds_to_first_byte, fetchers)), 2)


def connected_hosts(pid):
    """How many hosts the network of this process has connections with. Without a program: starting sixteen would take as long
    as what is measured."""
    lines = map(str.split, pathlib.Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:])
    ends = [(local.split(":")[0], other.split(":")[0]) for _, local, other, state, *_ in lines if state == "01"]
    return len({other for local, other in ends if other != local})


@needs_network_namespaces
class Introductions(DiscoveryTest):
    def test_hosts_that_know_the_seeder_only_are_all_connected_within_two_seconds(self):
        switch = self.enterContext(Switch())
        server, *clients = [self.enterContext(switch.new_host()) for _ in range(17)]
        shape = ["root", "tbf", "rate", "40mbit", "burst", "64kb", "latency", "30ms"]  # time enough to look
        server.run("tc", "qdisc", "add", "dev", "eth0", *shape)
        self.seed(server, "--no-lsd", "--listen", "7001")
        fetchers = [self.fetch(client, number, "--no-lsd", "--peer", f"{server.address}:7001")
                    for number, client in enumerate(clients)]
        for fetcher in fetchers:
            fetcher.wait_for_event("start")
        all_have_started = time.monotonic()

        for client, fetcher in zip(clients, fetchers):
            wait_until(lambda fetcher=fetcher: connected_hosts(fetcher.pid) == len(clients),
                       f"{client.address} to have all connections")
        self.assertLessEqual(time.monotonic() - all_have_started, 2)
        self.assertTrue(all(fetcher.is_running() for fetcher in fetchers))


if __name__ == "__main__":
    main()
