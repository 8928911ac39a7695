#!/usr/bin/python3
"""Runs command lines and compares what they print and return with what the *.test files here say.

    # A comment. Empty lines mean nothing.
    $ ezio-cli info no.torrent      the command, for sh, in an empty directory that the whole file shares
    | Name: sda1                    a line on standard output
    ! ezio-cli: * cannot be read    a line on standard error; * is any text
    | ...                           any number of lines
    = 3                             the exit status; without it, 0

All lines of the output have to be there, in order, and no others. What is in this directory can be run as a command.

    EZIO_CLI=build/dev/ezio-cli tests/cli/run.py [FILE.test ...]
"""

import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
DEADLINE = 120  # seconds for one command; generous, for sanitizer builds on small machines
ANY_LINES = "..."


class Step:
    """One command with what is expected of it."""

    def __init__(self, command, where):
        self.command, self.where = command, where
        self.stdout, self.stderr, self.status = [], [], 0

    def problems(self, stdout, stderr, status):
        """What is not as expected, as text; nothing if all is."""
        if status != self.status:
            yield f"exit status {status}, expected {self.status}"
        for name, expected, got in (("standard output", self.stdout, stdout), ("standard error", self.stderr, stderr)):
            if not lines_match(expected, got):
                yield "\n".join(difflib.unified_diff(expected, got, f"expected on {name}", f"got on {name}", lineterm="", n=99))


def line_matches(pattern, line):
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), line) is not None


def lines_match(patterns, lines):
    if not patterns:
        return not lines
    if patterns[0] == ANY_LINES:
        return any(lines_match(patterns[1:], lines[start:]) for start in range(len(lines) + 1))
    return bool(lines) and line_matches(patterns[0], lines[0]) and lines_match(patterns[1:], lines[1:])


def read_steps(path):
    steps = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        mark, text = line[:1], line[2:]
        if mark in ("", "#"):
            continue
        if mark == "$":
            steps.append(Step(text, f"{path.name}:{number}"))
        elif mark in "|!=" and steps and line[1:2] in ("", " "):
            step = steps[-1]
            if mark == "=":
                step.status = int(text)
            else:
                (step.stdout if mark == "|" else step.stderr).append(text)
        else:
            raise SystemExit(f"{path}:{number}: this line is none that a test has: {line}")
    return steps


def environment(directory):
    """What every command finds: the program first in PATH, no terminal and no taste of the user's."""
    kept = {name: value for name, value in os.environ.items() if name == "PATH" or name.endswith("SAN_OPTIONS")}
    return kept | {"PATH": f"{directory}:{HERE}:{kept['PATH']}", "LC_ALL": "C.UTF-8"}


def run_file(path, program):
    """Runs the steps of one file and returns the number of those that failed."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="ezio-cli-test-") as work, tempfile.TemporaryDirectory() as bin_dir:
        os.symlink(program, pathlib.Path(bin_dir) / "ezio-cli")
        for step in read_steps(path):
            done = subprocess.run(["sh", "-c", step.command], cwd=work, env=environment(bin_dir), stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=DEADLINE)
            outputs = [text.decode(errors="backslashreplace").splitlines() for text in (done.stdout, done.stderr)]
            problems = list(step.problems(*outputs, done.returncode))
            if problems:
                failed += 1
                print(f"{step.where}: $ {step.command}", *problems, "", sep="\n")
    return failed


def main():
    program = os.environ.get("EZIO_CLI")
    if not program or not os.access(program, os.X_OK):
        sys.exit("EZIO_CLI has to be the path of an ezio-cli")
    files = [pathlib.Path(name) for name in sys.argv[1:]] or sorted(HERE.glob("*.test"))
    failed = sum(run_file(path, pathlib.Path(program).resolve()) for path in files)
    print(f"{failed} commands failed" if failed else f"{len(files)} files, all as expected")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
