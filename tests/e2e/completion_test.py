#!/usr/bin/python3
"""The completion scripts, in the shells."""

import shutil
import subprocess
import unittest

import harness


def script_for(shell):
    return subprocess.run([harness.binary(), "completion", shell], check=True, capture_output=True, text=True).stdout


def needs(shell):
    return unittest.skipUnless(shutil.which(shell), f"needs {shell}")


class Completion(harness.EndToEndTest):
    def in_bash(self, *words):
        """What bash offers for the last of the words, as a sorted list. '=' stands alone, as bash cuts it."""
        (self.dir / "script").write_text(script_for("bash"))
        quoted = " ".join(f"'{word}'" for word in words)
        program = (f"source ./script; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1};"
                   f"_ezio_cli ezio-cli '{words[-1]}' '{words[-2]}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
        done = subprocess.run(["bash", "--norc", "--noprofile", "-uec", program], cwd=self.dir, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        return sorted(done.stdout.split())

    def setUp(self):
        super().setUp()
        for name in ("sda1.torrent", "sda1.img"):
            (self.dir / name).touch()

    def test_bash_completes_commands(self):
        self.assertEqual(self.in_bash("ezio-cli", "fe"), ["fetch"])
        self.assertIn("--version", self.in_bash("ezio-cli", "--"))
        everything = self.in_bash("ezio-cli", "")
        for command in ("create", "seed", "fetch", "verify", "info", "help", "completion"):
            self.assertIn(command, everything)

    def test_bash_completes_options_of_the_command_only(self):
        self.assertEqual(self.in_bash("ezio-cli", "fetch", "--stall"), ["--stall-timeout"])
        self.assertEqual(self.in_bash("ezio-cli", "info", "--stall"), [])
        self.assertIn("--peer", self.in_bash("ezio-cli", "seed", "a", "b", "--"))

    def test_bash_completes_files_where_one_is_wanted(self):
        files = ["script", "sda1.img", "sda1.torrent"]
        self.assertEqual(self.in_bash("ezio-cli", "fetch", ""), files)
        self.assertEqual(self.in_bash("ezio-cli", "create", "x", "-o", "sda"), files[1:])
        self.assertEqual(self.in_bash("ezio-cli", "create", "x", "--output", "=", "sda"), files[1:])
        self.assertEqual(self.in_bash("ezio-cli", "create", "x", "--output", "="), files)

    def test_bash_completes_nothing_where_only_the_user_knows(self):
        self.assertEqual(self.in_bash("ezio-cli", "fetch", "--peer", ""), [])
        self.assertEqual(self.in_bash("ezio-cli", "fetch", "--memory", "=", "sda"), [])
        self.assertEqual(self.in_bash("ezio-cli", "no-such-command", ""), [])

    def test_bash_completes_help_and_completion(self):
        self.assertEqual(self.in_bash("ezio-cli", "help", "ver"), ["verify"])
        self.assertEqual(self.in_bash("ezio-cli", "completion", ""), ["bash", "fish", "zsh"])

    @needs("bash")
    def test_bash_itself_asks_the_script(self):
        """As after a Tab: programmable completion is what `compgen -F` runs."""
        (self.dir / "script").write_text(script_for("bash"))
        registered = harness.run("bash", "-c", f"source {self.dir}/script; complete -p ezio-cli")
        self.assertEqual(registered.strip(), "complete -F _ezio_cli ezio-cli")

    @needs("fish")
    def test_fish_completes(self):
        (self.dir / "script.fish").write_text(script_for("fish"))

        def offered(line):
            text = harness.run("env", f"HOME={self.dir}", "fish", "--no-config", "-c",
                               f"source {self.dir}/script.fish; complete -C '{line}'")
            return [entry.split("\t")[0] for entry in text.splitlines()]
        self.assertEqual(offered("ezio-cli fe"), ["fetch"])
        self.assertEqual(offered("ezio-cli fetch --stall"), ["--stall-timeout"])
        self.assertEqual(offered("ezio-cli info --stall"), [])
        self.assertEqual(offered("ezio-cli help ver"), ["verify"])

    @needs("zsh")
    def test_zsh_takes_the_script(self):
        (self.dir / "_ezio-cli").write_text(script_for("zsh"))
        harness.run("zsh", "-f", "-n", self.dir / "_ezio-cli")
        text = harness.run("zsh", "-f", "-c", f"autoload -Uz compinit; compinit -u -d {self.dir}/dump;"
                                              f"source {self.dir}/_ezio-cli; print $_comps[ezio-cli]")
        self.assertEqual(text.strip(), "_ezio_cli")

    def test_other_shells_are_refused(self):
        done = self.ends_with(2, "completion", "csh")
        self.assertIn("no completion for 'csh'; expected bash, zsh or fish", done.stderr)
        self.ends_with(2, "completion")


if __name__ == "__main__":
    harness.main()
