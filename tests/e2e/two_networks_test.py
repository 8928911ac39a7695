#!/usr/bin/python3
"""A host with two network interfaces is reached at each of its listening addresses, whatever the networks are."""

import contextlib
import json
import signal
import socket

from discovery_case import DiscoveryTest
from harness import main, wait_until
from networks import Host, Switch, needs_network_namespaces
from raw_peer import waiting_peer


def mac_of(host, interface):
    return json.loads(host.run("ip", "-json", "link", "show", "dev", interface))[0]["address"]


class TwoInterfaces(DiscoveryTest):
    payload = 3 << 20

    def fetch_from(self, host, number, address, *options):
        place = f"[{address}]:6881" if ":" in address else f"{address}:6881"
        self.assert_fetched(self.fetch(host, number, "--no-lsd", "--peer", place, "--seed-time", "0", *options), number)

    @contextlib.contextmanager
    def seeding_on(self, host, *options):
        seeder = self.seed(host, *options)
        wait_until(lambda: 6881 in host.listening_ports(), seeder)
        yield
        seeder.signal(signal.SIGTERM)
        self.assertEqual(seeder.wait(), 128 + signal.SIGTERM, seeder)


@needs_network_namespaces
class OneNetwork(TwoInterfaces):
    """Cable and Wi-Fi of a laptop: the kernel answers ARP for either address on either interface."""

    def setUp(self):
        super().setUp()
        switch = self.enterContext(Switch())
        self.master, self.client = self.enterContext(Host()), self.enterContext(Host())
        self.cable, self.wifi = switch.attach(self.master, "eth0"), switch.attach(self.master, "wlan0")
        switch.attach(self.client)
        self.cable6, self.wifi6 = f"{switch.prefix6}::1", f"{switch.prefix6}::2"
        self.master.run("sh", "-c", "for i in all eth0 wlan0; do echo 0 > /proc/sys/net/ipv4/conf/$i/rp_filter; done")

    def is_reached(self, address, interface):
        """When ARP, or neighbour discovery, has found the address at this interface."""
        self.client.run("ip", "neighbour", "replace", address, "lladdr", mac_of(self.master, interface), "dev", "eth0", "nud",
                        "permanent")
        with self.client.inside():
            try:
                socket.create_connection((address, 6881), timeout=10).close()
                return True
            except ConnectionRefusedError:
                return False

    def reached(self):
        return {address for address in (self.cable, self.wifi, self.cable6, self.wifi6)
                if all(self.is_reached(address, interface) for interface in ("eth0", "wlan0"))}

    def test_every_address_is_reached_by_both(self):
        with self.seeding_on(self.master):
            self.assertEqual(self.reached(), {self.cable, self.wifi, self.cable6, self.wifi6})
            self.fetch_from(self.client, 1, self.wifi)
            self.fetch_from(self.client, 2, self.wifi6)

    def test_those_of_an_interface_that_is_named(self):
        with self.seeding_on(self.master, "--listen", "wlan0"):
            self.assertEqual(self.reached(), {self.wifi, self.wifi6})
        with self.seeding_on(self.master, "--listen", "eth0", "--listen", "wlan0"):
            self.assertEqual(self.reached(), {self.cable, self.wifi, self.cable6, self.wifi6})

    def test_those_that_are_named(self):
        with self.seeding_on(self.master, "--listen", self.wifi, "--listen", self.cable6):
            self.assertEqual(self.reached(), {self.wifi, self.cable6})
        with self.seeding_on(self.master, "--listen", "0.0.0.0"):
            self.assertEqual(self.reached(), {self.cable, self.wifi})

    def test_both_ends_of_a_fetch_have_two(self):
        """A complete fetch serves at each of its addresses, too."""
        with contextlib.ExitStack() as waiting:
            with self.seeding_on(self.client):
                middle = self.fetch(self.master, 1, "--no-lsd", "--peer", f"{self.client.address}:6881", "--seed-time", "60s")
                with self.client.inside():
                    waiting.enter_context(waiting_peer(middle, f"{self.cable}:6881"))
                middle.wait_for_event("complete")
            self.fetch_from(self.client, 2, self.wifi)


@needs_network_namespaces
class NestedNetworks(TwoInterfaces):
    """The laboratory's network lies in that of the campus. The master is in both, in the campus' first."""

    def setUp(self):
        super().setUp()
        campus, lab = self.enterContext(Switch("10.3.0")), self.enterContext(Switch("10.99.0"))
        self.master, self.client, self.stranger = (self.enterContext(Host()) for _ in range(3))
        campus.attach(self.master, "eth0")
        campus.attach(self.stranger, "eth0")
        self.address = lab.attach(self.master, "eth1")
        self.address6 = f"{lab.prefix6}::1"
        lab.attach(self.client, "eth0")
        for number, host in enumerate((self.master, self.stranger), start=1):
            host.run("sh", "-ec", f"""
                ip address flush dev eth0
                ip address add 10.3.0.{number}/8 broadcast + dev eth0
                ip address add fd00:3::{number}/16 dev eth0 nodad""")

    def test_the_clients_of_the_inner_one_are_served_by_both_families(self):
        for number, options in enumerate([(), ("--listen", "eth1"), ("--listen", self.address, "--listen", self.address6)]):
            with self.subTest(options=options), self.seeding_on(self.master, *options):
                self.fetch_from(self.client, number, self.address if number % 2 else self.address6)
                self.assertTrue(self.is_reached(self.address) and self.is_reached(self.address6))

    def is_reached(self, address):
        with self.client.inside(), socket.create_connection((address, 6881), timeout=10):
            return True

    def test_they_find_the_master(self):
        with self.seeding_on(self.master):
            self.assert_fetched(self.fetch(self.client, 1), 1)
            self.assert_fetched(self.fetch(self.stranger, 2), 2)


if __name__ == "__main__":
    main()
