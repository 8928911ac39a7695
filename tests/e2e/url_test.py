#!/usr/bin/python3
"""Torrents named by URLs: https with trusted and untrusted certificates, redirections, and failing servers."""

import http.server
import os
import pathlib
import signal
import ssl
import time
import unittest

from harness import EndToEndTest, main, missing_tools, run, wait_until
from http_server import QuietHandler, Served
from images import odd_image


class Server(Served):
    """An HTTP server on loopback while its context lasts: `answers` maps paths to bytes, or to a URL to go on to."""

    def __init__(self, certificate=None, key=None):
        self.answers = answers = {}

        class Handler(QuietHandler):
            def do_GET(self):
                answer = answers.get(self.path)
                self.send_response(404 if answer is None else 302 if isinstance(answer, str) else 200)
                if isinstance(answer, str):
                    self.send_header("Location", answer)
                body = answer if isinstance(answer, bytes) else b""
                if not self.path.endswith("/without-end"):
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.path.endswith("/silently"):
                    time.sleep(10)
                if self.path.endswith("/slowly"):
                    while self.trickle(body):
                        pass
                while self.path.endswith("/without-end") and self.send(body):
                    pass
                self.send(body)

            def send(self, body):
                try:
                    self.wfile.write(body)
                except OSError:
                    return False
                return True

            def trickle(self, body):
                time.sleep(0.2)
                return self.send(body[:1])

        class QuietServer(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # clients that do not trust it

        server = QuietServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
        super().__init__(server)


def trusting(certificate, variable="CURL_CA_BUNDLE"):
    return ["env", f"{variable}={certificate}"]


@unittest.skipIf(missing_tools("openssl"), "needs openssl")
class Urls(EndToEndTest):
    def setUp(self):
        super().setUp()
        for variable in "http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY", "CURL_CA_BUNDLE", "SSL_CERT_FILE":
            os.environ.pop(variable, None)
        self.torrent = odd_image(100_000).write_torrent(self.dir / "sda1.torrent")
        self.certificate, self.key = self.make_certificate("ours")
        self.https = self.enterContext(Server(self.certificate, self.key))
        self.http = self.enterContext(Server())
        self.https.answers["/sda1.torrent"] = self.http.answers["/sda1.torrent"] = self.torrent.read_bytes()

    def make_certificate(self, name):
        certificate, key = self.dir / f"{name}.pem", self.dir / f"{name}.key"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate)
        return certificate, key

    def assert_had(self, url, wrapper=()):
        link = self.ends_with(0, "info", "--magnet", url, wrapper=wrapper).stdout
        self.assertEqual(link, self.ends_with(0, "info", "--magnet", self.torrent).stdout)

    def assert_refused(self, status, url, *says, wrapper=()):
        target = self.dir / "target.img"
        for command in ["info", url], ["fetch", url, target, "--no-lsd"]:
            ezio = self.ends_with(status, *command, wrapper=wrapper)
            self.assertEqual(len(ezio.stderr.strip().splitlines()), 1, ezio)
            for words in (url, *says):
                self.assertIn(words, ezio.stderr, ezio)
        self.assertFalse(target.exists())

    def test_https_with_a_certificate_that_is_trusted(self):
        for variable in "CURL_CA_BUNDLE", "SSL_CERT_FILE":
            self.assert_had(f"{self.https.url}/sda1.torrent", trusting(self.certificate, variable))

    def test_https_with_a_certificate_that_nobody_vouches_for(self):
        self.assert_refused(6, f"{self.https.url}/sda1.torrent", "certificate")
        other, _ = self.make_certificate("other")
        self.assert_refused(6, f"{self.https.url}/sda1.torrent", "certificate", wrapper=trusting(other))

    def test_https_with_a_certificate_of_another_host(self):
        url = self.https.url.replace("127.0.0.1", "localhost") + "/sda1.torrent"
        self.assert_refused(6, url, "localhost", wrapper=trusting(self.certificate))

    def test_redirections_are_followed_but_never_out_of_tls(self):
        self.http.answers["/moved"] = "/sda1.torrent"
        self.http.answers["/to-tls"] = f"{self.https.url}/sda1.torrent"
        self.https.answers["/moved"] = f"{self.https.url}/sda1.torrent"
        self.https.answers["/out"] = f"{self.http.url}/sda1.torrent"
        for url in f"{self.http.url}/moved", f"{self.http.url}/to-tls", f"{self.https.url}/moved":
            self.assert_had(url, trusting(self.certificate))
        self.assert_refused(6, f"{self.https.url}/out", wrapper=trusting(self.certificate))

    def test_redirections_without_end_or_to_a_local_file_end_it(self):
        self.http.answers["/again"] = "/again"
        self.assert_refused(6, f"{self.http.url}/again", "redirects")
        self.http.answers["/file"] = f"file://{self.torrent}"
        self.assert_refused(6, f"{self.http.url}/file")

    def test_what_is_not_there_or_no_torrent(self):
        self.assert_refused(3, f"{self.http.url}/missing", "404")
        self.http.answers["/page"] = b"<html>not a torrent</html>"
        self.assert_refused(3, f"{self.http.url}/page", "not a torrent")

    def test_a_server_that_is_too_slow_is_not_waited_for_beyond_the_timeout(self):
        self.http.answers["/slowly"] = self.torrent.read_bytes()
        ended = self.ends_with(7, "fetch", f"{self.http.url}/slowly", self.dir / "target", "--no-lsd", "--timeout", "2s")
        self.assertIn("was not downloaded within 2", ended.stderr)
        self.assertFalse((self.dir / "target").exists())

    def test_a_server_that_says_nothing_is_not_waited_for_beyond_the_stall_timeout(self):
        self.http.answers["/silently"] = self.torrent.read_bytes()
        ended = self.ends_with(7, "fetch", f"{self.http.url}/silently", self.dir / "target", "--no-lsd", "--stall-timeout", "2s",
                               seconds=8)
        self.assertIn("nothing arrived for 2", ended.stderr)

    def test_a_server_that_sends_for_ever_is_not_listened_to(self):
        self.http.answers["/without-end"] = bytes(1 << 20)
        ended = self.ends_with(3, "info", f"{self.http.url}/without-end")
        self.assertIn("/without-end is larger than 256.0 MiB; that is not a torrent", ended.stderr)

    def test_what_takes_more_memory_than_is_allowed_is_refused_while_it_is_read(self):
        self.http.answers["/without-end"] = bytes(1 << 20)
        for endless in f"{self.http.url}/without-end", "/dev/zero":
            ended = self.ends_with(3, "fetch", endless, self.dir / "target", "--no-lsd", "--memory", "32M")
            self.assertRegex(ended.stderr, f"^ezio-cli: {endless} is longer than 8.0 MiB, which takes more memory than --memory "
                                           r"allows; it needs --memory 3\dM or more\n$")
        self.assertFalse((self.dir / "target").exists())

    def test_the_users_configuration_of_curl_does_not_count(self):
        (self.dir / ".curlrc").write_text('output = "stolen"\n')
        self.assert_had(f"{self.http.url}/sda1.torrent", ["env", f"HOME={self.dir}"])


class Curl(EndToEndTest):
    """What curl does to those who run it."""
    URL = "http://127.0.0.1:9/sda1.torrent"

    def curl(self, script):
        """Before a command: this curl is the one in PATH."""
        program = self.dir / "bin/curl"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return ["env", f"PATH={program.parent}:{os.environ['PATH']}"]

    def assert_gone(self, pid_file):
        """Who inherits a process may be slow to take note of its end."""
        for pid in pid_file.read_text().split():
            status = pathlib.Path(f"/proc/{pid}/status")
            wait_until(lambda: not status.exists() or "State:\tZ" in status.read_text(), f"the end of {pid}")

    def test_a_machine_without_curl(self):
        (self.dir / "bin").mkdir()
        for command in ["info", self.URL], ["fetch", self.URL, self.dir / "target", "--no-lsd"]:
            ended = self.ends_with(3, *command, wrapper=["env", f"PATH={self.dir / 'bin'}"])
            self.assertEqual(ended.stderr, f"ezio-cli: {self.URL} cannot be downloaded: curl is not installed; install it "
                                           "(apt install curl), or copy the torrent here\n")
        self.assertFalse((self.dir / "target").exists())

    def test_a_curl_that_hangs_is_killed_with_what_it_has_started_when_the_time_is_over(self):
        hangs = self.curl(f"trap '' TERM INT; sleep 1000 & echo $$ $! > {self.dir}/pids; wait; wait")
        ended = self.ends_with(7, "fetch", self.URL, self.dir / "target", "--no-lsd", "--timeout", "1s", wrapper=hangs, seconds=8)
        self.assertEqual(ended.stderr, f"ezio-cli: {self.URL} was not downloaded within 1 s\n")
        self.assert_gone(self.dir / "pids")
        self.assertFalse((self.dir / "target").exists())

    def test_a_curl_that_hangs_is_killed_when_the_user_has_enough(self):
        hangs = self.curl(f"echo $$ > {self.dir}/pids.new; mv {self.dir}/pids.new {self.dir}/pids; exec sleep 1000")
        ezio = self.start("info", self.URL, wrapper=hangs)
        wait_until((self.dir / "pids").exists, ezio)
        ezio.signal(signal.SIGINT)
        self.assertEqual(ezio.wait(8), 130, ezio)
        self.assert_gone(self.dir / "pids")

    def test_a_curl_that_only_fails_is_told_of(self):
        ended = self.ends_with(6, "info", self.URL, wrapper=self.curl("echo 'Warning: what is this' >&2; exit 3"))
        self.assertEqual(ended.stderr, f"ezio-cli: {self.URL} cannot be downloaded: curl ended with status 3\n")

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_curl_has_no_privileges(self):
        tells = self.curl("""echo "curl: (7) $(grep -E '^(Uid|CapPrm|CapEff|NoNewPrivs)' /proc/self/status | xargs)" >&2; exit 7""")
        for options, uid in ([], 0), (["--user", "nobody"], 65534):
            ended = self.ends_with(6, "fetch", self.URL, self.dir / "target", "--no-lsd", *options, wrapper=tells)
            self.assertIn(f"Uid: {uid} {uid} {uid} {uid} CapPrm: {0:016} CapEff: {0:016} NoNewPrivs: 1\n", ended.stderr)


if __name__ == "__main__":
    main()
