#!/usr/bin/python3
"""The output of --json, against the JSON Schema that is installed with the program."""

import json
import re
import unittest

from harness import REPOSITORY, EndToEndTest, main, make_file
from images import odd_image, write_torrent_info

try:
    import jsonschema
except ImportError:
    jsonschema = None

SIZE = 64 << 20


def closed(schema):
    """The schema with no other members than those it names: what is printed has to be documented."""
    if isinstance(schema, dict):
        schema = {name: closed(value) for name, value in schema.items()}
        if "properties" in schema:
            schema["additionalProperties"] = False
    elif isinstance(schema, list):
        schema = [closed(value) for value in schema]
    return schema


@unittest.skipIf(jsonschema is None, "needs python3-jsonschema")
class JsonEvents(EndToEndTest):
    def setUp(self):
        super().setUp()
        schema = closed(json.loads((REPOSITORY / "man" / "events.schema.json").read_text()))
        jsonschema.Draft202012Validator.check_schema(schema)
        self.schema = jsonschema.Draft202012Validator(schema)
        self.definitions = schema["$defs"]
        image = odd_image()
        self.payload = len(image.payload)
        info = self.dir / "torrent.info"
        write_torrent_info(info, image.extents, [sha1.hexdigest() for sha1 in image.hashes(16 << 20)])
        self.torrent = self.dir / "odd.torrent"
        self.source = image.write_to(make_file(self.dir / "source.img", SIZE))
        self.created = self.ends_with(0, "create", info, "-o", self.torrent, "--json")

    def assert_valid(self, ezio, *expected):
        """Every line is an event of the schema, and the expected ones are there, the last one last."""
        for event in ezio.events:
            definition = jsonschema.Draft202012Validator(
                {"$defs": self.definitions, "$ref": f"#/$defs/{event['event']}"})
            for error in definition.iter_errors(event):
                self.fail(f"{error.message} in {event}")
            self.schema.validate(event)
        names = [event["event"] for event in ezio.events]
        for name in expected:
            self.assertIn(name, names, ezio)
        self.assertEqual(names[-1], expected[-1], ezio)

    def test_create_and_info(self):
        self.assert_valid(self.created, "info")
        self.assert_valid(self.ends_with(0, "info", self.torrent, "--json"), "info")

    def test_seed_and_fetch(self):
        seeder, address = self.start_listening("seed", self.torrent, self.source, "--verbose")
        fetcher = self.fetch(self.torrent, self.dir / "target.img", "--peer", address, "--verbose", "--seed-time", "0",
                             "--max-download", "12M")  # slow enough for a look at the peers
        self.assert_valid(fetcher, "start", "progress", "peer", "complete", "summary")
        summary = fetcher.events_named("summary")[0]
        self.assertEqual([(peer["address"], peer["seeder"]) for peer in summary["peers"]], [(address, True)])
        self.assertEqual(summary["peers"][0]["received_bytes"], self.payload)
        self.assertEqual(summary["received_bytes"], self.payload)
        self.assertEqual(summary["written_bytes"], self.payload)
        self.assert_notes(fetcher, "port ", "memory", "the kernel", "one thread writes|several threads write",
                          "it does not stay", "leaving: ")
        seeder.signal(15)
        self.assertEqual(seeder.wait(), 143)
        self.assert_valid(seeder, "start", "progress", "peer", "error")

    def assert_notes(self, ezio, *patterns):
        """Every decision is in a note of its own."""
        notes = [event["message"] for event in ezio.events_named("note")]
        for pattern in patterns:
            self.assertTrue(any(re.search(pattern, note) for note in notes), f"{pattern} in {notes}")

    def test_a_verbose_fetch_says_whom_it_tries_in_vain(self):
        fetcher = self.ends_with(7, "fetch", self.torrent, self.dir / "target.img", "--peer", "127.0.0.1:9", "--no-lsd",
                                 "--stall-timeout", "6", "--verbose", "--json")
        self.assert_notes(fetcher, r"no connection with 127\.0\.0\.1:9: .*; it is tried again",
                          "no peer is connected: asking|no peer is connected, and", r"no data for \d+ s: no peer is connected")

    def test_verify(self):
        self.assert_valid(self.ends_with(0, "verify", self.torrent, self.source, "--json"), "start", "progress", "summary")
        other = make_file(self.dir / "other.img", SIZE)
        self.assert_valid(self.ends_with(8, "verify", self.torrent, other, "--json"), "start", "error")

    def test_errors(self):
        self.assert_valid(self.ends_with(2, "fetch", "--json", "--no-such-option"), "error")
        self.assert_valid(self.ends_with(3, "info", "--json", self.dir / "missing"), "error")

    def test_an_io_error_says_where(self):
        with self.seeding(self.torrent, self.source) as address:
            fetcher = self.ends_with(5, "fetch", self.torrent, self.dir / "target.img", "--peer", address, "--json", "--no-lsd",
                                     "--no-tracker", "--listen", "127.0.0.1", wrapper=["prlimit", f"--fsize={SIZE // 4}"])
        self.assert_valid(fetcher, "error")
        self.assertIn("errno", fetcher.events[-1])

    def test_progress_comes_as_often_as_it_is_asked_for(self):
        options = ["--json", "--no-lsd", "--no-tracker", "--listen", "127.0.0.1", "--timeout", "2s"]
        often = self.start("fetch", self.torrent, self.dir / "a.img", *options, "--interval", "250ms")
        seldom = self.start("fetch", self.torrent, self.dir / "b.img", *options, "--interval", "1h")
        for fetcher in often, seldom:
            self.assertEqual(fetcher.wait(), 7, fetcher)
        self.assertGreater(len(often.events_named("progress")), 3, often)
        self.assertEqual(len(seldom.events_named("progress")), 1, seldom)


if __name__ == "__main__":
    main()
