"""Other people's BitTorrent clients, each with its defaults except for where it keeps things and where it listens.

Each runs in a directory of its own, which is also its HOME, and is killed when its context ends. They find their peers by
the torrent's tracker. `download` in the constructors is where the torrent's data goes, or is already.
"""

import json
import os
import pathlib
import signal
import subprocess
import urllib.request

from harness import missing_tools, wait_until

PORT = 6881  # all of them can have it: each has an address of its own


class Client:
    """A running client. `program` is its command; subclasses say how to start it and what it is doing."""

    program = None

    @classmethod
    def is_installed(cls):
        return not missing_tools(cls.program)

    def __init__(self, home, torrent, download, address):
        self.home = pathlib.Path(home)
        self.home.mkdir()
        self.torrent, self.download, self.address = torrent, pathlib.Path(download), address
        self.download.mkdir(exist_ok=True)
        self.log = self.home / "log"
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *map(str, self.command())], cwd=self.home, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"), "TERM": "xterm"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def __str__(self):
        return f"--- {self.program}: {self._process.poll()}\n{self.log.read_text(errors='replace')[-4000:]}\n---"

    __repr__ = __str__

    def command(self):
        raise NotImplementedError

    def is_complete(self):
        raise NotImplementedError

    def wait_until_complete(self, seconds=120):
        wait_until(lambda: self.is_complete() or self._process.poll() is not None, self, seconds)
        if self._process.poll() is not None:
            raise AssertionError(f"ended too early: {self}")


class Aria2(Client):
    program = "aria2c"

    def command(self):
        # --seed-ratio=0: without an end.
        return ["aria2c", "--no-conf", "--seed-ratio=0", "--check-integrity", "--dir", self.download,
                "--listen-port", PORT, "--interface", self.address, "--dht-file-path", self.home / "dht",
                "--summary-interval=1", "--show-console-readout=false", "--bt-tracker-interval=1",
                "--on-bt-download-complete", self._notify(), self.torrent]

    def _notify(self):
        script = self.home / "complete.sh"
        script.write_text(f"#!/bin/sh\ntouch '{self.home}/complete'\n")
        script.chmod(0o755)
        return script

    def is_complete(self):
        return (self.home / "complete").exists()


class Transmission(Client):
    program = "transmission-cli"

    def command(self):
        (self.home / "settings.json").write_text(json.dumps({"bind-address-ipv4": self.address}))
        # It ends, with 0, when it sees that the torrent is stopped, as it is for a moment before it verifies it: then once more.
        # Its output is where it says that it is complete, and goes to a file, which it would write to every 4 KiB.
        return ["sh", "-c", 'for attempt in 1 2 3; do setpriv --pdeathsig KILL "$@" || exit; done', "sh",
                "stdbuf", "--output=0", "transmission-cli", "--config-dir", self.home, "--download-dir", self.download, "--no-portmap",
                "--port", PORT, self.torrent]

    def is_complete(self):
        return b"Seeding, uploading" in self.log.read_bytes()


class QBittorrent(Client):
    program = "qbittorrent-nox"
    WEB_PORT = 8080

    def command(self):
        config = self.home / "qBittorrent" / "config"
        config.mkdir(parents=True)
        (config / "qBittorrent.conf").write_text(f"""[LegalNotice]
Accepted=true

[BitTorrent]
Session\\Port={PORT}
Session\\InterfaceAddress={self.address}

[Preferences]
WebUI\\Address={self.address}
WebUI\\AuthSubnetWhitelist=0.0.0.0/0
WebUI\\AuthSubnetWhitelistEnabled=true
""")
        return ["qbittorrent-nox", f"--profile={self.home}", f"--webui-port={self.WEB_PORT}",
                f"--save-path={self.download}", "--skip-dialog=true", self.torrent]

    def torrents(self):
        try:
            with urllib.request.urlopen(f"http://{self.address}:{self.WEB_PORT}/api/v2/torrents/info", timeout=10) as answer:
                return json.load(answer)
        except OSError:
            return []  # not listening yet

    def is_complete(self):
        states = [torrent["state"] for torrent in self.torrents()]
        return states == ["uploading"] or states == ["stalledUP"]


class RTorrent(Client):
    program = "rtorrent"

    def command(self):
        options = {"system.daemon.set": "true", "network.bind_address.set": self.address,
                   "network.port_range.set": f"{PORT}-{PORT}", "directory.default.set": self.download}
        config = self.home / "rtorrent.rc"
        touch = f"execute2={{touch,{self.home}/complete}}"
        config.write_text("".join(f"{key} = {value}\n" for key, value in options.items())
                          + f'method.set_key = event.download.finished, notify, "{touch}"\n'
                          + f'method.set_key = event.download.hash_done, notify, '
                            f'"branch=d.complete=,\\"{touch}\\""\n'
                          + f'load.start = {self.torrent}\n')
        return ["rtorrent", "-n", "-o", f"import={config}"]

    def is_complete(self):
        return (self.home / "complete").exists()


class Nginx(Client):
    """Not a peer: an ordinary HTTP server for the files below `download`."""

    program = "nginx"

    def command(self):
        temp = "".join(f"{kind}_temp_path {self.home}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = self.home / "nginx.conf"
        config.write_text(f"""
daemon off; user root; worker_processes 1; pid {self.home}/pid; error_log stderr;
events {{}}
http {{ access_log {self.home}/access.log; {temp}
server {{ listen {self.address}:80; root {self.download}; }} }}
""")
        return ["nginx", "-c", config, "-e", "stderr"]

    def is_complete(self):
        return (self.home / "pid").exists()

    @property
    def requests(self):
        return (self.home / "access.log").read_text().splitlines()


ALL = [Aria2, Transmission, QBittorrent, RTorrent]
