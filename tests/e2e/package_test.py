#!/usr/bin/python3
"""The Debian package: what is in it, what it depends on, and that it comes and goes without a trace.

It is installed into a directory, with a package database of its own, so that this machine stays as it is.
"""

import os
import re
import subprocess
import unittest

import harness
from harness import EndToEndTest, main, run

EXPECTED = ["usr/sbin/ezio-cli", "usr/share/man/man8/ezio-cli.8.gz", "usr/share/doc/ezio-cli/events.schema.json",
            "usr/share/doc/ezio-cli/copyright", "usr/share/doc/ezio-cli/README.md",
            "usr/share/bash-completion/completions/ezio-cli", "usr/share/zsh/vendor-completions/_ezio-cli",
            "usr/share/fish/vendor_completions.d/ezio-cli.fish", "usr/share/doc/ezio-cli/changelog.gz"]


def files_under(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


@unittest.skipIf(harness.missing_tools("cpack", "dpkg-deb", "dpkg-shlibdeps", "dpkg"), "needs cpack and dpkg-dev")
class DebianPackage(EndToEndTest):
    def setUp(self):
        super().setUp()
        build = harness.binary().parent
        run("cpack", "-G", "DEB", "--config", build / "CPackConfig.cmake", "-B", self.dir / "packages")
        (self.package,) = (self.dir / "packages").glob("ezio-cli_*.deb")

    def field(self, name):
        return run("dpkg-deb", "--field", self.package, name).strip()

    def test_it_depends_on_what_the_program_needs_and_on_nothing_else(self):
        needed = re.findall(r"NEEDED.*\[(\S+)\]", run("readelf", "-d", harness.binary()))
        depends = self.field("Depends")
        for library in needed:
            if library.startswith("lib"):
                owners = run("dpkg-query", "--search", f"*/{library}")
                packages = {line.split(":")[0] for line in owners.splitlines()}
                self.assertTrue(any(re.search(rf"\b{re.escape(package)}\b", depends) for package in packages),
                                f"{library} of {packages} is not in: {depends}")
        self.assertRegex(depends, r"libtorrent-rasterbar2\.0(t64)? \(>=")
        self.assertLessEqual(len(depends.split(",")), len(needed))
        self.assertEqual(self.field("Package"), "ezio-cli")
        self.assertEqual(self.field("Recommends"), "partclone, lvm2, curl")  # each for some uses only

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_it_is_installed_works_and_is_removed_without_a_trace(self):
        root = self.dir / "root"
        database = root / "var/lib/dpkg"
        (database / "updates").mkdir(parents=True)
        (database / "info").mkdir()
        (database / "status").touch()
        dpkg = ["dpkg", f"--root={root}", f"--log={self.dir}/dpkg.log", "--force-depends", "--force-not-root"]
        run(*dpkg, "--install", self.package)
        installed = [name for name in files_under(root) if not name.startswith("var/lib/dpkg")]
        self.assertEqual(installed, sorted(EXPECTED))
        program = root / "usr/sbin/ezio-cli"
        version = self.field("Version")
        self.assertEqual(run(program, "--version").split()[:2], ["ezio-cli", version])
        self.assertTrue(run("zcat", root / EXPECTED[8]).startswith(f"ezio-cli ({version}) "))
        for shell, path in (("bash", EXPECTED[5]), ("zsh", EXPECTED[6]), ("fish", EXPECTED[7])):
            self.assertEqual((root / path).read_text(), run(program, "completion", shell))
        self.assertIn(b"ezio-cli", subprocess.run(["zcat", root / EXPECTED[1]], capture_output=True, check=True).stdout)
        run(*dpkg, "--purge", "ezio-cli")
        self.assertEqual([name for name in files_under(root) if not name.startswith("var/lib/dpkg")], [])
        self.assertFalse((root / "usr/share/doc/ezio-cli").exists())


if __name__ == "__main__":
    main()
