"""What every end-to-end test stands on: processes, loop devices, mounts, and a runner for ctest.

Nothing a test made outlives it. Each resource is a context manager. SIGINT and SIGTERM are only noted, and end the test at
the next wait, so that they never fall between making a thing and remembering it; the test then unwinds like one that fails.
After SIGKILL the kernel cleans up: loop devices detach themselves when their last descriptor is closed, mounts live in a
private namespace, and ezio-cli is killed with its parent.

Exit status of a test file: 0 passed, 1 failed, 77 everything was skipped, 130/143 interrupted.
"""

import atexit
import contextlib
import ctypes
import functools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

try:
    import fusepy
except ImportError:
    fusepy = None

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
DEADLINE = 120  # seconds for anything that has to happen; generous, for sanitizer builds on small machines
SKIPPED = 77
FUSE_DISK = pathlib.Path(__file__).with_name("fuse_disk.py")
ON_LOOPBACK = ["--no-lsd", "--no-tracker"]
UNTOUCHED = b"\xff"  # what the targets are filled with, so that a stray write shows

os.environ["PATH"] += ":/usr/sbin:/sbin"  # mkfs and its family, for those who are not root
os.environ["LC_ALL"] = "C.UTF-8"


def run(*command):
    """Runs a command that has to succeed and returns what it printed. Ctrl-C is for the test, not for the command."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=DEADLINE, start_new_session=True)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def missing_tools(*names):
    return [name for name in names if shutil.which(name) is None]


_caught_signal = None


def _note_signal(number, _):
    global _caught_signal
    _caught_signal = number
    for other in (signal.SIGINT, signal.SIGTERM):
        signal.signal(other, signal.SIG_IGN)


def stop_if_interrupted():
    """Raises KeyboardInterrupt, once, after SIGINT or SIGTERM."""
    global _caught_signal
    if _caught_signal:
        number, _caught_signal = _caught_signal, None
        raise KeyboardInterrupt(128 + number)


def wait_until(condition, what, seconds=DEADLINE):
    """Returns the first true value of condition(). `what` is printed if there is none."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        stop_if_interrupted()
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.01)
    return value


@contextlib.contextmanager
def temp_dir():
    """A directory that everybody may look into (some tests run ezio-cli as nobody), gone at the end."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="ezio-e2e-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def make_file(path, size, fill=None):
    """A file of `size` bytes: sparse, or full of the byte `fill`."""
    with open(path, "wb") as file:
        if fill is None:
            file.truncate(size)
        else:
            chunk = fill * (1 << 20)
            for start in range(0, size, len(chunk)):
                file.write(chunk[:size - start])
    return path


class LoopDevice:
    """A loop device over a new file. `path` is the device; what is durable is in `backing`.

    The device stays open here for its whole life, so the kernel does not flush it when ezio-cli closes it: data that
    ezio-cli did not sync is not in `backing`. Detaching at once, with that descriptor open, makes the kernel detach the
    device when the descriptor goes away.
    """

    def __init__(self, backing, size, fill=None, read_only=False, sector=None):
        self.backing = make_file(backing, size, fill)
        self.size = size
        options = ["--read-only"] if read_only else []
        options += [f"--sector-size={sector}"] if sector else []
        self.path = run("losetup", "--find", "--show", *options, backing).strip()
        self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        run("losetup", "--detach", self.path)
        self._remove_partitions()  # which its last user has left: not every kernel does when it is detached

    def __enter__(self):
        return self

    def _remove_partitions(self):
        if any(pathlib.Path("/sys/block", os.path.basename(self.path)).glob("loop*p*")):
            run("partx", "--delete", self.path)

    def set_read_only(self):
        run("blockdev", "--setro", self.path)

    def __exit__(self, *_):
        run("blockdev", "--setrw", self.path)  # or the next user of this loop device would find it read-only
        self._remove_partitions()
        os.close(self._fd)
        wait_until(lambda: not self._is_attached(), f"{self.path} to be detached")

    def _is_attached(self):
        try:
            attached = pathlib.Path(f"/sys/block/{os.path.basename(self.path)}/loop/backing_file").read_text().strip()
        except OSError:
            return False
        return attached == str(self.backing)


def partition_numbers(device):
    return sorted(int(entry.name.rsplit("p", 1)[1]) for entry in pathlib.Path("/dev").glob(f"{os.path.basename(device)}p*"))


@contextlib.contextmanager
def partition_devices(device):
    """Lets the kernel make the devices of the partitions, whether it can read the table by itself or not."""
    run("partx", "--add", device)
    try:
        yield [f"{device}p{number}" for number in partition_numbers(device)]
    finally:
        run("partx", "--delete", device)


class Mount:
    def __init__(self, source, directory, *options):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(exist_ok=True)
        run("mount", *options, source, self.directory)

    def __enter__(self):
        return self.directory

    def __exit__(self, *_):
        run("umount", self.directory)


class FuseDisk:
    """The file `path`, whose calls fail, hang and are recorded as fuse_disk.py says."""

    def __init__(self, directory, backing):
        self.control = directory / "control"
        self.control.mkdir()
        self._mounted = directory / "mounted"
        self._mounted.mkdir()
        self.path = self._mounted / "disk"
        self._helper = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", sys.executable, FUSE_DISK, self._mounted,
                                         backing, self.control],
                                        stdin=subprocess.DEVNULL, start_new_session=True)

    def __enter__(self):
        wait_until(lambda: self._helper.poll() is not None or os.path.ismount(self._mounted), "FUSE to be mounted")
        if self._helper.poll() is not None:
            raise unittest.SkipTest("FUSE does not work here")
        return self

    def fail_reads(self, first, end):
        (self.control / "fail-read").write_text(f"{first} {end}")

    def allow_writes_up_to(self, end):
        (self.control / "quota").write_text(str(end))

    def spoil_writes(self, first, end):
        (self.control / "spoil-write").write_text(f"{first} {end}")

    def fail_syncs(self):
        (self.control / "fail-sync").touch()

    def slow_down_reads(self, seconds=0.02):
        written = self.control / "slow-read.new"  # reads go on meanwhile
        written.write_text(str(seconds))
        written.rename(self.control / "slow-read")

    def block(self, call):
        (self.control / f"block-{call}").touch()

    def unblock(self, call):
        (self.control / f"block-{call}").unlink(missing_ok=True)

    def unblock_all(self):
        for call in "read", "write", "sync":
            self.unblock(call)

    def first_failure(self, call):
        """When the first read or write failed, as time.monotonic() counts."""
        return min(float(line.split()[1]) for line in self.calls() if line.startswith(f"{call}-failed"))

    def calls(self):
        return (self.control / "calls").read_text().splitlines()

    def __exit__(self, *_):
        self.unblock_all()
        subprocess.run(["umount", "--lazy", self._mounted], check=False)
        self._helper.kill()  # what hangs in it has nobody left to answer
        self._helper.wait(DEADLINE)


@functools.cache
def loop_devices_work():
    if os.geteuid() != 0:
        return False
    try:
        with temp_dir() as directory, LoopDevice(directory / "probe", 1 << 20):
            return True
    except AssertionError as error:
        print(f"no loop devices here: {error}", file=sys.stderr)
        return False


needs_fuse = unittest.skipIf(fusepy is None or not os.path.exists("/dev/fuse") or os.geteuid() != 0 or
                             missing_tools("fusermount") and missing_tools("fusermount3"), "needs root and FUSE")
needs_loop_devices = unittest.skipUnless(loop_devices_work(), "needs root and loop devices")


def free_port():
    """A port of 127.0.0.1 that nobody has, below those that the kernel gives to outgoing connections."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            with contextlib.suppress(OSError):
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
                return port


def is_listening(port):
    sockets = pathlib.Path("/proc/net/tcp").read_text()
    return f":{port:04X} 00000000:0000 0A" in sockets


def binary():
    candidates = [REPOSITORY / "build" / preset / "ezio-cli" for preset in ("release", "dev")]
    if chosen := os.environ.get("EZIO_CLI"):
        candidates = [pathlib.Path(chosen)]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    raise FileNotFoundError(f"no ezio-cli: {', '.join(map(str, candidates))}")


# How the whole suite is run without compression, or with as much as there can be: see README.md.
COMPRESSION = os.environ.get("EZIO_TEST_COMPRESSION", "as it is")
if COMPRESSION not in ("as it is", "off", "forced"):
    raise SystemExit(f"EZIO_TEST_COMPRESSION is 'off' or 'forced', and not '{COMPRESSION}'")


def options_for_compression(arguments):
    """What is added to a command line. With a limit, even one that is never reached, compression never tries to do without."""
    if not arguments or arguments[0] not in ("seed", "fetch"):
        return []
    if COMPRESSION == "off" and "--no-compression" not in arguments:
        return ["--no-compression"]
    if COMPRESSION == "forced" and "--max-upload" not in arguments:
        return ["--max-upload", "500M"]
    return []


def wire_limit(megabytes):
    """A limit with which a made-up image moves at this rate: limits are for the network, and what is forced shrinks to a half."""
    return f"{megabytes * 500 if COMPRESSION == 'forced' else megabytes * 1000}K"


class Ezio:
    """A running ezio-cli. Its output is collected as it comes; leaving the context kills it.

    `wrapper` is a command that ends by executing the rest of its arguments (prlimit, setpriv).
    """

    def __init__(self, *arguments, wrapper=(), program=None):
        self.program = program or binary()
        self.arguments = [str(argument) for argument in arguments]
        self.arguments += options_for_compression(self.arguments)
        self.stderr = ""
        self._lines = []
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *wrapper, self.program, *self.arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
            start_new_session=True)
        self._readers = [threading.Thread(target=self._collect_stdout), threading.Thread(target=self._collect_stderr)]
        for reader in self._readers:
            reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join()
        self._process.stdout.close()
        self._process.stderr.close()

    def _collect_stdout(self):
        for line in self._process.stdout:
            self._lines.append(line)

    def _collect_stderr(self):
        for line in self._process.stderr:
            self.stderr += line

    @property
    def stdout(self):
        return "".join(self._lines)

    @property
    def events(self):
        """What --json printed: one object per line."""
        return [json.loads(line) for line in list(self._lines)]

    def events_named(self, name):
        return [event for event in self.events if event["event"] == name]

    def wait_for_event(self, name, seconds=DEADLINE):
        wait_until(lambda: self.events_named(name) or not self.is_running(), f"event {name} of {self}", seconds)

    @property
    def pid(self):
        return self._process.pid  # setpriv and wrappers execute what they start

    def peak_mib(self):
        """The most memory that it has had so far, as long as it runs."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024

    def is_running(self):
        return self._process.poll() is None

    def signal(self, number):
        self._process.send_signal(number)

    def wait(self, seconds=DEADLINE):
        """Returns the exit status, once all output has been collected."""
        wait_until(lambda: not self.is_running(), self, seconds)
        for reader in self._readers:
            reader.join()
        return self._process.returncode

    def __str__(self):
        return (f"--- ezio-cli {' '.join(self.arguments)}: {self._process.poll()}"
                f"\n--- stdout\n{self.stdout[-4000:]}\n--- stderr\n{self.stderr[-4000:]}\n---")

    __repr__ = __str__


_case_seconds = {}  # by name


@atexit.register
def _print_slow_cases():
    """Cases that took more than a second, the slowest first."""
    slow = sorted(((seconds, name) for name, seconds in _case_seconds.items() if seconds > 1), reverse=True)
    for seconds, name in slow:
        print(f"{seconds:6.1f} s  {name}", file=sys.stderr)


class EndToEndTest(unittest.TestCase):
    """Every test has `self.dir`, its own temporary directory, and gives back what it took, interrupted or not."""

    def run(self, result=None):
        start = time.monotonic()
        try:
            return super().run(result)
        finally:
            self.doCleanups()  # unittest skips this after KeyboardInterrupt
            _case_seconds[self.id().removeprefix("__main__.")] = time.monotonic() - start

    def setUp(self):
        stop_if_interrupted()
        self.dir = self.enterContext(temp_dir())
        self._fuse_disks = []

    def tearDown(self):  # before the programs are ended, which a disk that hangs would keep
        for disk in self._fuse_disks:
            disk.unblock_all()

    def loop_device(self, name, size, **options):
        return self.enterContext(LoopDevice(self.dir / name, size, **options))

    def fuse_disk(self, backing):
        self._fuse_disks.append(self.enterContext(FuseDisk(self.dir, backing)))
        return self._fuse_disks[-1]

    def start(self, *arguments, **options):
        return self.enterContext(Ezio(*arguments, **options))

    def ends_with(self, status, *arguments, seconds=DEADLINE, **options):
        """Runs ezio-cli to its end, which has to be `status`, and returns it with its output."""
        ezio = self.start(*arguments, **options)
        self.assertEqual(ezio.wait(seconds), status, ezio)
        return ezio

    def start_listening(self, *arguments, **options):
        """Starts a seed or fetch on loopback only, without tracker and multicast, and returns it and its HOST:PORT.

        A seed has its torrent by then: it listens before that, and hangs up on whoever comes too early."""
        port = free_port()
        ezio = self.start(*arguments, "--json", *ON_LOOPBACK, "--listen", f"127.0.0.1:{port}", **options)
        wait_until(lambda: is_listening(port) and (arguments[0] != "seed" or ezio.events_named("start")) or
                   not ezio.is_running(), f"{arguments} to listen")
        return ezio, f"127.0.0.1:{port}"

    @contextlib.contextmanager
    def seeding(self, torrent, source, *options, wrapper=()):
        """Seeds for the length of a with block, then stops the seeder in an orderly way. Yields its HOST:PORT."""
        seeder, address = self.start_listening("seed", torrent, source, *options, wrapper=wrapper)
        self.assertTrue(seeder.is_running(), seeder)
        yield address
        seeder.signal(signal.SIGINT)
        self.assertEqual(seeder.wait(), 128 + signal.SIGINT, seeder)
        self.assert_clean(seeder)

    def fetch(self, torrent, target, *options):
        """Fetches to the end, which has to be complete, and returns the ended process. It serves nobody after that, unless told to."""
        staying = () if "--seed-time" in options else ("--seed-time", "0")
        fetcher, _ = self.start_listening("fetch", torrent, target, *options, *staying)
        self.assert_complete(fetcher)
        return fetcher

    def assert_complete(self, fetcher):
        self.assertEqual(fetcher.wait(), 0, fetcher)
        self.assertEqual(len(fetcher.events_named("complete")), 1, fetcher)
        self.assertEqual(fetcher.events_named("error"), [], fetcher)
        self.assert_clean(fetcher)

    def assert_failed(self, ezio, status, seconds):
        """Ends in time with this status and one error event, whose message it returns; never says that it is complete."""
        self.assertEqual(ezio.wait(seconds), status, ezio)
        self.assertEqual(ezio.events_named("complete"), [], ezio)
        self.assert_clean(ezio)
        (error,) = ezio.events_named("error")
        self.assertEqual(error["status"], status, ezio)
        return error["message"]

    def assert_clean(self, ezio):
        self.assertIsNone(re.search(r"(Address|Thread|Leak|UndefinedBehavior)Sanitizer|runtime error:", ezio.stderr), ezio)


@functools.cache
def isolate():
    """Mounts that nobody else sees, gone with the last process of the test; and a network with nothing but loopback in it, so
    that ports, multicast and names of tests that run at the same time do not meet. Without root there is neither. Returns
    whether the network is the test's own."""
    clone_newns, clone_newnet = 0x00020000, 0x40000000
    libc = ctypes.CDLL(None)
    if libc.unshare(clone_newns) == 0:
        run("mount", "--make-rprivate", "/")
    if libc.unshare(clone_newnet) != 0:
        return False
    run("ip", "link", "set", "lo", "up")
    return True


def main():
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _note_signal)
    isolate()
    try:
        result = unittest.main(module="__main__", verbosity=2, exit=False).result
        stop_if_interrupted()
    except KeyboardInterrupt as interrupt:
        sys.exit(interrupt.args[0])
    if result.skipped and len(result.skipped) == result.testsRun:
        sys.exit(SKIPPED)
    sys.exit(0 if result.wasSuccessful() else 1)
