#!/usr/bin/python3
"""How long an image takes to N hosts: in namespaces on this machine, everything in memory.

    tests/bench/swarm_bench.py --hosts 4 --rate 200mbit [--size MIB] [--piece KIB] [--ipv4] [--program build/release/ezio-cli]
                               [--tool ezio-cli|udpcast|udpcast-zstd|aria2c] [--payload FOLDER] [--no-compression] [--tls]

Each host's link is limited to the rate (tc's words) in both directions. What is printed is the stretch: the time of the last
host over that of one transfer without any header; and the processor time of all programs. Hosts have IPv4 and IPv6; with
--ipv4 they use the first only. --tls makes it a private image. Needs root, and the size for each host in --directory (a tmpfs);
nothing is left. The image is random bytes, which do not shrink, or what tar(1) makes of the FOLDER, cut to the size: /usr is
about what an operating system's file system has.

Other tools bring the same bytes into the same files, over IPv4 only. Not comparable: udpcast verifies no hash, begins when the
last host is there, and the time is that at which the last receiver has ended. udpcast-zstd is what Clonezilla does: the image is
compressed beforehand (zstd -3, not timed), and each receiver unpacks it as it comes. aria2c finds its peers by a tracker on the source
and never syncs; a shell script tells when it is complete, and its hosts are told of each other only as they announce themselves.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from measures import fill_from_folder, unwind_on_sigterm

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/e2e"))
import clients  # noqa: E402
from certificates import Authority  # noqa: E402
from harness import wait_until  # noqa: E402
from networks import Switch  # noqa: E402
from tracker import Tracker  # noqa: E402

MIB = 1 << 20
PORT = 6881  # the first that is tried
UDP_SENDER_PORT = 9001
UDPCAST = ["--nokbd", "--interface", "eth0"]
PATIENCE = 3600  # seconds
UNITS = {"kbit": 1e3, "mbit": 1e6, "gbit": 1e9}


def attach(switch, number, rate):
    """The host that is `number` on the switch, from 1, over a link with this rate."""
    host = switch.new_host()
    shape = ["root", "tbf", "rate", rate, "burst", "256kb", "latency", "30ms"]
    host.run("tc", "qdisc", "add", "dev", "eth0", *shape)
    switch.run("tc", "qdisc", "add", "dev", f"port{number}", *shape)
    return host


def fill(path, size, make):
    with open(path, "wb") as file:  # also so that no page of a target is touched for the first time while the clock runs
        for _ in range(size // MIB):
            file.write(make(MIB))


def wait_until_complete(fetch):
    for line in fetch.stdout:
        if json.loads(line)["event"] == "complete":
            return
    raise SystemExit(f"a fetch ended with status {fetch.wait()} and was not complete")


class Stopwatch:
    """Seconds until stop(), and the processor time of the programs that have ended since it began."""

    def __init__(self):
        self._cpu = self._children()
        self._begin = time.monotonic()

    def stop(self):
        self.seconds = time.monotonic() - self._begin
        return self

    def cpu_seconds(self):
        return self._children() - self._cpu

    @staticmethod
    def _children():
        times = os.times()
        return times.children_user + times.children_system


def make_torrent(arguments, image, *options):
    torrent = image.with_suffix(".torrent")
    subprocess.run([arguments.program, "create", image, "--all", "--quiet", "-o", torrent, "--piece-size",
                    f"{arguments.piece}KiB", *options], check=True, stdout=subprocess.DEVNULL)
    return torrent


@contextlib.contextmanager
def running(host, *command, output=subprocess.DEVNULL):
    process = subprocess.Popen([*host.wrapper, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL,
                               text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


# One function for each tool: it returns a Stopwatch that was stopped when the last host had everything.


def deploy_with_ezio(arguments, image, targets, source, hosts):
    ca = Authority(image.parent, "ca") if arguments.tls else None
    certificates = {command: ca.issue(command) for command in ("seed", "fetch")} if ca else {}
    torrent = make_torrent(arguments, image, *(("--ssl-ca", ca.certificate) if ca else ()))
    with contextlib.ExitStack() as stack:
        def start(host, *command, **options):
            listen = ["--listen", f"{host.address}:{PORT}"] if arguments.ipv4 else []
            compression = ["--no-compression"] if arguments.no_compression else []
            certificate = certificates.get(command[0], ())
            return stack.enter_context(running(host, arguments.program, *command, *listen, *compression, *certificate, **options))

        start(source, "seed", torrent, image)
        wait_until(lambda: PORT in source.listening_ports(), "the seed to listen")
        watch = Stopwatch()
        fetches = [start(host, "fetch", torrent, target, "--peer", f"{source.address}:{PORT}", "--json", output=subprocess.PIPE)
                   for host, target in zip(hosts, targets)]
        for fetch in fetches:
            wait_until_complete(fetch)
        return watch.stop()


def send_with_udpcast(file, receivers, source):
    """`receivers` are a host and the command that begins to receive there, each."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(running(source, "udp-sender", "--full-duplex", "--min-receivers", str(len(receivers)), *UDPCAST,
                                    "--file", file))
        wait_until(lambda: f":{UDP_SENDER_PORT:04X} " in source.run("cat", "/proc/thread-self/net/udp"), "the sender to listen")
        watch = Stopwatch()
        processes = [stack.enter_context(running(host, *command)) for host, command in receivers]
        for process in processes:
            if process.wait(PATIENCE) != 0:
                raise SystemExit(f"a receiver ended with status {process.returncode}")
        return watch.stop()


def deploy_with_udpcast(arguments, image, targets, source, hosts):
    receivers = [(host, ["udp-receiver", "--nosync", *UDPCAST, "--file", target]) for host, target in zip(hosts, targets)]
    return send_with_udpcast(image, receivers, source)


def deploy_with_udpcast_zstd(arguments, image, targets, source, hosts):
    compressed = image.with_suffix(".zst")
    subprocess.run(["zstd", "-3", "-q", image, "-o", compressed], check=True)
    pipe = 'udp-receiver --nosync "$@" | zstd -dc 1<> "$0"'  # over what is there: no page is new
    receivers = [(host, ["bash", "-o", "pipefail", "-c", pipe, target, *UDPCAST]) for host, target in zip(hosts, targets)]
    return send_with_udpcast(compressed, receivers, source)


class Aria2(clients.Aria2):
    """aria2c on a host, whose image is this file, under the name that the torrent has for it."""

    def __init__(self, host, torrent, file, *options):
        self._host, self._options = host, options
        home = file.with_suffix(".aria2c")
        extent = home.with_suffix(".download") / "image" / f"{0:032x}"
        extent.parent.mkdir(parents=True)
        os.link(file, extent)
        super().__init__(home, torrent, extent.parents[1], host.address)

    def command(self):
        return [*self._host.wrapper, *super().command(), "--enable-dht=false", "--enable-dht6=false", "--bt-max-peers=0",
                "--bt-tracker-interval=0", "--file-allocation=none", *self._options]


def deploy_with_aria2(arguments, image, targets, source, hosts):
    with contextlib.ExitStack() as stack:
        with source.inside():
            tracker = stack.enter_context(Tracker(source.address))
        torrent = make_torrent(arguments, image, "--tracker", tracker.url)
        stack.enter_context(Aria2(source, torrent, image)).wait_until_complete()
        wait_until(lambda: tracker.seen, "the seed to announce itself")
        watch = Stopwatch()
        # They overwrite what is in the file without looking at it, so no page is new here, either.
        fetches = [stack.enter_context(Aria2(host, torrent, target, "--check-integrity=false", "--allow-overwrite"))
                   for host, target in zip(hosts, targets)]
        for fetch in fetches:
            fetch.wait_until_complete(PATIENCE)
        return watch.stop()


TOOLS = {"ezio-cli": deploy_with_ezio, "udpcast": deploy_with_udpcast, "udpcast-zstd": deploy_with_udpcast_zstd,
         "aria2c": deploy_with_aria2}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=1)
    parser.add_argument("--rate", default="200mbit")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--piece", type=int, default=1024)
    parser.add_argument("--ipv4", action="store_true")
    parser.add_argument("--payload", metavar="FOLDER")
    parser.add_argument("--no-compression", action="store_true")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--tool", choices=TOOLS, default="ezio-cli")
    parser.add_argument("--program", default=REPOSITORY / "build/release/ezio-cli")
    parser.add_argument("--directory", default="/dev/shm")
    arguments = parser.parse_args()
    size = arguments.size * MIB
    with tempfile.TemporaryDirectory(dir=arguments.directory) as name, contextlib.ExitStack() as stack:
        directory = pathlib.Path(name)
        image = directory / "image"
        targets = [directory / f"target{number}" for number in range(arguments.hosts)]
        if arguments.payload:
            fill_from_folder(image, size, arguments.payload)
        else:
            fill(image, size, os.urandom)
        for target in targets:
            fill(target, size, lambda length: b"\xff" * length)
        switch = stack.enter_context(Switch())
        source, *hosts = [stack.enter_context(attach(switch, number + 1, arguments.rate))
                          for number in range(arguments.hosts + 1)]
        watch = TOOLS[arguments.tool](arguments, image, targets, source, hosts)
        for target in targets:
            subprocess.run(["cmp", "-s", image, target], check=True)
    number, unit = re.fullmatch(r"([\d.]+)([kmg]bit)", arguments.rate).groups()
    ideal = size * 8 / (float(number) * UNITS[unit])
    print(f"{arguments.tool}, {arguments.hosts} hosts at {arguments.rate}, {arguments.size} MiB: "
          f"{watch.seconds:.1f} s, stretch {watch.seconds / ideal:.2f}, {watch.cpu_seconds():.1f} CPU s")


if __name__ == "__main__":
    unwind_on_sigterm()
    main()
