#!/usr/bin/python3
"""Clients behind one address: a NAT router, and the proxy of a container's published port."""

import contextlib
import socket
import threading

from discovery_case import DiscoveryTest
from harness import main, wait_until
from image_case import needs_libtorrent
from networks import Switch, needs_network_namespaces


class Proxy:
    """Passes each connection on to `to` with one of its own, so that all of them come from its host."""

    def __init__(self, host, to):
        self._host, self._to = host, to
        with host.inside():
            self._server = socket.create_server((host.address, 6881))

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown(socket.SHUT_RDWR)  # ends accept()
        self._server.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client):
        with client, self._host.inside(), socket.create_connection((self._to, 6881)) as server:
            answers = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            answers.start()
            self._pump(client, server)
            answers.join()

    @staticmethod
    def _pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 18):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@needs_network_namespaces
class OneAddress(DiscoveryTest):
    payload = 6 << 20

    def setUp(self):
        super().setUp()
        switch = self.enterContext(Switch())
        self.server, middle, *self.clients = (self.enterContext(switch.new_host()) for _ in range(6))
        self.enterContext(Proxy(middle, self.server.address))
        self.middle, self.place = middle.address, f"{middle.address}:6881"

    def start_seeder(self, *options):
        seeder = self.seed(self.server, "--no-lsd", "--interval", "100ms", *options)
        wait_until(lambda: 6881 in self.server.listening_ports(), seeder)
        return seeder

    def fetch_by_proxy(self, number, *options):
        return self.fetch(self.clients[number], number, "--no-lsd", "--peer", self.place, "--seed-time", "0", *options)

    @staticmethod
    def wait_for_clients_in_progress(seeder, count):
        wait_until(lambda: any(event["clients_in_progress"] == count for event in seeder.events_named("progress")), seeder)

    def test_all_are_served_at_once_and_each_is_counted(self):
        seeder = self.start_seeder("--clients", "4", "--max-upload", "4M")
        fetchers = [self.fetch_by_proxy(number) for number in range(3)]
        self.wait_for_clients_in_progress(seeder, 3)
        for number, fetcher in enumerate(fetchers):
            self.assert_fetched(fetcher, number)
        self.assertTrue(seeder.is_running(), seeder)
        self.assert_fetched(self.fetch_by_proxy(3), 3)  # alone, when the others have left
        self.assertEqual(seeder.wait(), 0, seeder)

    def test_one_that_is_started_again_counts_once(self):
        seeder = self.start_seeder("--clients", "2")
        for _ in range(2):
            self.assert_fetched(self.fetch_by_proxy(0), 0)
        wait_until(lambda: seeder.events_named("progress")[-1]["peers"] == 0, seeder)
        self.assertTrue(seeder.is_running(), seeder)
        self.assertEqual(seeder.events_named("progress")[-1]["clients_complete"], 1)

    @needs_libtorrent
    def test_other_programs_are_told_apart_while_they_are_connected(self):
        seeder = self.start_seeder("--max-upload", "4M")
        others = [self.start_stock_client(host, self.middle) for host in self.clients[:2]]
        self.wait_for_clients_in_progress(seeder, 2)
        for other in others:
            wait_until(lambda other=other: other.status().is_seeding, seeder)


if __name__ == "__main__":
    main()
