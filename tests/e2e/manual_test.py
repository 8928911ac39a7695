#!/usr/bin/python3
"""Mandoc accepts the manual page."""

import unittest

import harness
from harness import REPOSITORY, EndToEndTest, main

PAGE = REPOSITORY / "man" / "ezio-cli.8"


@unittest.skipIf(harness.missing_tools("mandoc"), "needs mandoc")
class Manual(EndToEndTest):
    def test_mandoc_finds_nothing_to_complain_about(self):
        """Except that it knows no page of other packages: that depends on what is installed here."""
        complaints = harness.subprocess.run(["mandoc", "-Tlint", PAGE], capture_output=True, text=True).stdout
        ours = [line for line in complaints.splitlines() if "mandoc.db" not in line and "referenced manual" not in line]
        self.assertEqual(ours, [])

    def test_it_fits_a_terminal(self):
        text = harness.run("sh", "-c", f"mandoc -Tascii -O width=78 '{PAGE}' | sed 's/.\\x08//g'")
        too_wide = [line for line in text.splitlines() if len(line) > 80]
        self.assertEqual(too_wide, [])


if __name__ == "__main__":
    main()
