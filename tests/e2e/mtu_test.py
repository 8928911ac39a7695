#!/usr/bin/python3
"""A network that silently drops large packets: a message says what is missing, with the likely reason."""

from harness import main
from images import Extent, Image
from networks import Switch, needs_network_namespaces
from swarm_case import SwarmTest

MIB = 1 << 20
SMALL = 900  # bytes, which the hosts know nothing of; what introduces peers to each other is smaller


@needs_network_namespaces
class LargePackets(SwarmTest):
    def setUp(self):
        super().setUp()
        self.image = Image([Extent(0, 2 * MIB)])
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent", 65536)
        self.source = self.image.write_to(self.dir / "source.img")
        self.target = self.dir / "target.img"
        self.switch = self.enterContext(Switch())
        self.master, self.client = (self.enterContext(self.switch.new_host()) for _ in range(2))
        for host in self.master, self.client:
            host.run("ip", "link", "set", "eth0", "gso_max_segs", "1")  # or a packet is longer than any MTU here

    def fetch_from_master(self, *options):
        seeder = self.start("seed", self.torrent, self.source, "--json", "--no-lsd", "--listen", "7001", wrapper=self.master.wrapper)
        seeder.wait_for_event("start")
        return self.start("fetch", self.torrent, self.target, "--json", "--no-lsd", "--seed-time", "0", "--peer",
                          f"{self.master.address}:7001", *options, wrapper=self.client.wrapper)

    def assert_stalls(self, *options):
        fetcher = self.fetch_from_master("--stall-timeout", "3s", *options)
        message = self.assert_failed(fetcher, 7, seconds=60)
        self.assertIn("no data for 3 s", message)
        self.assertIn("are large packets lost because a host has another MTU?", message)
        self.assertEqual(fetcher.events_named("progress")[-1]["received_bytes"], 0, fetcher)

    def test_that_do_not_arrive_are_what_a_stalled_fetch_asks_for(self):
        self.switch.run("ip", "link", "set", "port2", "mtu", str(SMALL))  # on the way to the client
        self.assert_stalls()

    def test_the_same_without_compression(self):
        self.switch.run("ip", "link", "set", "port2", "mtu", str(SMALL))
        self.assert_stalls("--no-compression")

    def test_hosts_of_different_mtu_agree_where_nothing_is_lost(self):
        self.master.run("ip", "link", "set", "eth0", "mtu", "9000")
        for port in "port1", "port2":
            self.switch.run("ip", "link", "set", port, "mtu", "9000")
        self.client.run("ip", "link", "set", "eth0", "mtu", "1280")
        self.assert_fetched(self.fetch_from_master("--stall-timeout", "20s"), self.target)


if __name__ == "__main__":
    main()
