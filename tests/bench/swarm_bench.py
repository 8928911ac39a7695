#!/usr/bin/python3
"""How long an image takes to N hosts: in namespaces on this machine, everything in memory.

    tests/bench/swarm_bench.py --hosts 4 --rate 200mbit [--size MIB] [--piece KIB] [--program build/release/ezio-cli]

Each host's link is limited to the rate (tc's words) in both directions. What is printed is the stretch: the time of the last
host over that of one transfer without any header. Needs root, and the size for each host in --directory (a tmpfs);
nothing is left.
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
from networks import Host, Switch  # noqa: E402

MIB = 1 << 20
UNITS = {"kbit": 1e3, "mbit": 1e6, "gbit": 1e9}


def limit(switch, host, rate):
    shape = ["root", "tbf", "rate", rate, "burst", "256kb", "latency", "30ms"]
    host.run("tc", "qdisc", "add", "dev", "eth0", *shape)
    switch.run("tc", "qdisc", "add", "dev", f"port{switch._ports}", *shape)


def fill(path, size, make):
    with open(path, "wb") as file:  # also so that no page of a target is touched for the first time while the clock runs
        for _ in range(size // MIB):
            file.write(make(MIB))


class Ezio:
    def __init__(self, arguments, directory, image):
        self.program, self.torrent, self.image = arguments.program, directory / "image.torrent", image
        subprocess.run([self.program, "create", image, "--all", "--quiet", "-o", self.torrent,
                        "--piece-size", f"{arguments.piece}KiB"], check=True, stdout=subprocess.DEVNULL)

    def send(self, host):
        sender = subprocess.Popen([*host.wrapper, self.program, "seed", self.torrent, self.image, "--quiet"],
                                  stderr=subprocess.DEVNULL)
        time.sleep(1)
        return sender

    def receive(self, host, source, target):
        return subprocess.Popen([*host.wrapper, self.program, "fetch", self.torrent, target, "--json",
                                 "--peer", f"{source.address}:6881"], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)

    @staticmethod
    def wait(receiver):
        for line in receiver.stdout:
            if json.loads(line)["event"] == "complete":
                return
        raise SystemExit(f"a fetch ended with status {receiver.wait()} and was not complete")


def deploy(tool, switch, source, hosts, directory, arguments):
    """Returns the seconds until the last host had everything."""
    targets = [directory / f"target{number}" for number in range(len(hosts))]
    for target in targets:
        fill(target, arguments.size * MIB, lambda size: b"\xff" * size)
    with contextlib.ExitStack() as stack:
        processes = [tool.send(source)]
        stack.callback(lambda: [process.wait() for process in processes])
        stack.callback(lambda: [process.terminate() for process in processes if process.poll() is None])
        start = time.monotonic()
        processes += [tool.receive(host, source, target) for host, target in zip(hosts, targets)]
        for receiver in processes[1:]:
            tool.wait(receiver)
        seconds = time.monotonic() - start
    for target in targets:
        subprocess.run(["cmp", "-s", tool.image, target], check=True)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=1)
    parser.add_argument("--rate", default="200mbit")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--piece", type=int, default=1024)
    parser.add_argument("--program", default=REPOSITORY / "build/release/ezio-cli")
    parser.add_argument("--directory", default="/dev/shm")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as name, contextlib.ExitStack() as stack:
        directory = pathlib.Path(name)
        image = directory / "image"
        fill(image, arguments.size * MIB, os.urandom)
        tool = Ezio(arguments, directory, image)
        switch = stack.enter_context(Switch())
        hosts = []
        for _ in range(arguments.hosts + 1):
            hosts.append(stack.enter_context(Host()))
            switch.attach(hosts[-1])
            limit(switch, hosts[-1], arguments.rate)
        seconds = deploy(tool, switch, hosts[0], hosts[1:], directory, arguments)
    number, unit = re.fullmatch(r"([\d.]+)([kmg]bit)", arguments.rate).groups()
    ideal = arguments.size * MIB * 8 / (float(number) * UNITS[unit])
    print(f"{arguments.hosts} hosts at {arguments.rate}, {arguments.size} MiB: {seconds:.1f} s, stretch {seconds / ideal:.2f}")


if __name__ == "__main__":
    main()
