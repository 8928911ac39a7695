#!/usr/bin/python3
"""How peers find each other without being told: on one network, and within one host."""

import pathlib
import shutil
import time

from harness import main, wait_until
from image_case import ImageCase
from images import bdecode, bencode
from networks import Capture, Host, Switch, needs_network_namespaces

HOSTS = 8


class DiscoveryTest(ImageCase):
    def seed(self, host, *options):
        seeder = self.start("seed", self.torrent, self.source, "--json", *options, wrapper=host.wrapper)
        seeder.wait_for_event("start")
        return seeder

    def fetch(self, host, number, *options):
        return self.start("fetch", self.torrent, self.dir / f"target{number}.img", "--json", "--timeout", "60s", *options,
                          wrapper=host.wrapper)

    def assert_fetched(self, fetcher, number):
        self.assert_complete(fetcher)
        self.assert_has_the_image(self.dir / f"target{number}.img")

    def seconds_to_first_byte(self, fetcher):
        """By its own clock, which starts when it listens."""
        return min(event["seconds"] for event in fetcher.events
                   if event["event"] == "complete" or event["event"] == "progress" and event["received_bytes"] > 0)


@needs_network_namespaces
class LocalDiscovery(DiscoveryTest):
    def test_eight_hosts_on_a_network_find_each_other_within_two_seconds(self):
        switch = self.enterContext(Switch())
        hosts = [self.enterContext(switch.new_host()) for _ in range(HOSTS)]
        self.seed(hosts[0])
        fetchers = [self.fetch(host, number) for number, host in enumerate(hosts[1:])]
        for number, fetcher in enumerate(fetchers):
            self.assert_fetched(fetcher, number)
        self.assertLessEqual(max(map(self.seconds_to_first_byte, fetchers)), 2)

    def test_processes_on_one_host_find_each_other(self):
        host = self.enterContext(Host())  # loopback is all it has
        self.seed(host)
        fetchers = [self.fetch(host, number) for number in range(3)]
        for number, fetcher in enumerate(fetchers):
            self.assert_fetched(fetcher, number)
        ports = {fetcher.events_named("start")[0]["listen"] for fetcher in fetchers}
        self.assertEqual(len(ports), 3, "each has a port of its own")

    def test_a_private_torrent_is_not_announced(self):
        """BEP 27: its peers come from its tracker, or are named."""
        torrent, _ = bdecode(self.torrent.read_bytes())
        torrent["info"]["private"] = 1
        self.torrent.write_bytes(bencode(torrent))
        host = self.enterContext(Host())
        self.seed(host)
        fetcher = self.fetch(host, 0, "--stall-timeout", "5s")
        self.assertEqual(fetcher.wait(), 7, fetcher)
        self.assertEqual(max(event["peers"] for event in fetcher.events_named("progress")), 0, fetcher)

    def test_a_cable_that_is_plugged_in_later_is_no_obstacle(self):
        switch = self.enterContext(Switch())
        server, client = (self.enterContext(switch.new_host()) for _ in range(2))
        client.run("ip", "link", "set", "eth0", "down")
        self.seed(server)
        fetcher = self.fetch(client, 0)
        fetcher.wait_for_event("start")
        client.run("ip", "link", "set", "eth0", "up")
        self.assert_fetched(fetcher, 0)

    def test_it_stays_on_the_network_that_was_chosen(self):
        chosen, other = self.enterContext(Switch("10.77.1")), self.enterContext(Switch("10.77.2"))
        server = self.enterContext(chosen.new_host())
        client = self.enterContext(Host())
        other.attach(client, "eth0")
        chosen.attach(client, "eth1")
        self.seed(server)
        with Capture(client, "eth0") as capture:
            self.assert_fetched(self.fetch(client, 0, "--listen", "eth1"), 0)
        self.assertEqual({packet for packet in capture.sent() if packet.protocol in ("tcp", "udp")}, set())

    def test_two_networks_are_served_at_once(self):
        switches = self.enterContext(Switch("10.77.1")), self.enterContext(Switch("10.77.2"))
        server = self.enterContext(Host())
        for number, switch in enumerate(switches):
            switch.attach(server, f"eth{number}")
        seeder = self.seed(server, "--listen", "eth0", "--listen", "eth1")
        listening = seeder.events_named("start")[0]["listen"]
        self.assertIn("10.77.1.1:6881", listening)
        self.assertIn("10.77.2.1:6881", listening)
        for number, switch in enumerate(switches):
            client = self.enterContext(switch.new_host())
            self.assert_fetched(self.fetch(client, number), number)

    def test_hosts_that_have_ipv6_only_find_each_other_and_can_be_named(self):
        switch = self.enterContext(Switch())
        hosts = [self.enterContext(switch.new_host()) for _ in range(3)]
        for host in hosts:
            host.run("ip", "-4", "address", "flush", "dev", "eth0")
        seeder = self.seed(hosts[0], "--listen", "7001")
        self.assertIn(":7001", seeder.events_named("start")[0]["listen"])
        self.assert_fetched(self.fetch(hosts[1], 1), 1)
        self.assert_fetched(self.fetch(hosts[2], 2, "--no-lsd", "--peer", f"[{hosts[0].address6}]:7001"), 2)


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


@needs_network_namespaces
class Names(DiscoveryTest):
    def setUp(self):
        super().setUp()
        self.switch = self.enterContext(Switch())
        self.server, self.client = (self.enterContext(self.switch.new_host()) for _ in range(2))
        self.seed(self.server, "--listen", "7001")

    def knowing(self, *lines):
        """A wrapper for programs on the client, whose /etc/hosts has these lines."""
        etc = self.dir / "etc"  # whole, for there may be no hosts in it that could be covered
        shutil.copytree("/etc", etc, symlinks=True, ignore=lambda *_: ["hosts"])
        (etc / "hosts").write_text("".join(f"{line}\n" for line in lines))
        mount = f'mount --bind {etc} /etc && exec "$@"'
        return [*self.client.wrapper, "unshare", "--mount", "sh", "-c", mount, "sh"]

    def fetch_from(self, name, wrapper):
        return self.start("fetch", self.torrent, self.dir / "target0.img", "--json", "--no-lsd", "--peer", f"{name}:7001",
                          "--timeout", "60s", wrapper=wrapper)

    def test_a_peer_has_a_name(self):
        self.assert_fetched(self.fetch_from("master", self.knowing(f"{self.server.address} master")), 0)

    def test_all_of_its_addresses_are_tried(self):
        wrapper = self.knowing("fd00:0::99 master", f"{self.server.address6} master", f"{self.server.address} master")
        self.assert_fetched(self.fetch_from("master", wrapper), 0)

    def test_a_name_that_nobody_has_ends_it_at_once(self):
        start = time.monotonic()
        fetcher = self.fetch_from("nobody", self.knowing(f"{self.server.address} master"))
        self.assertEqual(fetcher.wait(), 6, fetcher)
        self.assertLess(time.monotonic() - start, 20)
        self.assertIn("nobody", fetcher.events_named("error")[0]["message"])
        self.assertFalse((self.dir / "target0.img").exists())


if __name__ == "__main__":
    main()
