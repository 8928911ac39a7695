#!/usr/bin/python3
"""What one seeder and one fetcher on loopback can do and what it costs, with pieces of several sizes; and what TLS adds.

    tests/bench/pair_bench.py [--pieces KIB ...] [--tls] [--payload FOLDER] [--no-compression] [--runs 3] [--size MIB]
                              [--program build/release/ezio-cli] [--directory /dev/shm]

Everything is in memory (the directory should be a tmpfs; it needs twice the size there), so that the program is measured and
no disk. The image is random bytes, which do not shrink, or what tar(1) makes of the FOLDER, cut to the size: /usr is about what
an operating system's file system has. The kinds of images take turns: a plain one for each size of a piece, with --tls a private
one, too; and with --no-compression each of these also without, beside which the share of that rate is printed. Printed are each
run and the medians. "x SHA-1" is the processor time of both sides over that of OpenSSL's SHA-1 of as many bytes. Needs
openssl(1); nothing is left.
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

from measures import cpu_seconds, fill_from_folder, openssl_rate, peak_mib, unwind_on_sigterm

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/e2e"))
from certificates import Authority  # noqa: E402
from harness import free_port, is_listening, wait_until  # noqa: E402

MIB = 1 << 20
FORMAT = ("{:28} {:5.0f} MiB/s   CPU-s/GiB: seeder {:5.2f}, fetcher {:5.2f}, both {:5.2f} ({:.2f} x SHA-1)   "
          "peak MiB: seeder {:3.0f}, fetcher {:3.0f}")


WITHOUT = ", uncompressed"


def fill(path, size, folder):
    if folder:
        fill_from_folder(path, size, folder)
        return
    with open(path, "wb") as file:
        for _ in range(size // MIB):
            file.write(os.urandom(MIB))


@contextlib.contextmanager
def running(program, *arguments):
    process = subprocess.Popen([program, *arguments, "--json", "--no-lsd", "--no-tracker"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def transfer(program, torrent, source, target, seeder_options, fetcher_options, gib, sha1):
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
            return gib * 1024 / seconds, *costs, sum(costs), sum(costs) / sha1, peak_mib(seeder), peak_mib(fetcher)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pieces", type=int, nargs="+", default=[1024, 4096, 16384], metavar="KIB")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--payload", metavar="FOLDER")
    parser.add_argument("--no-compression", action="store_true")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--size", type=int, default=2048, metavar="MIB")
    parser.add_argument("--program", default=REPOSITORY / "build/release/ezio-cli")
    parser.add_argument("--directory", default="/dev/shm")
    arguments = parser.parse_args()
    gib, sha1 = arguments.size / 1024, 2**30 / openssl_rate()
    with tempfile.TemporaryDirectory(prefix="ezio-bench-", dir=arguments.directory) as name:
        directory = pathlib.Path(name)
        source, target = directory / "image", directory / "target"
        fill(source, arguments.size * MIB, arguments.payload)
        with open(target, "wb") as touched:  # no page is new while the clock runs
            for _ in range(arguments.size):
                touched.write(b"\xff" * MIB)
        images = {}  # torrent, the seeder's options, the fetcher's

        def make(kind, piece, create_options, seeder_options, fetcher_options):
            torrent = directory / f"{kind}.torrent"
            subprocess.run([arguments.program, "create", source, "--all", "--quiet", "-o", torrent, "--piece-size", f"{piece}KiB",
                            *create_options], check=True, stdout=subprocess.DEVNULL)
            images[kind] = torrent, seeder_options, fetcher_options
            if arguments.no_compression:
                images[kind + WITHOUT] = torrent, (*seeder_options, "--no-compression"), (*fetcher_options, "--no-compression")

        ca = Authority(directory, "ca") if arguments.tls else None
        for piece in arguments.pieces:
            make(f"{piece} KiB", piece, (), (), ())
            if ca:
                make(f"{piece} KiB, private", piece, ("--ssl-ca", ca.certificate), ca.issue("seeder"), ca.issue("fetcher"))
        results = {kind: [] for kind in images}
        for _ in range(arguments.runs):
            for kind, (torrent, seeder_options, fetcher_options) in images.items():
                results[kind].append(transfer(arguments.program, torrent, source, target, seeder_options, fetcher_options, gib,
                                              sha1))
                print(FORMAT.format(kind, *results[kind][-1]), flush=True)
                subprocess.run(["cmp", "-s", source, target], check=True)
    print("medians:")
    medians = {kind: [statistics.median(column) for column in zip(*rows)] for kind, rows in results.items()}
    for kind, row in medians.items():
        print(FORMAT.format(kind, *row))
    for kind in medians:
        if kind + WITHOUT in medians:
            print(f"{kind}: {medians[kind][0] / medians[kind + WITHOUT][0]:.2f} of the rate without compression")


if __name__ == "__main__":
    unwind_on_sigterm()
    main()
