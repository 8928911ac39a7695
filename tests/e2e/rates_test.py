#!/usr/bin/python3
"""--max-upload and --max-download: kept from the first second on, and used fully."""

from harness import main
from image_case import ImageCase

RATE = 2 << 20
SECONDS = 2


class Rates(ImageCase):
    payload = SECONDS * RATE

    def seconds_with(self, seed_options, fetch_options):
        """From the connection, of which progress tells every quarter of a second, to the end."""
        target = self.dir / "target.img"
        target.unlink(missing_ok=True)
        with self.seeding(self.torrent, self.source, "--no-compression", *seed_options) as peer:
            fetcher = self.fetch(self.torrent, target, "--peer", peer, "--interval", "100ms", *fetch_options)
        connected = next(event["seconds"] for event in fetcher.events_named("progress") if event["peers"])
        return fetcher.events_named("complete")[0]["seconds"] - connected

    def check(self, seed_options=(), fetch_options=()):
        """Never faster; and not much slower, unless the machine is too busy for that three times."""
        for _ in range(3):
            seconds = self.seconds_with(seed_options, fetch_options)
            self.assertGreater(seconds, 0.95 * SECONDS - 0.3)
            if seconds < 1.05 * SECONDS + 0.4:
                return
        self.fail(f"{seconds:.1f} s instead of {SECONDS}")

    def test_download(self):
        self.check(fetch_options=["--max-download", "2M"])

    def test_upload(self):
        self.check(seed_options=["--max-upload", "2M"])


if __name__ == "__main__":
    main()
