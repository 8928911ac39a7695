"""What the benchmarks have in common."""

import os
import pathlib
import re
import signal
import subprocess
import sys


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


def unwind_on_sigterm():
    """As SIGINT does: what a benchmark has made is taken back."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
