"""An HTTP tracker, as small as one can be: it tells everybody who announces about everybody who did."""

import http.server
import ipaddress
import threading
import urllib.parse

from http_server import QuietHandler, Served
from images import bencode

INTERVAL = 5  # seconds between announces; clients may wait longer


class Tracker(Served):
    """Runs while its context lasts. `url` is the announce URL; `seen` has every (address, port) that ever announced."""

    def __init__(self, address):
        self._peers = {}
        self._lock = threading.Lock()
        self.seen = set()
        tracker = self

        class Handler(QuietHandler):
            def do_GET(self):
                path, _, query = self.path.partition("?")
                if path != "/announce":
                    self.send_error(404)  # a scrape, which clients can do without
                    return
                answer = tracker._announce(self.client_address[0], urllib.parse.parse_qs(query, encoding="latin-1"))
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        server = http.server.ThreadingHTTPServer((address, 0), Handler)
        super().__init__(server)
        self.url = f"http://{address}:{server.server_port}/announce"

    def _announce(self, address, query):
        info_hash, port = query["info_hash"][0], int(query["port"][0])
        with self._lock:
            swarm = self._peers.setdefault(info_hash, set())
            others = swarm - {(address, port)}
            if query.get("event") == ["stopped"]:
                swarm.discard((address, port))
            else:
                swarm.add((address, port))
                self.seen.add((address, port))
        peers = b"".join(ipaddress.ip_address(host).packed + number.to_bytes(2, "big") for host, number in sorted(others))
        return bencode({"interval": INTERVAL, "min interval": INTERVAL, "peers": peers})
