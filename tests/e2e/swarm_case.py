"""What the tests stand on in which several fetch at once."""

from harness import EndToEndTest
from images import differing_extents


class SwarmTest(EndToEndTest):
    def assert_fetched(self, fetcher, target):
        self.assert_complete(fetcher)
        self.assertEqual(differing_extents(self.source, target, self.image.extents), [])

    def start_fetchers(self, count, *peers):
        """Fetchers that know `peers` and those started before them. Returns them, their targets and their addresses."""
        fetchers, targets, addresses = [], [], list(peers)
        for number in range(count):
            targets.append(self.dir / f"target{number}.img")
            known = [word for address in addresses for word in ("--peer", address)]
            fetcher, address = self.start_listening("fetch", self.torrent, targets[-1], *known)
            fetchers.append(fetcher)
            addresses.append(address)
        return fetchers, targets, addresses[len(peers):]
