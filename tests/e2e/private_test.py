#!/usr/bin/python3
"""Private images (SSL torrents): peers with a certificate of the image's CA get it, others get no byte."""

import contextlib
import pathlib
import re
import resource
import shlex
import socket
import ssl
import unittest

from certificates import Authority
from harness import REPOSITORY, EndToEndTest, main, missing_tools, run, wait_until
from images import differing_extents, odd_image
from raw_peer import info_hash_of

try:
    import libtorrent
except ImportError:
    libtorrent = None


@unittest.skipIf(missing_tools("openssl"), "needs openssl")
class PrivateImage(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.image = odd_image()
        self.ca = Authority(self.dir, "ca")
        self.torrent = self.image.write_torrent(self.dir / "sda1.torrent", ca=self.ca.certificate.read_text())
        self.source = self.image.write_to(self.dir / "source.img")
        self.target = self.dir / "target.img"
        self.credentials = self.ca.issue("server")

    def assert_fetched(self):
        self.assertEqual(differing_extents(self.source, self.target, self.image.extents), [])


class Members(PrivateImage):
    def test_a_certificate_of_the_ca_gets_the_image(self):
        with self.seeding(self.torrent, self.source, *self.credentials) as peer:
            self.fetch(self.torrent, self.target, "--peer", peer, *self.ca.issue("client"))
        self.assert_fetched()

    def test_so_does_one_that_is_made_out_to_the_image(self):
        with self.seeding(self.torrent, self.source, *self.credentials) as peer:
            self.fetch(self.torrent, self.target, "--peer", peer,
                       *self.ca.issue("client", common_name="sda1", usage="serverAuth,clientAuth"))
        self.assert_fetched()

    def test_groups_for_diffie_hellman_can_be_given(self):
        group = self.dir / "dh.pem"
        run("openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe3072", "-out", group)
        with self.seeding(self.torrent, self.source, *self.credentials, "--ssl-dh", group) as peer:
            self.fetch(self.torrent, self.target, "--peer", peer, *self.ca.issue("client"))
        self.assert_fetched()

    @unittest.skipIf(libtorrent is None, "needs python3-libtorrent")
    def test_a_stock_client_with_a_certificate_gets_it_too(self):
        options = self.ca.issue("client")
        with self.seeding(self.torrent, self.source, *self.credentials) as peer:
            client = StockClient(self, self.torrent, peer, certificate=options[1], key=options[3])
            wait_until(lambda: client.status().is_seeding, "the stock client to be complete")

    def test_the_manual_shows_how_to_make_the_certificates(self):
        manual = (REPOSITORY / "man" / "ezio-cli.8").read_text()
        block = re.search(r"\.Bd [^\n]*\n(openssl req.*?)\.Ed", manual, re.DOTALL).group(1).replace("\\e\n", "")
        commands = [shlex.split(line) for line in block.splitlines() if line.startswith("openssl")]
        self.assertGreaterEqual(len(commands), 3)
        for command in commands:
            run("env", "-C", str(self.dir), *command)
        torrent = self.image.write_torrent(self.dir / "manual.torrent", ca=(self.dir / "ca.pem").read_text())
        credentials = ["--ssl-cert", self.dir / "host.pem", "--ssl-key", self.dir / "host.key"]
        with self.seeding(torrent, self.source, *credentials) as peer:
            self.fetch(torrent, self.target, "--peer", peer, *credentials)

    def test_there_is_no_magnet_link_to_it(self):
        refused = self.ends_with(2, "info", "--magnet", self.torrent)
        self.assertIn("is private", refused.stderr)
        link = "magnet:?xt=urn:btih:" + info_hash_of(self.torrent).hex()
        with self.seeding(self.torrent, self.source, *self.credentials) as peer:
            refused = self.ends_with(2, "fetch", link, self.target, "--no-lsd", "--peer", peer, *self.ca.issue("client"))
            self.assertIn("give its torrent file", refused.stderr)
            stalled = self.ends_with(7, "fetch", link, self.target, "--no-lsd", "--peer", peer, "--stall-timeout", "2s")
            self.assertIn("metadata", stalled.stderr)
        self.assertFalse(self.target.exists())


class Floods(PrivateImage):
    CONNECTIONS = 500
    MEMORY = 64  # MiB, for --memory
    REST = 96  # MiB that the rest of the process may need, as the manual says

    def check(self, first_bytes):
        """Connections that never finish TLS cost a bounded piece of memory each and do not keep members out."""
        seeder, peer = self.start_listening("seed", self.torrent, self.source, *self.credentials, "--memory", f"{self.MEMORY}M")
        host, port = peer.split(":")
        with contextlib.ExitStack() as sockets:
            for _ in range(self.CONNECTIONS):
                connection = sockets.enter_context(socket.create_connection((host, int(port)), timeout=30))
                with contextlib.suppress(ConnectionError):
                    connection.sendall(first_bytes)
            self.fetch(self.torrent, self.target, "--peer", peer, "--timeout", "60s", *self.ca.issue("client"))
            self.assert_fetched()
            self.assertLess(seeder.peak_mib(), self.MEMORY + self.REST)
        wait_until(lambda: len(list(pathlib.Path(f"/proc/{seeder.pid}/fd").iterdir())) < self.CONNECTIONS // 2, seeder)

    def test_many_that_say_nothing(self):
        self.check(b"")

    def test_more_than_there_are_descriptors_for(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 4096:
            self.skipTest("needs 4096 descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        seeder, peer = self.start_listening("seed", self.torrent, self.source, *self.credentials, "--memory", f"{self.MEMORY}M",
                                            wrapper=["prlimit", "--nofile=2048"])
        host, port = peer.split(":")
        with contextlib.ExitStack() as sockets:
            for _ in range(3000):
                connection = sockets.enter_context(socket.socket())
                connection.setblocking(False)
                connection.connect_ex((host, int(port)))
            self.fetch(self.torrent, self.target, "--peer", peer, "--timeout", "60s", *self.ca.issue("client"))
            self.assert_fetched()
        self.assertTrue(seeder.is_running(), seeder)

    def test_many_that_begin_a_handshake(self):
        self.check(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")

    def test_many_that_say_something_else(self):
        self.check(b"\x13BitTorrent protocol" + bytes(48))


class StockClient:
    """libtorrent's Python binding, which fetches into a directory for as long as the test runs."""

    def __init__(self, test, torrent, peer, certificate=None, key=None):
        self._session = libtorrent.session({
            "listen_interfaces": "127.0.0.1:0s", "enable_dht": False, "enable_lsd": False, "enable_upnp": False,
            "enable_natpmp": False, "alert_mask": libtorrent.alert.category_t.all_categories})
        directory = test.dir / "stock"
        directory.mkdir()
        params = {"ti": libtorrent.torrent_info(str(torrent)), "save_path": str(directory)}
        self._handle = self._session.add_torrent(params)
        if certificate:
            group = test.dir / "stock-dh.pem"
            run("openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out", group)
            self._handle.set_ssl_certificate(str(certificate), str(key), str(group))
        host, port = peer.split(":")
        self._handle.connect_peer((host, int(port)))

    def status(self):
        return self._handle.status()

    def was_refused(self):
        return any(isinstance(alert, (libtorrent.peer_error_alert, libtorrent.peer_disconnected_alert))
                   for alert in self._session.pop_alerts())


class Strangers(PrivateImage):
    """Each tries to get a byte from a running seeder."""

    def answer_to(self, peer, certificate=None, key=None, server_name=None):
        """What a client is told that says which torrent it wants, over TLS if it can be had."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if certificate:
            context.load_cert_chain(certificate, key)
        host, port = peer.split(":")
        info_hash = info_hash_of(self.torrent)
        with socket.create_connection((host, int(port)), timeout=30) as plain:
            try:
                with context.wrap_socket(plain, server_hostname=server_name or info_hash.hex()) as tls:
                    tls.sendall(b"\x13BitTorrent protocol" + bytes(8) + info_hash + b"-XX0000-" + bytes(12))
                    return tls.recv(1000)
            except (ssl.SSLError, ConnectionError):
                return b""

    @contextlib.contextmanager
    def serving(self):
        """Seeds for the length of a with block, which begins when members are let in."""
        with self.seeding(self.torrent, self.source, *self.credentials) as peer:
            member = self.ca.issue("member")[1::2]
            wait_until(lambda: self.answer_to(peer, *member), "a member to be let in")
            yield peer

    def check_refused(self, *credentials, server_name=None):
        with self.serving() as peer:
            self.assertEqual(self.answer_to(peer, *credentials[1::2], server_name=server_name), b"")
            self.assert_still_serving(peer)

    def assert_still_serving(self, peer):
        self.fetch(self.torrent, self.target, "--peer", peer, *self.ca.issue("client"))

    def test_a_member_is_answered(self):
        """Or the other tests here would show nothing."""
        with self.seeding(self.torrent, self.source, *self.credentials) as peer:
            self.assertTrue(self.answer_to(peer, *self.ca.issue("client")[1::2]).startswith(b"\x13BitTorrent protocol"))

    def test_without_a_certificate(self):
        self.check_refused()

    def test_with_a_certificate_of_another_ca(self):
        self.check_refused(*Authority(self.dir, "other").issue("client"))

    def test_with_a_certificate_of_another_ca_of_the_same_name(self):
        (self.dir / "twin").mkdir()
        self.check_refused(*Authority(self.dir / "twin", "ca").issue("client"))

    def test_with_an_expired_certificate(self):
        self.check_refused(*self.ca.issue("client", days=-1))

    def test_with_a_certificate_for_another_image(self):
        self.check_refused(*self.ca.issue("client", common_name="sdb1"))

    def test_with_a_certificate_for_servers_only(self):
        self.check_refused(*self.ca.issue("client", usage="serverAuth"))

    def test_for_a_torrent_that_is_not_there(self):
        self.check_refused(*self.ca.issue("client"), server_name="0" * 40)

    def test_in_plain_text(self):
        with self.serving() as peer:
            host, port = peer.split(":")
            with socket.create_connection((host, int(port)), timeout=30) as plain:
                plain.sendall(b"\x13BitTorrent protocol" + bytes(8) + info_hash_of(self.torrent) + b"-XX0000-" + bytes(12))
                answer = plain.recv(1000)  # at most an alert of TLS, in plain text as well
            self.assertNotIn(b"BitTorrent", answer)
            self.assertLess(len(answer), 16)
            self.assert_still_serving(peer)

    @unittest.skipIf(libtorrent is None, "needs python3-libtorrent")
    def test_a_stock_client_without_a_certificate(self):
        with self.serving() as peer:
            client = StockClient(self, self.torrent, peer)
            wait_until(client.was_refused, "the stock client to be refused")
            self.assertEqual(client.status().total_payload_download, 0)
            self.assert_still_serving(peer)

    def test_who_is_refused_is_told_to_the_user(self):
        seeder, peer = self.start_listening("seed", self.torrent, self.source, *self.credentials)
        seeder.wait_for_event("start")
        self.answer_to(peer)
        wait_until(lambda: seeder.events_named("warning"), "a warning about the refused peer")
        self.assertRegex(seeder.events_named("warning")[0]["message"], "TLS.*127.0.0.1.*certificate")

    def test_there_is_no_other_port(self):
        seeder, peer = self.start_listening("seed", self.torrent, self.source, *self.credentials)
        inodes = {link.readlink().name for link in pathlib.Path(f"/proc/{seeder.pid}/fd").iterdir()}
        rows = [line.split() for table in ("tcp", "tcp6")
                for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
        ports = {int(row[1].rsplit(":", 1)[1], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes}
        self.assertEqual(ports, {int(peer.split(":")[1])})


class Refusals(PrivateImage):
    """Certificates that peers would refuse are refused at once, with the reason, and nothing is touched."""

    def check(self, reason, *credentials, status=6):
        fetcher = self.ends_with(status, "fetch", self.torrent, self.target, "--no-lsd", *credentials)
        self.assertRegex(fetcher.stderr, reason)
        self.assertFalse(self.target.exists())

    def with_other(self, option, path):
        changed = list(self.credentials)
        changed[changed.index(option) + 1] = path
        return changed

    def test_none(self):
        self.check("--ssl-cert")
        self.check("--ssl-key", *self.credentials[:2])

    def test_files_that_are_not_what_they_should_be(self):
        junk = self.dir / "junk"
        junk.write_text("junk\n")
        self.check("/nowhere.*No such file", *self.with_other("--ssl-cert", "/nowhere"))
        self.check("junk: there is no certificate in it", *self.with_other("--ssl-cert", junk))
        self.check("junk: there is no private key in it", *self.with_other("--ssl-key", junk))
        self.check("junk: there are no Diffie-Hellman parameters in it", *self.credentials, "--ssl-dh", junk)

    def test_a_key_with_a_passphrase(self):
        locked = self.dir / "locked.key"
        run("openssl", "pkey", "-in", self.credentials[3], "-aes128", "-passout", "pass:x", "-out", locked)
        self.check("locked.key: it has a passphrase", *self.with_other("--ssl-key", locked))

    def test_the_key_of_another_certificate(self):
        self.check("it is not the key of ", *self.with_other("--ssl-key", self.ca.issue("other")[3]))

    def test_a_certificate_of_another_ca(self):
        self.check("it is not signed by the CA", *Authority(self.dir, "other").issue("client"))

    def test_an_expired_certificate(self):
        self.check("it has expired on 20", *self.ca.issue("client", days=-1))

    def test_a_certificate_for_one_direction_only(self):
        self.check("serverAuth and clientAuth", *self.ca.issue("client", usage="serverAuth"))
        self.check("serverAuth and clientAuth", *self.ca.issue("client", usage="clientAuth"))

    def test_a_certificate_for_another_image(self):
        self.check("it is issued to 'sdb1'; peers accept '\\*' or 'sda1'", *self.ca.issue("client", common_name="sdb1"))

    def test_certificates_for_an_image_that_is_not_private(self):
        self.torrent = self.image.write_torrent(self.dir / "public.torrent")
        self.check("is not private", *self.credentials, status=2)


if __name__ == "__main__":
    main()
