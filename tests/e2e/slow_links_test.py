#!/usr/bin/python3
"""Several fetchers at once on links that are the bottleneck: the seeder sends (nearly) everything once, whichever peers come and go."""

import signal
import time

from harness import main, wait_until
from images import Extent, Image
from networks import Switch, needs_network_namespaces
from swarm_case import SwarmTest

RATE = "100mbit"
PIECE = 256 << 10


@needs_network_namespaces
class OnSlowLinks(SwarmTest):
    """Hosts whose links take 100 Mbit/s each way, which is the bottleneck, as in a lab."""

    HOSTS = 5
    SIZE = 48 << 20

    def setUp(self):
        super().setUp()
        self.image = Image([Extent(0, self.SIZE)])
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent", PIECE)
        self.source = self.image.write_to(self.dir / "source.img")
        self.switch = switch = self.enterContext(Switch())
        self.hosts = [self.enterContext(switch.new_host()) for _ in range(self.HOSTS)]
        shape = ["root", "tbf", "rate", RATE, "burst", "256kb", "latency", "30ms"]
        for number, host in enumerate(self.hosts):
            host.run("tc", "qdisc", "add", "dev", "eth0", *shape)
            switch.run("tc", "qdisc", "add", "dev", f"port{number + 1}", *shape)

    def slow_down(self, number, rate):
        for where, device in ((self.hosts[number], "eth0"), (self.switch, f"port{number + 1}")):
            where.run("tc", "qdisc", "change", "dev", device, "root", "tbf", "rate", rate, "burst", "16kb", "latency", "300ms")

    def target(self, number):
        return self.dir / f"target{number}.img"

    def seed(self, *options):
        seeder = self.start("seed", self.torrent, self.source, "--json", "--no-tracker", *options, wrapper=self.hosts[0].wrapper)
        seeder.wait_for_event("start")
        return seeder

    def fetch_on(self, number, *options):
        return self.start("fetch", self.torrent, self.target(number), "--json", "--no-tracker", "--timeout", "100s",
                          "--interval", "200ms", "--peer", f"{self.hosts[0].address}:6881", *options, wrapper=self.hosts[number].wrapper)

    def wait_for_half(self, fetcher):
        wait_until(lambda: not fetcher.is_running() or
                   any(event["done_bytes"] >= self.SIZE / 2 for event in fetcher.events_named("progress")), fetcher)
        self.assertEqual(fetcher.events_named("complete"), [], fetcher)

    @staticmethod
    def uploaded(ezio):
        return max((event["uploaded_bytes"] for event in ezio.events if "uploaded_bytes" in event), default=0)

    def test_four_hosts_get_everything_and_the_seeder_sends_it_little_more_than_once(self):
        seeder = self.seed("--clients", "4")
        fetchers = {number: self.fetch_on(number) for number in range(1, 5)}
        for number, fetcher in fetchers.items():
            self.assert_fetched(fetcher, self.target(number))
        self.assertEqual(seeder.wait(), 0, seeder)
        self.assertLessEqual(self.uploaded(seeder), 1.15 * self.SIZE)

    def test_one_that_comes_after_everybody_has_left_is_steered_again(self):
        seeder = self.seed()
        first = self.fetch_on(1, "--seed-time", 0)
        self.assert_complete(first)
        self.assertEqual(first.wait(), 0, first)
        once = self.uploaded(seeder)
        fetchers = {number: self.fetch_on(number) for number in range(1, 5)}
        for number, fetcher in fetchers.items():
            self.assert_fetched(fetcher, self.target(number))
        self.assertLessEqual(self.uploaded(seeder) - once, 1.2 * self.SIZE)

    def test_one_with_a_slow_link_that_has_more_than_half_does_not_hold_up_the_others(self):
        self.torrent = self.image.write_torrent(self.dir / "large.torrent", 4 << 20)
        with open(self.source, "rb") as source:
            self.target(1).write_bytes(source.read(self.SIZE * 6 // 10))
        self.slow_down(1, "1mbit")
        self.seed()
        slow = self.fetch_on(1, "--resume")
        wait_until(lambda: slow.events_named("peer"), slow)
        time.sleep(2)  # it has begun some pieces
        fetcher = self.fetch_on(2, "--seed-time", 0)
        self.assert_fetched(fetcher, self.target(2))
        self.assertLess(fetcher.events_named("complete")[0]["seconds"], 25)  # with the slow one's rate: 55

    def test_who_lives_completes_when_the_seeder_and_a_client_are_killed_and_another_comes_late(self):
        seeder = self.seed()
        fetchers = {number: self.fetch_on(number) for number in range(1, 4)}
        self.wait_for_half(fetchers[1])
        for victim in (seeder, fetchers.pop(3)):
            victim.signal(signal.SIGKILL)
            victim.wait()
        second = self.seed("--clients", "3")
        fetchers[4] = self.fetch_on(4)
        for number, fetcher in fetchers.items():
            self.assert_fetched(fetcher, self.target(number))
        self.assertEqual(second.wait(), 0, second)
        self.assertLessEqual(self.uploaded(seeder) + self.uploaded(second), 1.5 * self.SIZE)


if __name__ == "__main__":
    main()
