"""What the tests of fetch --resume stand on."""

from image_case import ImageCase


class ResumeTest(ImageCase):
    def summary(self, fetcher):
        (summary,) = fetcher.events_named("summary")
        return summary

    def resume(self, target, *options):
        """Fetches with --resume to a correct target; returns the summary."""
        with self.seeding(self.torrent, self.source) as peer:
            fetcher = self.fetch(self.torrent, target, "--resume", "--peer", peer, *options)
        self.assert_has_the_image(target)
        self.ends_with(0, "verify", self.torrent, target)
        return self.summary(fetcher)

    def device_offset(self, payload_offset):
        for extent in self.image.extents:
            if payload_offset < extent.length:
                return extent.offset + payload_offset
            payload_offset -= extent.length
        raise AssertionError("beyond the payload")
