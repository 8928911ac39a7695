#!/usr/bin/python3
"""How peers with IPv4 and IPv6 addresses find each other."""

import time

from discovery_case import DiscoveryTest
from harness import main
from networks import Switch, needs_network_namespaces


@needs_network_namespaces
class BothFamilies(DiscoveryTest):
    """Each host has an address of IPv4 and one or two of IPv6."""

    def setUp(self):
        super().setUp()
        switch = self.enterContext(Switch())
        self.hosts = [self.enterContext(switch.new_host()) for _ in range(4)]

    def connections(self, host):
        """With others: a peer also tries its own address, when somebody tells it, and hangs up on itself."""
        lines = host.run("ss", "--tcp", "--numeric", "--no-header", "state", "established").splitlines()
        itself = (f"{host.address}:", f"[{host.address6}]:")
        return [line for line in lines if not line.split()[3].startswith(itself)]

    def test_hosts_that_find_each_other_by_both_have_one_connection_with_each(self):
        self.seed(self.hosts[0])
        fetchers = [self.fetch(host, number, "--max-download", "2MiB") for number, host in enumerate(self.hosts[1:])]
        time.sleep(4)
        for host in self.hosts:
            connections = self.connections(host)
            self.assertEqual(len(connections), len(self.hosts) - 1, connections)
        self.assertTrue(all(fetcher.is_running() for fetcher in fetchers))

    def test_who_may_not_be_reached_by_ipv4_is_found_by_ipv6_also_for_its_metadata(self):
        seeder = self.seed(self.hosts[0])
        only_ipv6 = ["--allow", "fd00::/8"]
        self.assert_fetched(self.fetch(self.hosts[1], 1, *only_ipv6), 1)
        info_hash = seeder.events_named("start")[0]["info_hash"]
        self.torrent = f"magnet:?xt=urn:btih:{info_hash}"
        self.assert_fetched(self.fetch(self.hosts[2], 2, *only_ipv6), 2)

    def test_a_peer_that_is_named_twice_has_one_connection_and_counts_once(self):
        server = self.hosts[0]
        seeder = self.seed(server, "--listen", "7001", "--no-lsd", "--clients", "2")
        names = ["--no-lsd", "--peer", f"[{server.address6}]:7001", "--peer", f"{server.address}:7001"]
        first = self.fetch(self.hosts[1], 1, *names, "--seed-time", "20s")
        first.wait_for_event("complete")
        connections = self.connections(server)
        self.assertEqual(len(connections), 1, connections)
        self.assertIn(server.address, connections[0])  # it is IPv4
        self.assertTrue(seeder.is_running(), seeder)
        self.assert_fetched(self.fetch(self.hosts[2], 2, *names, "--seed-time", "0"), 2)
        self.assertEqual(seeder.wait(), 0, seeder)
        self.assert_fetched(first, 1)


if __name__ == "__main__":
    main()
