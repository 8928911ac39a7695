#!/usr/bin/python3
"""What the links of a test network carry while a command runs, second by second: where a swarm loses its time.

    swarm_timeline.py [--switch NAMESPACE] [--port PREFIX] [--source NAMESPACE:DEVICE] [--interval S] [--hosts] COMMAND...

The network is one namespace with a bridge, whose port PREFIX<i> leads to host i; host 0 has the image. It may be made by
COMMAND itself. One line per interval, while something moves: Mbit/s that host 0 sends; that the other hosts receive (slowest,
median, fastest) and send in the mean; bytes that wait in host 0's queue and in the longest queue of a port. Needs root.
"""

import argparse
import contextlib
import ctypes
import json
import os
import re
import statistics
import subprocess
import time

from measures import unwind_on_sigterm

CLONE_NEWNET = 0x40000000


def counters_of(namespace):
    """The namespace's /proc/net/dev, or None as long as there is no such namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        with open(f"/run/netns/{namespace}") as there:
            if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
                return None
            counters = open("/proc/thread-self/net/dev")
            libc.setns(home, CLONE_NEWNET)
            return counters
    except OSError:
        return None
    finally:
        os.close(home)


def read_ports(counters, prefix):
    """{host: (bytes from it, bytes to it)}"""
    counters.seek(0)
    found = re.findall(rf"^\s*{prefix}(\d+):\s*(.*)$", counters.read(), re.MULTILINE)
    return {int(host): (int(fields.split()[0]), int(fields.split()[8])) for host, fields in found}


def longest_queue(namespace, prefix):
    shown = subprocess.run(["ip", "netns", "exec", namespace, "tc", "-s", "-j", "qdisc"], capture_output=True, text=True).stdout
    with contextlib.suppress(json.JSONDecodeError):
        return max((q.get("backlog", 0) for q in json.loads(shown) if q["dev"].startswith(prefix)), default=0)
    return 0


def show(seconds, before, after, interval, queues, with_hosts):
    mbit = {host: [(b - a) * 8e-6 / interval for a, b in zip(before[host], after[host])] for host in after if host in before}
    down = [mbit[host][1] for host in sorted(mbit) if host != 0]
    if 0 not in mbit or not down or mbit[0][0] + max(down) < 0.1:
        return
    up = statistics.mean(mbit[host][0] for host in mbit if host != 0)
    line = (f"{seconds:6.1f}s  source {mbit[0][0]:6.1f}  hosts get {min(down):6.1f} {statistics.median(down):6.1f} {max(down):6.1f}"
            f"  send {up:6.1f}  queues {queues[0]:7d} {queues[1]:7d}")
    if with_hosts:
        line += "  " + " ".join(f"{rate:.0f}" for rate in down)
    print(line, flush=True)


def watch(options, command):
    counters, before, start, last = None, {}, 0, 0
    while command.poll() is None:
        time.sleep(options.interval - (time.monotonic() - start) % options.interval if start else 0.02)
        try:
            counters = counters or counters_of(options.switch)
            after = read_ports(counters, options.port) if counters else {}
        except OSError:
            counters = None
            continue
        now = time.monotonic()
        if not start:
            idle = not before or all(after.get(host) == before[host] for host in before)
            if not idle and after.get(0, (0, 0))[0] - before.get(0, (0, 0))[0] > 1000:
                start = last = now
            elif after:
                time.sleep(0.1)
        elif after:
            namespace, _, device = options.source.partition(":")
            queues = longest_queue(namespace, device), longest_queue(options.switch, options.port)
            show(now - start, before, after, now - last, queues, options.hosts)
            last = now
        before = after


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--switch", default="lab-sw")
    parser.add_argument("--port", default="p")
    parser.add_argument("--source", default="lab-h0:e0")
    parser.add_argument("--interval", type=float, default=1)
    parser.add_argument("--hosts", action="store_true", help="also what each host receives")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    with subprocess.Popen(options.command) as command:
        watch(options, command)
    raise SystemExit(command.returncode)


if __name__ == "__main__":
    unwind_on_sigterm()
    main()
