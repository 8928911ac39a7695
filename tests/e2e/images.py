"""Disk images and their torrents, made without ezio-cli: by partclone, by hand, or by python3-libtorrent."""

import dataclasses
import functools
import hashlib
import os
import pathlib
import random

from harness import COMPRESSION, run

PARTCLONE_PIECE = 16 << 20  # what one sha1 of a torrent.info covers
STEP = 1 << 20


@dataclasses.dataclass(frozen=True)
class Extent:
    offset: int
    length: int

    @property
    def end(self):
        return self.offset + self.length

    @property
    def name(self):
        return f"{self.offset:032x}"


def capture(partclone, device, directory):
    """Lets partclone describe the used blocks of `device` in `directory`, which it makes, and returns the torrent.info."""
    if os.path.exists(directory):
        raise FileExistsError(f"partclone -O would delete {directory}")
    output = run(*partclone, "--logfile", f"{directory}.log", "--source", device, "--overwrite", directory)
    info = pathlib.Path(directory) / "torrent.info"
    if not info.is_file() or info.stat().st_size == 0:
        raise AssertionError(f"{partclone} wrote no torrent.info:\n{output}")
    return info


def read_torrent_info(path):
    """Returns the extents and the SHA-1s (as hex) of a torrent.info, in its order."""
    extents, hashes, offset = [], [], None
    for line in pathlib.Path(path).read_text().splitlines():
        key, value = line.split(": ")
        if key == "offset":
            offset = int(value, 16)
        elif key == "length":
            extents.append(Extent(offset, int(value, 16)))
        elif key == "sha1":
            hashes.append(value)
    return extents, hashes


def write_torrent_info(path, extents, hashes):
    """Writes a torrent.info as partclone does: each sha1 after the extents that it covers."""
    lines = ["block_size: 4096", "blocks_total: 1048576"]
    for extent in extents:
        lines += [f"offset: {extent.offset:032x}", f"length: {extent.length:032x}"]
    lines += [f"sha1: {sha1}" for sha1 in hashes]
    path.write_text("\n".join(lines) + "\n")
    return path


@functools.lru_cache(maxsize=1)  # the cases of a class mostly use the same image
def random_bytes(seed, count):
    if COMPRESSION != "forced":
        return random.Random(seed).randbytes(count)
    step = 2048  # each twice: the halves shrink, and no two of them are alike
    random_half = random.Random(seed).randbytes(count // 2 + step)
    return b"".join(2 * random_half[start:start + step] for start in range(0, len(random_half), step))[:count]


class Image:
    """A made-up image: random bytes in extents, listed in payload order."""

    def __init__(self, extents, seed=1):
        self.extents = extents
        self.payload = random_bytes(seed, sum(extent.length for extent in extents))

    @property
    def end(self):
        return max(extent.end for extent in self.extents)

    def extents_with_data(self):
        """Yields every extent with its bytes."""
        start = 0
        for extent in self.extents:
            yield extent, self.payload[start:start + extent.length]
            start += extent.length

    def write_to(self, path):
        with open(path, "r+b" if os.path.exists(path) else "wb") as file:
            for extent, data in self.extents_with_data():
                file.seek(extent.offset)
                file.write(data)
        return path

    def hashes(self, piece_length):
        return [hashlib.sha1(self.payload[start:start + piece_length]) for start in range(0, len(self.payload), piece_length)]

    def write_torrent(self, path, piece_length=65536, name="sda1", **extras):
        """Makes the torrent by hand. `extras` as for torrent_of."""
        files = [(extent.name, extent.length) for extent in self.extents]
        pieces = b"".join(sha1.digest() for sha1 in self.hashes(piece_length))
        path.write_bytes(torrent_of(files, piece_length, pieces, name, **extras))
        return path


def odd_image(payload_bytes=(24 << 20) + 12_345):
    """Extents in random order, of lengths and at offsets of no alignment at all, some of them adjacent."""
    rng = random.Random(7)
    extents, offset = [], 0
    while payload_bytes > 0:
        length = min(payload_bytes, rng.choice([1, 511, 4097, 65535, 65536, 300_001, 1_500_007]))
        extents.append(Extent(offset, length))
        offset += length + rng.choice([0, 0, 1, 12_345, 100_003])
        payload_bytes -= length
    rng.shuffle(extents)
    return Image(extents)


def bencode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    return b"d" + b"".join(bencode(key) + bencode(value[key]) for key in sorted(value)) + b"e"


def bdecode(data, at=0):
    """Returns the value at `at` (text as bytes, keys of dictionaries as str) and where it ends."""
    kind = data[at:at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if kind in (b"l", b"d"):
        items, at = [], at + 1
        while data[at:at + 1] != b"e":
            item, at = bdecode(data, at)
            items.append(item)
        if kind == b"l":
            return items, at + 1
        return dict(zip((key.decode() for key in items[::2]), items[1::2])), at + 1
    colon = data.index(b":", at)
    start = colon + 1
    end = start + int(data[at:colon])
    return data[start:end], end


def read_torrent(path):
    """Returns the info dictionary of a torrent and its extents."""
    info = bdecode(pathlib.Path(path).read_bytes())[0]["info"]
    return info, [Extent(int(file["path"][0], 16), file["length"]) for file in info["files"]]


def merged(extents):
    """The extents with those that touch made one, in their order."""
    result = []
    for extent in extents:
        if result and result[-1].end == extent.offset:
            result[-1] = Extent(result[-1].offset, result[-1].length + extent.length)
        else:
            result.append(extent)
    return result


def torrent_of(files, piece_length=65536, pieces=None, name="sda1", tracker=None, ca=None, **keys):
    """The bytes of a torrent with these (name, length) files; without `pieces`, of data that nobody has. `ca` is PEM.

    `keys` are added outside of info: url-list, for example.
    """
    count = -(-sum(length for _, length in files) // piece_length)
    info = {
        "files": [{"length": length, "path": [path]} for path, length in files],
        "name": name,
        "piece length": piece_length,
        "pieces": pieces if pieces is not None else bytes(20 * count),
    }
    return bencode(keys | ({"announce": tracker} if tracker else {}) | {"info": info | ({"ssl-cert": ca} if ca else {})})


def info_of(torrent):
    """The info dictionary's bytes of a torrent that was made by torrent_of: info is its last key, or url-list is."""
    data = torrent.read_bytes()
    end = data.find(b"8:url-list") if b"8:url-list" in data else len(data) - 1
    return data[data.index(b"4:info") + len(b"4:info"):end]


def torrent_of_one_file(name, length, piece_length=65536):
    count = -(-length // piece_length)
    return bencode({"info": {"length": length, "name": name, "piece length": piece_length, "pieces": bytes(20 * count)}})


def write_torrent_with_libtorrent(path, extents, hashes, piece_length, name="sda1"):
    """Makes the torrent as Clonezilla's converter does. `hashes` are SHA-1 digests."""
    import libtorrent

    storage = libtorrent.file_storage()
    storage.set_piece_length(piece_length)
    for extent in extents:
        storage.add_file(f"{name}/{extent.name}", extent.length)
    maker = libtorrent.create_torrent(storage, piece_length, flags=libtorrent.create_torrent.v1_only)
    for index, digest in enumerate(hashes):
        maker.set_hash(index, digest)
    path.write_bytes(libtorrent.bencode(maker.generate()))
    return path


def write_padded_torrent(path, image, piece_length, pad_path=lambda length: [".pad", str(length)], tracker=None):
    """Makes a torrent in which each extent begins with a piece (BEP 47), and returns its path and payload."""
    files, payload = [], b""
    for extent, data in image.extents_with_data():
        files.append({"length": extent.length, "path": [extent.name]})
        payload += data
        padding = -len(payload) % piece_length
        if padding:
            files.append({"attr": "p", "length": padding, "path": pad_path(padding)})
            payload += bytes(padding)
    pieces = b"".join(hashlib.sha1(payload[at:at + piece_length]).digest() for at in range(0, len(payload), piece_length))
    info = {"files": files, "name": "sda1", "piece length": piece_length, "pieces": pieces}
    path.write_bytes(bencode({"info": info} | ({"announce": tracker} if tracker else {})))
    return path, payload


def write_hybrid_torrent(path, directory, piece_length):
    """Lets libtorrent make a torrent of v1 and v2 of the BT-image directory `directory`, as any stock client would."""
    import libtorrent

    storage = libtorrent.file_storage()
    libtorrent.add_files(storage, str(directory))
    maker = libtorrent.create_torrent(storage, piece_length)
    libtorrent.set_piece_hashes(maker, str(directory.parent))
    path.write_bytes(libtorrent.bencode(maker.generate()))
    return path


def flip_a_bit(path, position):
    with open(path, "r+b") as file:
        file.seek(position)
        (byte,) = file.read(1)
        file.seek(position)
        file.write(bytes([byte ^ 1]))


def bytes_at(path, extent):
    with open(path, "rb") as file:
        for start in range(extent.offset, extent.end, STEP):
            file.seek(start)
            yield file.read(min(STEP, extent.end - start))


def differing_extents(one, other, extents):
    return [extent for extent in extents if any(a != b for a, b in zip(bytes_at(one, extent), bytes_at(other, extent)))]


def gaps(extents, size):
    """What of 0..size is in no extent."""
    position = 0
    for extent in sorted(extents, key=lambda extent: extent.offset):
        if extent.offset > position:
            yield Extent(position, extent.offset - position)
        position = max(position, extent.end)
    if position < size:
        yield Extent(position, size - position)


def touched_gaps(path, extents, fill):
    """The gaps between the extents that are not full of the byte `fill`."""
    size = os.path.getsize(path)
    return [gap for gap in gaps(extents, size) if any(data != fill * len(data) for data in bytes_at(path, gap))]


def fill(directory, seed, count=60):
    """Files of several sizes in four directories."""
    rng = random.Random(seed)
    for number in range(count):
        path = directory / f"dir{number % 4}" / f"file-{number}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(rng.randbytes(rng.choice([1, 4096, 50_000, 200_001])))


def sha256_tree(directory):
    """What each file, directory and symbolic link below `directory` is: name to SHA-256, 'directory' or target."""
    tree = {}
    for path in sorted(pathlib.Path(directory).rglob("*")):
        name = str(path.relative_to(directory))
        if path.is_symlink():
            tree[name] = os.readlink(path)
        elif path.is_dir():
            tree[name] = "directory"
        else:
            tree[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return tree
