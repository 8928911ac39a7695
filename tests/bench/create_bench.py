#!/usr/bin/python3
"""What create and verify cost: against `partclone -c -t` on the same file system, and OpenSSL's SHA-1 on all processors.

    tests/bench/create_bench.py [--program build/release/ezio-cli] [--directory /dev/shm] [--size MIB]

Everything is in memory (the directory should be a tmpfs), so that the programs are measured and not a disk. It needs twice
the size there; nothing is left.
"""

import argparse
import os
import pathlib
import subprocess
import tempfile
import time

from measures import openssl_rate, unwind_on_sigterm

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
MIB = 1 << 20
REPEAT = 3  # the best counts: other work on the machine only ever makes it slower


def seconds(command):
    start = time.monotonic()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - start


def best(command_of):
    return min(seconds(command_of(number)) for number in range(REPEAT))


def make_file_system(directory, size):
    """An ext4, nine tenths full of random data, with holes in between; made without mounting it."""
    tree, image = directory / "tree", directory / "disk.img"
    tree.mkdir()
    for number in range(9):
        with open(tree / f"file-{number}", "wb") as file:
            for _ in range(size // 10):
                file.write(os.urandom(MIB))
    with open(image, "wb") as file:
        file.truncate(size * MIB)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", "-d", tree, image], check=True)
    for file in tree.iterdir():
        file.unlink()
    return image


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=REPOSITORY / "build" / "release" / "ezio-cli")
    parser.add_argument("--directory", default="/dev/shm")
    parser.add_argument("--size", type=int, default=1536, metavar="MIB")
    arguments = parser.parse_args()
    cores = os.cpu_count()
    with tempfile.TemporaryDirectory(prefix="ezio-bench-", dir=arguments.directory) as work:
        directory = pathlib.Path(work)
        image = make_file_system(directory, arguments.size)
        create = [arguments.program, "create", image, "-o", directory / "disk.torrent", "--quiet"]
        all_bytes = best(lambda _: [*create, "--all"])
        ours = best(lambda _: create)
        theirs = best(lambda number: ["partclone.ext4", "-c", "-t", "-q", "-L", "/dev/null", "-s", image,
                                      "-O", directory / f"partclone-{number}"])
        verify = best(lambda _: [arguments.program, "verify", directory / "disk.torrent", image, "--quiet"])
        openssl = openssl_rate()
    rate = arguments.size * MIB / all_bytes
    print(f"ext4 of {arguments.size} MiB, nine tenths used, in memory; {cores} processors; the best of {REPEAT}")
    print(f"partclone.ext4 -c -t          {theirs:8.2f} s")
    print(f"ezio-cli create               {ours:8.2f} s   {theirs / ours:.1f} times as fast")
    print(f"ezio-cli verify               {verify:8.2f} s")
    print(f"ezio-cli create --all         {all_bytes:8.2f} s   {rate / 1e9:.2f} GB/s")
    print(f"OpenSSL's SHA-1 x {cores}           {openssl * cores / 1e9:8.2f} GB/s; create reaches {rate / openssl / cores:.2f} of it")


if __name__ == "__main__":
    unwind_on_sigterm()
    main()
