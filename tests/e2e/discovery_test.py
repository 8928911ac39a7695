#!/usr/bin/python3
"""How peers find each other without being told: on one network, and within one host."""

import unittest

from harness import EndToEndTest, main
from images import differing_extents, odd_image
from networks import Switch, needs_network_namespaces

HOSTS = 8


class DiscoveryTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.image = odd_image()
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent")
        self.source = self.image.write_to(self.dir / "source.img")

    def seed(self, host, *options):
        seeder = self.start("seed", self.torrent, self.source, "--json", *options, wrapper=host.wrapper)
        seeder.wait_for_event("start")
        return seeder

    def fetch(self, host, number, *options):
        return self.start("fetch", self.torrent, self.dir / f"target{number}.img", "--json", "--timeout", "60s", *options,
                          wrapper=host.wrapper)

    def assert_fetched(self, fetcher, number):
        self.assert_complete(fetcher)
        self.assertEqual(differing_extents(self.source, self.dir / f"target{number}.img", self.image.extents), [])

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


if __name__ == "__main__":
    main()
