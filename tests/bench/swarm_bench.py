#!/usr/bin/python3
"""How long an image takes to N hosts: in namespaces on this machine, everything in memory.

    tests/bench/swarm_bench.py --hosts 4 --rate 200mbit [--size MIB] [--piece KIB] [--ipv4] [--program build/release/ezio-cli]

Each host's link is limited to the rate (tc's words) in both directions. What is printed is the stretch: the time of the last
host over that of one transfer without any header. Hosts have IPv4 and IPv6; with --ipv4 they use the first only. Needs root,
and the size for each host in --directory (a tmpfs); nothing is left.
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

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/e2e"))
from harness import wait_until  # noqa: E402
from networks import Switch  # noqa: E402

MIB = 1 << 20
PORT = 6881  # the first that is tried
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


def deploy(arguments, torrent, image, targets, source, hosts):
    """Returns the seconds until the last host had everything."""
    with contextlib.ExitStack() as stack:
        def start(host, *command, output=subprocess.DEVNULL):
            listen = ["--listen", f"{host.address}:{PORT}"] if arguments.ipv4 else []
            process = subprocess.Popen([*host.wrapper, arguments.program, *command, *listen], stdout=output,
                                       stderr=subprocess.DEVNULL, text=True)
            stack.callback(process.communicate)
            stack.callback(process.terminate)
            return process

        start(source, "seed", torrent, image)
        wait_until(lambda: PORT in source.listening_ports(), "the seed to listen")
        begin = time.monotonic()
        fetches = [start(host, "fetch", torrent, target, "--peer", f"{source.address}:{PORT}", "--json", output=subprocess.PIPE)
                   for host, target in zip(hosts, targets)]
        for fetch in fetches:
            wait_until_complete(fetch)
        return time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=1)
    parser.add_argument("--rate", default="200mbit")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--piece", type=int, default=1024)
    parser.add_argument("--ipv4", action="store_true")
    parser.add_argument("--program", default=REPOSITORY / "build/release/ezio-cli")
    parser.add_argument("--directory", default="/dev/shm")
    arguments = parser.parse_args()
    size = arguments.size * MIB
    with tempfile.TemporaryDirectory(dir=arguments.directory) as name, contextlib.ExitStack() as stack:
        directory = pathlib.Path(name)
        image, torrent = directory / "image", directory / "image.torrent"
        targets = [directory / f"target{number}" for number in range(arguments.hosts)]
        fill(image, size, os.urandom)
        for target in targets:
            fill(target, size, lambda length: b"\xff" * length)
        subprocess.run([arguments.program, "create", image, "--all", "--quiet", "-o", torrent,
                        "--piece-size", f"{arguments.piece}KiB"], check=True, stdout=subprocess.DEVNULL)
        switch = stack.enter_context(Switch())
        source, *hosts = [stack.enter_context(attach(switch, number + 1, arguments.rate))
                          for number in range(arguments.hosts + 1)]
        seconds = deploy(arguments, torrent, image, targets, source, hosts)
        for target in targets:
            subprocess.run(["cmp", "-s", image, target], check=True)
    number, unit = re.fullmatch(r"([\d.]+)([kmg]bit)", arguments.rate).groups()
    ideal = size * 8 / (float(number) * UNITS[unit])
    print(f"{arguments.hosts} hosts at {arguments.rate}, {arguments.size} MiB: {seconds:.1f} s, stretch {seconds / ideal:.2f}")


if __name__ == "__main__":
    main()
