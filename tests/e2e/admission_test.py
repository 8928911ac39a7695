#!/usr/bin/python3
"""Which peers are contacted: only named or discovered ones, and with --allow no others, in or out."""

import unittest

from harness import main, wait_until
from image_case import ImageCase
from networks import Capture, Switch, needs_network_namespaces

try:
    import libtorrent
except ImportError:
    libtorrent = None

PORT = 7001
LOCAL_DISCOVERY = {("udp", "239.192.152.143", 6771), ("udp", "ff15::efc0:988f", 6771)}
OF_THE_KERNEL = {"arp", "igmp", "icmpv6"}  # neighbours, and who listens to which group


class AdmissionTest(ImageCase):
    payload = (8 << 20) + 12_345

    def setUp(self):
        super().setUp()
        self.switch = self.enterContext(Switch())

    def new_host(self):
        return self.enterContext(self.switch.new_host())

    def seed(self, host, *options):
        seeder = self.start("seed", self.torrent, self.source, "--json", "--listen", str(PORT), *options, wrapper=host.wrapper)
        seeder.wait_for_event("start")
        return seeder

    def fetch(self, host, name, *options):
        return self.start("fetch", self.torrent, self.dir / name, "--json", "--timeout", "60s", *options,
                          wrapper=host.wrapper)

    def assert_fetched(self, fetcher, name):
        self.assert_complete(fetcher)
        self.assert_has_the_image(self.dir / name)

    def warnings(self, ezio):
        return " ".join(event["message"] for event in ezio.events_named("warning"))


class UtpClient:
    """libtorrent's Python binding on a host, which connects to another by uTP only, for as long as the test runs."""

    def __init__(self, test, host, server):
        directory = test.dir / f"utp-{host.address}"
        directory.mkdir()
        with host.inside():  # the threads of the session stay there
            self._session = libtorrent.session({
                "listen_interfaces": f"{host.address}:{PORT}", "enable_dht": False, "enable_lsd": False, "enable_upnp": False,
                "enable_natpmp": False, "enable_outgoing_tcp": False, "enable_incoming_tcp": True,
                "alert_mask": libtorrent.alert.category_t.all_categories})
        self._handle = self._session.add_torrent({"ti": libtorrent.torrent_info(str(test.torrent)), "save_path": str(directory)})
        self._handle.connect_peer((server.address, PORT))

    def is_complete(self):
        return self._handle.status().is_seeding

    def was_connected(self):
        """Whether the other side has answered its handshake."""
        return self._handle.status().total_download > 0


@needs_network_namespaces
class Allow(AdmissionTest):
    def test_a_host_outside_gets_nothing_and_is_named(self):
        server, inside, outside = (self.new_host() for _ in range(3))
        networks = ["--allow", server.address, "--allow", f"{inside.address}/32"]
        seeder = self.seed(server, *networks, "--max-upload", "4MiB")  # slow enough to be seen: it looks once a second
        refused = self.fetch(outside, "outside.img", "--peer", f"{server.address}:{PORT}",
                             "--peer", f"[{server.address6}]:{PORT}", "--stall-timeout", "4s")
        self.assert_fetched(self.fetch(inside, "inside.img", *networks), "inside.img")
        self.assertEqual(refused.wait(), 7, refused)
        self.assertEqual({event["received_bytes"] for event in refused.events_named("progress")}, {0})
        self.assertIn(outside.address, self.warnings(seeder))
        self.assertEqual({event["address"].rsplit(":", 1)[0] for event in seeder.events_named("peer")}, {inside.address})

    def test_a_host_outside_is_sent_nothing(self):
        server, inside, outside = (self.new_host() for _ in range(3))
        self.seed(server)
        with Capture(outside) as capture:
            seeder = self.seed(outside)  # it announces itself to all
            fetcher = self.fetch(inside, "inside.img", "--allow", server.address)
            self.assert_fetched(fetcher, "inside.img")
            met = {event["address"].rsplit(":", 1)[0].strip("[]") for event in seeder.events_named("peer")}
            self.assertEqual(met & {inside.address, inside.address6}, set(), seeder)
        answers = {packet for packet in capture.packets
                   if packet.protocol == "tcp" and not packet.sent and packet.address in (inside.address, inside.address6)}
        self.assertLessEqual({packet.port for packet in answers} & {PORT}, set(), answers)

    @unittest.skipIf(libtorrent is None, "needs python3-libtorrent")
    def test_a_host_outside_gets_nothing_over_utp_either(self):
        server, inside, outside = (self.new_host() for _ in range(3))
        seeder = self.seed(server, "--no-lsd", "--allow", inside.address, "--max-upload", "2MiB")  # slow enough to be seen
        stranger = UtpClient(self, outside, server)
        wait_until(lambda: outside.address in self.warnings(seeder), "the stranger to be refused")
        member = UtpClient(self, inside, server)  # shows that it is the address that counts
        wait_until(member.is_complete, "the host inside to be complete")
        self.assertFalse(stranger.was_connected())
        wait_until(lambda: seeder.events_named("peer"), "the seeder to tell of a peer")  # it looks once a second
        self.assertEqual({event["address"].rsplit(":", 1)[0] for event in seeder.events_named("peer")}, {inside.address})

    def test_an_unreachable_wish_is_a_usage_error(self):
        host = self.new_host()
        self.ends_with(2, "fetch", self.torrent, self.dir / "target.img", "--allow", "10.0.0.0/33", wrapper=host.wrapper)
        self.ends_with(2, "fetch", self.torrent, self.dir / "target.img", "--allow", "192.168.0.0/16",
                       "--peer", f"{host.address}:{PORT}", wrapper=host.wrapper)
        self.assertFalse((self.dir / "target.img").exists())


@needs_network_namespaces
class NothingLeaks(AdmissionTest):
    def strangers(self, capture, *known):
        """What was sent that is neither the kernel's, nor local discovery, nor TCP to the known addresses."""
        return {packet for packet in capture.sent()
                if packet.protocol not in OF_THE_KERNEL and packet[1:] not in LOCAL_DISCOVERY
                and not (packet.protocol == "tcp" and packet.address in known)}

    def test_with_the_defaults_nobody_is_contacted_but_peers_and_the_group_of_local_discovery(self):
        server, client, router = (self.new_host() for _ in range(3))
        for host in (server, client):
            host.run("ip", "route", "add", "default", "via", router.address)
        with Capture(client) as of_client, Capture(server) as of_server:
            self.seed(server)
            self.assert_fetched(self.fetch(client, "target.img"), "target.img")
        self.assertEqual(self.strangers(of_client, server.address, server.address6), set())
        self.assertEqual(self.strangers(of_server, client.address, client.address6), set())

    def test_with_nobody_there_only_the_group_of_local_discovery_is_asked(self):
        host, router = self.new_host(), self.new_host()
        host.run("ip", "route", "add", "default", "via", router.address)
        with Capture(host) as capture:
            fetcher = self.fetch(host, "target.img", "--timeout", "5s")
            self.assertEqual(fetcher.wait(), 7, fetcher)
        self.assertEqual(self.strangers(capture), set())
        self.assertTrue({packet[1:] for packet in capture.sent()} & LOCAL_DISCOVERY)

    def test_without_discovery_a_process_without_peers_sends_nothing(self):
        host = self.new_host()
        with Capture(host) as capture:
            fetcher = self.fetch(host, "target.img", "--no-lsd", "--timeout", "3s")
            self.assertEqual(fetcher.wait(), 7, fetcher)
        self.assertEqual({packet for packet in capture.sent() if packet.protocol not in OF_THE_KERNEL}, set())


if __name__ == "__main__":
    main()
