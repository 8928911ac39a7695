"""What the benchmarks have in common."""

import os
import pathlib
import re
import signal
import subprocess
import sys

MIB = 1 << 20


def openssl_rate():
    """Bytes per second of SHA-1 on one processor, in blocks that stay in its nearest cache."""
    out = subprocess.run(["openssl", "speed", "-mr", "-seconds", "2", "-bytes", "65536", "-evp", "sha1"], check=True,
                         capture_output=True, text=True).stdout
    return float(re.search(r"^\+F:\d+:[^:]+:([\d.]+)", out, re.MULTILINE)[1])


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(process):
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def fill_from_folder(path, size, folder):
    """What tar(1) makes of the folder, cut to the size, of whole MiB."""
    with open(path, "wb") as file, subprocess.Popen(["tar", "-C", folder, "--sort=name", "-cf", "-", "."],
                                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as tar:
        for _ in range(size // MIB):
            part = tar.stdout.read(MIB)
            if len(part) != MIB:
                raise SystemExit(f"{folder} holds less than {size // MIB} MiB")
            file.write(part)
        tar.terminate()


def unwind_on_sigterm():
    """As SIGINT does: what a benchmark has made is taken back."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
