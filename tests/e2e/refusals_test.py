#!/usr/bin/python3
"""Everything that must be refused before a write: one sentence, the right exit status, an untouched target."""

import os
import pathlib
import re
import shutil
import socket
import unittest

from harness import (ON_LOOPBACK, UNTOUCHED, EndToEndTest, Mount, binary, free_port, main, make_file, missing_tools,
                     needs_loop_devices, run)
from images import Extent, bencode, torrent_of, torrent_of_one_file, write_torrent_info
from networks import Host, needs_network_namespaces

MIB = 1 << 20
NOBODY = 65534
BAD_NAMES = {
    "a negative offset": "-1",
    "a negative offset of 32 characters": "-" + "1".zfill(31),
    "a plus sign": "+" + "1".zfill(31),
    "0x10": "0x10",
    "0x and 30 digits": "0x" + "10".zfill(30),
    "a word": "README.txt",
    "digits and junk": "12zz".zfill(32),
    "a space at the end": "1000 ".zfill(32),
    "too few digits": "1000",
    "too many digits": "1000".zfill(33),
    "17 digits": "1000".zfill(17),
    "over 64 bits": "1".ljust(32, "0"),
    "just over 64 bits": "1".zfill(16) + "0" * 16,
}
BAD_VALUES = [
    ("--stall-timeout", "3x"), ("--timeout", "soon"), ("--timeout", "-1s"), ("--seed-time", "1.5.2h"),
    ("--memory", "12Q"), ("--memory", "-5M"), ("--max-download", "fast"),
    ("--listen", "127.0.0.1:99999"), ("--peer", "nowhere"), ("--peer", "127.0.0.1:0"),
]


class RefusalTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.torrent = self.write("sda1.torrent", torrent_of([("0".zfill(32), 3 * MIB), (f"{32 * MIB:032x}", MIB)]))

    def write(self, name, data):
        path = self.dir / name
        path.write_bytes(data)
        return path

    def full_file(self, name="target.img", size=64 * MIB):
        return make_file(self.dir / name, size, fill=UNTOUCHED)

    def assert_untouched(self, path):
        data = pathlib.Path(path).read_bytes()
        self.assertEqual(data.count(UNTOUCHED), len(data), f"{path} was written to")

    def refused(self, status, named, *arguments, **options):
        """Runs ezio-cli, which has to refuse with one line that names `named`, and returns that line."""
        ezio = self.ends_with(status, *arguments, **options)
        self.assertEqual(len(ezio.stderr.strip().splitlines()), 1, ezio)
        self.assertIn(str(named), ezio.stderr, ezio)
        self.assertEqual(ezio.stdout, "", ezio)
        self.assert_clean(ezio)
        return ezio.stderr

    def fetch_refused(self, status, named, torrent, target, *more, **options):
        listen = [] if "--listen" in more else ["--listen", f"127.0.0.1:{free_port()}"]
        return self.refused(status, named, "fetch", torrent, target, *ON_LOOPBACK, *listen, *more, **options)

    def as_nobody(self):
        """What makes ezio-cli run without privileges; nobody may not be able to reach the one in the build directory."""
        if os.geteuid() != 0:
            return {}
        program = self.dir / "ezio-cli"
        shutil.copy(binary(), program)
        wrapper = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
        return {"wrapper": wrapper, "program": program}


class BadTorrents(RefusalTest):
    def refuses_torrent(self, data):
        target = self.full_file()
        torrent = self.write("bad.torrent", data)
        self.fetch_refused(3, torrent, torrent, target)
        self.assert_untouched(target)
        self.refused(3, torrent, "info", torrent)
        self.refused(3, torrent, "verify", torrent, target)
        self.refused(3, torrent, "seed", torrent, target, *ON_LOOPBACK)

    def test_what_is_not_a_torrent_is_refused(self):
        for what, data in {"empty": b"", "text": b"not a torrent\n", "another dictionary": bencode({"a": 1}),
                           "cut off": torrent_of([("0".zfill(32), MIB)])[:-30]}.items():
            with self.subTest(what):
                self.refuses_torrent(data)

    def test_a_torrent_that_is_missing_is_refused(self):
        target = self.full_file()
        self.fetch_refused(3, self.dir / "missing.torrent", self.dir / "missing.torrent", target)
        self.assert_untouched(target)

    def test_names_that_are_not_offsets_are_refused(self):
        for what, name in BAD_NAMES.items():
            with self.subTest(what):
                self.refuses_torrent(torrent_of([("0".zfill(32), MIB), (name, MIB)]))

    def test_extents_that_overlap_are_refused(self):
        first = ("0".zfill(32), 2 * MIB)
        for what, second in {"by a byte": f"{2 * MIB - 1:032x}", "inside": f"{MIB // 2:016X}", "same": "0" * 16}.items():
            with self.subTest(what):
                self.refuses_torrent(torrent_of([first, (second, MIB)]))
                self.refuses_torrent(torrent_of([(second, MIB), first]))

    def test_an_extent_that_ends_beyond_64_bits_is_refused(self):
        self.refuses_torrent(torrent_of([("0".zfill(32), MIB), ("f" * 13 + "000", MIB)]))

    def test_an_ordinary_file_is_not_an_image(self):
        self.refuses_torrent(torrent_of_one_file("debian.iso", MIB))

    def test_an_ordinary_file_does_not_go_to_a_directory(self):
        torrent = self.write("iso.torrent", torrent_of_one_file("debian.iso", MIB))
        directory = self.dir / "images"
        directory.mkdir()
        self.fetch_refused(3, torrent, torrent, directory)
        self.assertEqual(list(directory.iterdir()), [])

    def test_a_new_file_is_not_created_for_a_bad_torrent(self):
        torrent = self.write("bad.torrent", torrent_of([("0".zfill(32), MIB), ("-1", MIB)]))
        self.fetch_refused(3, torrent, torrent, self.dir / "new.img")
        self.assertFalse((self.dir / "new.img").exists())


class BadTargets(RefusalTest):
    def test_a_path_whose_directory_is_missing_is_refused(self):
        target = self.dir / "missing" / "target.img"
        self.fetch_refused(4, target, self.torrent, target)
        self.assertFalse(target.parent.exists())

    def test_a_missing_path_under_dev_is_refused_and_not_created(self):
        target = pathlib.Path(f"/dev/ezio-test-{os.getpid()}-missing")
        self.addCleanup(target.unlink, missing_ok=True)
        self.fetch_refused(4, target, self.torrent, target)
        self.assertFalse(target.exists())

    def test_a_missing_source_is_refused_and_not_created(self):
        source = self.dir / "missing.img"
        self.refused(4, source, "seed", self.torrent, source, *ON_LOOPBACK)
        self.assertFalse(source.exists())

    def test_something_that_is_no_disk_is_refused(self):
        self.fetch_refused(4, "/dev/null", self.torrent, "/dev/null")

    def test_a_file_that_may_not_be_written_is_refused(self):
        target = self.full_file()
        target.chmod(0o444)
        self.fetch_refused(4, target, self.torrent, target, **self.as_nobody())
        self.assert_untouched(target)

    def test_a_directory_that_may_not_be_written_is_refused(self):
        directory = self.dir / "images"
        directory.mkdir()
        directory.chmod(0o555)
        self.fetch_refused(4, directory, self.torrent, directory, **self.as_nobody())
        self.assertEqual(list(directory.iterdir()), [])

    def test_a_refusal_is_an_error_event_with_its_status(self):
        target = self.dir / "missing" / "target.img"
        ezio = self.ends_with(4, "fetch", self.torrent, target, "--json", *ON_LOOPBACK)
        (error,) = ezio.events_named("error")
        self.assertEqual(error["status"], 4, ezio)
        self.assertIn(str(target), error["message"], ezio)
        self.assertEqual(ezio.events_named("complete"), [], ezio)


@needs_loop_devices
class BadDevices(RefusalTest):
    def device(self, **options):
        return self.loop_device("disk", 64 * MIB, fill=UNTOUCHED, **options)

    def device_refused(self, device, **options):
        """Refused for fetch; what was on the device before is still there."""
        before = device.backing.read_bytes()
        message = self.fetch_refused(4, device.path, self.torrent, device.path, **options)
        run("blockdev", "--flushbufs", device.path)
        self.assertEqual(device.backing.read_bytes(), before)
        return message

    def test_an_extent_past_the_end_is_refused_with_both_sizes(self):
        device = self.device()
        for what, offset, length in (("by a byte", 63 * MIB, MIB + 1), ("altogether", 1 << 40, MIB)):
            with self.subTest(what):
                self.torrent = self.write("big.torrent", torrent_of([("0".zfill(32), MIB), (f"{offset:032x}", length)]))
                message = self.device_refused(device)
                sizes = re.findall(r"\d[\d.,]* ?(?:bytes|B|[KMGT]i?B?)\b", message.replace(device.path, ""))
                self.assertGreaterEqual(len(sizes), 2, message)

    def test_an_extent_that_ends_with_the_device_is_not_refused(self):
        device = self.device()
        torrent = self.write("exact.torrent", torrent_of([(f"{63 * MIB:032x}", MIB)]))
        self.ends_with(7, "fetch", torrent, device.path, *ON_LOOPBACK, "--timeout", "1s",
                       "--listen", f"127.0.0.1:{free_port()}")

    @unittest.skipIf(missing_tools("mkfs.ext4"), "needs e2fsprogs")
    def test_a_mounted_device_is_refused(self):
        device = self.device()
        run("mkfs.ext4", "-q", "-F", device.path)
        with Mount(device.path, self.dir / "mounted", "-o", "ro"):
            self.assertRegex(self.device_refused(device), "mounted|in use|busy")

    @unittest.skipIf(missing_tools("mkfs.ext4"), "needs e2fsprogs")
    def test_a_device_and_a_file_below_a_loop_device_that_is_mounted_are_refused(self):
        device = self.device()
        run("mkfs.ext4", "-q", "-F", device.path)
        upper = run("losetup", "--find", "--show", device.path).strip()
        self.addCleanup(run, "losetup", "--detach", upper)
        with Mount(upper, self.dir / "mounted", "-o", "ro"):
            self.assertIn(f"in use through {upper}", self.device_refused(device))
            self.assertIn("is in use", self.fetch_refused(4, device.backing, self.torrent, device.backing))

    def test_a_device_with_swap_is_refused(self):
        device = self.device()
        run("mkswap", device.path)
        try:
            run("swapon", device.path)
        except AssertionError as error:
            self.skipTest(f"no swap here: {error}")
        self.addCleanup(run, "swapoff", device.path)
        self.assertRegex(self.device_refused(device), "swap|in use|busy")

    def test_a_device_that_another_program_holds_is_refused(self):
        device = self.device()
        with os.fdopen(os.open(device.path, os.O_RDWR | os.O_EXCL), "rb"):
            self.assertRegex(self.device_refused(device), "in use|busy|held")

    def test_a_device_attached_read_only_is_refused(self):
        self.assertRegex(self.device_refused(self.device(read_only=True)), "[Rr]ead-only")

    def test_a_device_set_read_only_is_refused(self):
        device = self.device()
        device.set_read_only()
        self.assertRegex(self.device_refused(device), "[Rr]ead-only")

    def test_a_device_without_permission_is_refused(self):
        self.assertRegex(self.device_refused(self.device(), **self.as_nobody()), "[Pp]ermission")


class FilesWithTwoRoles(RefusalTest):
    """What is read is never written, whatever it is called: every input against every output."""

    def setUp(self):
        super().setUp()
        self.key = self.write("k.pem", b"a secret")
        self.before = {path: path.read_bytes() for path in (self.torrent, self.key)}

    def names_of(self, path):
        link, hard = path.with_name(f"link-to-{path.name}"), path.with_name(f"hard-{path.name}")
        link.symlink_to(path)
        hard.hardlink_to(path)
        return path, link, hard

    def assert_kept(self):
        for path, data in self.before.items():
            self.assertEqual(path.read_bytes(), data, path)

    def test_the_target_is_neither_the_torrent_nor_a_key(self):
        for option in "the torrent", "--ssl-key", "--ssl-cert", "--ssl-dh":
            path = self.torrent if option == "the torrent" else self.write(f"{option}.pem", b"a secret")
            self.before[path] = path.read_bytes()
            options = [option, path] if option.startswith("--") else []
            for name in self.names_of(path):
                with self.subTest(option=option, name=name):
                    message = self.fetch_refused(2, f"{option} {path}", self.torrent, name, *options)
                    self.assertIn("would be overwritten by the image", message)
                    self.assert_kept()

    def test_the_saved_torrent_replaces_neither_the_target_nor_what_is_read(self):
        target = self.full_file()
        for path in self.torrent, self.key, target:
            for name in self.names_of(path):
                with self.subTest(name=name):
                    self.fetch_refused(2, path, self.torrent, target, "--save-torrent", name, "--ssl-key", self.key)
                    self.assert_kept()
        new = self.dir / "new"
        self.fetch_refused(2, new, self.torrent, new, "--save-torrent", new.parent / "." / "new")
        self.assertFalse(new.exists())
        self.assert_untouched(target)

    def test_the_files_of_a_directory_are_outputs_as_well(self):
        files = self.dir / "images" / "sda1"
        files.mkdir(parents=True)
        (files / "0".zfill(32)).hardlink_to(self.torrent)
        new = files / f"{32 * MIB:032x}"
        self.fetch_refused(2, f"the torrent {self.torrent}", self.torrent, files.parent)
        self.assert_kept()
        (files / "0".zfill(32)).unlink()
        self.fetch_refused(2, new, self.torrent, files.parent, "--save-torrent", new)
        self.assertEqual(list(files.iterdir()), [])

    def test_a_new_torrent_replaces_no_file_of_the_source(self):
        source = self.dir / "sda1"
        source.mkdir()
        for name in "0".zfill(32), f"{32 * MIB:032x}":
            self.before[make_file(source / name, MIB)] = bytes(MIB)
        info = write_torrent_info(source / "torrent.info", [Extent(0, MIB), Extent(32 * MIB, MIB)], ["a" * 40])
        self.before[info] = info.read_bytes()
        for output in source.iterdir():
            for name in self.names_of(output)[1:]:
                name = name.rename(self.dir / name.name)
                for given in source, info:
                    with self.subTest(output=name, source=given):
                        self.refused(2, output, "create", given, "-o", name)
                        self.assert_kept()

    @needs_loop_devices
    def test_the_file_below_a_loop_device_is_read_and_written_with_it(self):
        device = self.loop_device("disk", 64 * MIB, fill=UNTOUCHED)
        self.refused(2, device.path, "create", device.path, "--all", "-o", device.backing)
        self.fetch_refused(2, device.path, self.torrent, device.path, "--save-torrent", device.backing)
        self.fetch_refused(2, device.path, self.torrent, device.path, "--ssl-key", device.backing)
        self.assert_untouched(device.backing)

    def test_nothing_is_printed_into_an_image(self):
        target = self.full_file()
        for arguments in (["fetch", self.torrent, target, *ON_LOOPBACK], ["seed", self.torrent, target, *ON_LOOPBACK],
                          ["verify", self.torrent, target], ["create", target, "--all", "-o", self.dir / "new"]):
            for redirection in ">>", "2>>":
                with self.subTest(command=arguments[0], redirection=redirection):
                    ezio = self.start(*arguments, "--json",
                                      wrapper=["sh", "-c", f'exec "$0" "$@" {redirection} {target}'])
                    self.assertEqual(ezio.wait(), 2, ezio)
                    self.assert_untouched(target)
                    self.assertFalse((self.dir / "new").exists())


class BadListenAddresses(RefusalTest):
    def listen_refused(self, address, named):
        target = self.full_file()
        self.fetch_refused(6, named, self.torrent, target, "--listen", address)
        self.assert_untouched(target)
        self.refused(6, named, "seed", self.torrent, target, *ON_LOOPBACK, "--listen", address)

    def test_an_address_that_is_not_ours_is_refused(self):
        self.listen_refused(f"192.0.2.1:{free_port()}", "192.0.2.1")

    def test_a_port_that_is_taken_is_refused(self):
        with socket.create_server(("127.0.0.1", free_port())) as taken:
            port = taken.getsockname()[1]
            self.listen_refused(f"127.0.0.1:{port}", port)

    def test_a_name_that_is_no_interface_is_refused(self):
        self.listen_refused("eth77", "eth77: it is neither an address nor an interface of this machine")

    @needs_network_namespaces
    def test_an_interface_without_an_address_is_refused(self):
        host = self.enterContext(Host())
        host.run("ip", "link", "add", "eth0", "type", "veth", "peer", "eth1")  # down: it has not even a link-local one
        target = self.full_file()
        self.fetch_refused(6, "eth0: the interface has no address", self.torrent, target, "--listen", "eth0",
                           wrapper=host.wrapper)
        self.assert_untouched(target)


class BadOptions(RefusalTest):
    def usage_error(self, *arguments):
        """Status 2, nothing on stdout, and the message names the option and the value that are wrong."""
        ezio = self.ends_with(2, *arguments)
        self.assertEqual(ezio.stdout, "", ezio)
        return ezio.stderr

    def test_bad_values_are_usage_errors_that_name_option_and_value(self):
        target = self.full_file()
        for option, value in BAD_VALUES:
            with self.subTest(f"{option} {value}"):
                message = self.usage_error("fetch", self.torrent, target, f"{option}={value}")
                self.assertIn(option, message)
                self.assertIn(value, message)
        self.assert_untouched(target)

    def test_unknown_options_and_commands_are_usage_errors(self):
        target = self.full_file()
        self.assertIn("--no-such-option", self.usage_error("fetch", self.torrent, target, "--no-such-option"))
        self.assertIn("destroy", self.usage_error("destroy", target))
        self.assert_untouched(target)

    def test_missing_and_surplus_arguments_are_usage_errors(self):
        target = self.full_file()
        for arguments in ([], ["fetch"], ["fetch", self.torrent], ["fetch", self.torrent, target, "surplus"],
                          ["create", self.dir / "torrent.info"]):
            with self.subTest(arguments):
                self.usage_error(*arguments)
        self.assert_untouched(target)


class BadTorrentInfos(RefusalTest):
    def setUp(self):
        super().setUp()
        extents = [Extent(0, 16 * MIB), Extent(32 * MIB, MIB)]
        self.info = write_torrent_info(self.dir / "torrent.info", extents, ["a" * 40, "b" * 40])

    def info_refused(self, *replacement):
        """Refused with file and line, and no torrent is left; returns the line's number."""
        if replacement:
            self.info.write_text(self.info.read_text().replace(*replacement))
        created = self.dir / "created.torrent"
        message = self.refused(3, self.info, "create", self.info, "-o", created)
        self.assertFalse(created.exists())
        line = re.search(rf"{re.escape(str(self.info))}:(\d+)", message)
        self.assertIsNotNone(line, message)
        return int(line[1])

    def test_a_missing_sha1_is_refused(self):
        self.info_refused(f"sha1: {'b' * 40}\n", "")

    def test_a_surplus_sha1_is_refused(self):
        self.info_refused(f"sha1: {'b' * 40}\n", f"sha1: {'b' * 40}\nsha1: {'c' * 40}\n")

    def test_an_overlap_is_refused(self):
        self.info_refused(f"{32 * MIB:032x}", f"{15 * MIB:032x}")

    def test_bad_numbers_are_refused_with_their_line(self):
        good = self.info.read_text()
        for what, line, old, new in (("offset", 5, f"offset: {32 * MIB:032x}", "offset: zz"),
                                     ("negative offset", 5, f"offset: {32 * MIB:032x}", "offset: -1"),
                                     ("length", 6, f"length: {MIB:032x}", "length: 0x100000"),
                                     ("sha1", 7, "a" * 40, "a" * 39),
                                     ("sha1 with junk", 7, "a" * 40, "a" * 39 + "g"),
                                     ("block size", 1, "4096", "many")):
            with self.subTest(what):
                self.info.write_text(good)
                self.assertEqual(self.info_refused(old, new), line)

    def test_a_length_without_an_offset_is_refused(self):
        self.info_refused(f"offset: {32 * MIB:032x}\n", "")

    def test_a_missing_torrent_info_is_refused(self):
        self.info.unlink()
        status = self.start("create", self.info, "-o", self.dir / "created.torrent").wait()
        self.assertIn(status, (3, 4))


if __name__ == "__main__":
    main()
