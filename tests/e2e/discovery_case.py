"""What the tests stand on in which peers find each other without being told."""

from image_case import ImageCase


class DiscoveryTest(ImageCase):
    def seed(self, host, *options):
        seeder = self.start("seed", self.torrent, self.source, "--json", *options, wrapper=host.wrapper)
        seeder.wait_for_event("start")
        return seeder

    def fetch(self, host, number, *options):
        return self.start("fetch", self.torrent, self.dir / f"target{number}.img", "--json", "--timeout", "60s", *options,
                          wrapper=host.wrapper)

    def assert_fetched(self, fetcher, number):
        self.assert_complete(fetcher)
        self.assert_has_the_image(self.dir / f"target{number}.img")
