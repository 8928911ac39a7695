#!/usr/bin/python3
"""How peers find each other without options: on one network, and within one host."""

import os
import shutil
import time

from discovery_case import DiscoveryTest
from harness import main
from images import bdecode, bencode
from networks import Capture, Host, Switch, needs_network_namespaces


@needs_network_namespaces
class LocalDiscovery(DiscoveryTest):
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
class Names(DiscoveryTest):
    def setUp(self):
        super().setUp()
        self.switch = self.enterContext(Switch())
        self.server, self.client = (self.enterContext(self.switch.new_host()) for _ in range(2))
        self.seed(self.server, "--listen", "7001")

    def knowing(self, *lines):
        """A wrapper for programs on the client, whose /etc/hosts has these lines."""
        etc = self.dir / "etc"  # another one, for there may be no hosts in it that could be covered
        etc.mkdir()
        for name in "nsswitch.conf", "host.conf", "gai.conf", "ld.so.cache", "passwd", "group":
            if os.path.exists(f"/etc/{name}"):
                shutil.copy(f"/etc/{name}", etc)
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
