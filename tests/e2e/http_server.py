"""What the tests' HTTP servers have in common."""

import http.server
import threading


class QuietHandler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Served:
    """Serves while its context lasts, on a thread of its own: `server` is one of http.server's, and closed at the end."""

    def __init__(self, server):
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.02,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
