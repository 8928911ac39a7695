#!/usr/bin/python3
"""What TLS costs: one seeder and one fetcher on loopback, a plain image and a private one by turns.

    tests/bench/tls_bench.py [--runs 3] [--size MIB] [--piece KIB] [--program build/release/ezio-cli] [--directory /dev/shm]

Everything is in memory (the directory should be a tmpfs; it needs twice the size there), so that the protocol is measured and
no disk. Printed are each run, and the medians of both with their ratio. Needs openssl(1); nothing is left.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/e2e"))
from certificates import Authority  # noqa: E402
from harness import free_port, is_listening, wait_until  # noqa: E402

MIB = 1 << 20
FORMAT = "{:8} {:6.0f} MiB/s   CPU-s/GiB: seeder {:5.2f}, fetcher {:5.2f}, both {:5.2f}   peak MiB: seeder {:4.0f}, fetcher {:4.0f}"


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(process):
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


@contextlib.contextmanager
def running(program, *arguments):
    process = subprocess.Popen([program, *arguments, "--json", "--no-lsd", "--no-tracker"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def transfer(program, torrent, source, target, seeder_options, fetcher_options, gib):
    """One image from one process to another, and what it took, in the order of FORMAT."""
    ports = free_port(), free_port()
    with running(program, "seed", torrent, source, *seeder_options, "--listen", f"127.0.0.1:{ports[0]}") as seeder:
        wait_until(lambda: is_listening(ports[0]), "the seeder to listen")
        before, start = cpu_seconds(seeder), time.monotonic()
        with running(program, "fetch", torrent, target, *fetcher_options, "--listen", f"127.0.0.1:{ports[1]}",
                     "--peer", f"127.0.0.1:{ports[0]}") as fetcher:
            if not any(json.loads(line)["event"] == "complete" for line in fetcher.stdout):
                raise SystemExit("the fetch ended and was not complete")
            seconds = time.monotonic() - start
            costs = (cpu_seconds(seeder) - before) / gib, cpu_seconds(fetcher) / gib
            return gib * 1024 / seconds, *costs, sum(costs), peak_mib(seeder), peak_mib(fetcher)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--size", type=int, default=2048, metavar="MIB")
    parser.add_argument("--piece", type=int, default=4096, metavar="KIB")
    parser.add_argument("--program", default=REPOSITORY / "build/release/ezio-cli")
    parser.add_argument("--directory", default="/dev/shm")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ezio-bench-", dir=arguments.directory) as name:
        directory = pathlib.Path(name)
        source, target = directory / "image", directory / "target"
        ca = Authority(directory, "ca")
        credentials = {"plain": ((), ()), "private": (ca.issue("seeder"), ca.issue("fetcher"))}
        make = {"plain": (), "private": ("--ssl-ca", ca.certificate)}
        with open(source, "wb") as file, open(target, "wb") as touched:  # no page is new while the clock runs
            for _ in range(arguments.size):
                file.write(os.urandom(MIB))
                touched.write(b"\xff" * MIB)
        for kind, options in make.items():
            subprocess.run([arguments.program, "create", source, "--all", "--quiet", "-o", directory / f"{kind}.torrent",
                            "--piece-size", f"{arguments.piece}KiB", *options], check=True, stdout=subprocess.DEVNULL)
        results = {kind: [] for kind in make}
        for _ in range(arguments.runs):
            for kind, rows in results.items():
                rows.append(transfer(arguments.program, directory / f"{kind}.torrent", source, target, *credentials[kind],
                                     arguments.size / 1024))
                print(FORMAT.format(kind, *rows[-1]), flush=True)
                subprocess.run(["cmp", "-s", source, target], check=True)
    plain, private = ([statistics.median(column) for column in zip(*rows)] for rows in results.values())
    print(f"medians, private over plain: {private[0] / plain[0]:.2f} of the rate, {private[3] / plain[3]:.2f} times the CPU, "
          f"{sum(private[4:]) / sum(plain[4:]):.2f} times the memory")


if __name__ == "__main__":
    main()
