// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/torrent_file.hpp"

#include "expect_error.hpp"
#include "faults.hpp"
#include "temp_dir.hpp"

#include "ezio/torrent/torrent_encoder.hpp"
#include "ezio/util/printable.hpp"
#include "ezio/util/read_file.hpp"
#include "ezio/util/units.hpp"

#include <libtorrent/torrent_info.hpp>

namespace ezio {

using test::contains;
using test::refusal_of;
using test::TempDir;

namespace {

constexpr std::uint64_t offset = 0x100000;
const std::string digits = extent_name(offset);

std::string bencoded(const std::string& text)
{
    return fmt::format("{}:{}", text.size(), text);
}

Sha1Digest digest_of(char fill)
{
    Sha1Digest digest;
    digest.fill(static_cast<std::uint8_t>(fill));
    return digest;
}

TorrentContents plain()
{
    return {"sda1", 64_KiB, {{offset, 4096}}, {digest_of('#')}, {}, {}};
}

TorrentContents with_extents(std::vector<Extent> extents)
{
    TorrentContents contents = plain();
    contents.extents = std::move(extents);
    return contents;
}

// For what encode_torrent() cannot write.
std::string replaced(std::string text, const std::string& old, const std::string& by)
{
    const std::size_t at = text.find(old);
    REQUIRE(at != std::string::npos);
    return text.replace(at, old.size(), by);
}

std::string with_file_path(const std::string& bencoded_path)
{
    return replaced(encode_torrent(plain()), bencoded(digits), bencoded_path);
}

// As commands do it.
LoadedTorrent load_torrent(const std::string& path)
{
    return parse_torrent(read_file(path, largest_torrent), path);
}

LoadedTorrent load(const std::string& bytes)
{
    const TempDir dir;
    test::write_file(dir / "t.torrent", bytes);
    return load_torrent(dir / "t.torrent");
}

// What is said about a torrent of these bytes, without its path.
std::string refusal_to_load(const std::string& bytes)
{
    const TempDir dir;
    test::write_file(dir / "t.torrent", bytes);
    const auto refusal = refusal_of([&] { (void)load_torrent(dir / "t.torrent"); });
    CHECK(refusal.status == ExitStatus::torrent);
    return replaced(refusal.message, (dir / "t.torrent") + " ", "");
}

std::string refusal_to_load(const TorrentContents& contents)
{
    return refusal_to_load(encode_torrent(contents));
}

} // namespace

TEST_CASE("torrent file: everything that is known of the image is there")
{
    TorrentContents contents = with_extents({{offset, 60000}, {0, 10000}, {4 * offset, 0}});
    contents.hashes = {digest_of('a'), digest_of('b')};
    const LoadedTorrent loaded = load(encode_torrent(contents));
    const Image& image = loaded.image;
    CHECK(image.name == "sda1");
    CHECK(image.piece_length == 64_KiB);
    CHECK(image.extents == contents.extents);
    CHECK(image.extent_names == std::vector{extent_name(offset), extent_name(0), extent_name(4 * offset)});
    CHECK(image.hashes == contents.hashes);
    CHECK(image.map.payload_size() == 70000);
    CHECK(image.map.device_end() == offset + 60000);
    CHECK(loaded.params.ti->total_size() == 70000);
    CHECK(loaded.path.ends_with("/t.torrent"));
}

TEST_CASE("torrent file: the info-hash is the SHA-1 of the info dictionary")
{
    const std::string bytes = encode_torrent(plain());
    const std::string info = bytes.substr(bytes.find("4:info") + 6, bytes.size() - bytes.find("4:info") - 7);
    Sha1 sha1;
    sha1.update(std::as_bytes(std::span(info)));
    CHECK(load(bytes).info_hash == to_hex(sha1.finish()));
}

TEST_CASE("torrent file: trackers, comment and creator are there when the torrent has them")
{
    TorrentContents contents = plain();
    CHECK(load(encode_torrent(contents)).trackers.empty());
    CHECK(load(encode_torrent(contents)).comment.empty());

    contents.trackers = {"http://a/announce", "udp://b:1/"};
    contents.comment = "Lab 3, für alle";
    const LoadedTorrent loaded = load(encode_torrent(contents));
    CHECK(loaded.trackers == contents.trackers);
    CHECK(loaded.comment == contents.comment);
    CHECK(loaded.creator == "ezio-cli " EZIO_VERSION);
}

TEST_CASE("torrent file: the sectors of a whole disk are known when they are said, and can be some")
{
    TorrentContents contents = plain();
    CHECK(load(encode_torrent(contents)).image.sector_bytes == 0);
    contents.sector_bytes = 4096;
    const std::string torrent = encode_torrent(contents);
    CHECK(load(torrent).image.sector_bytes == 4096);
    for (const char* other : {"i0e", "i-1e", "i513e", "i256e", "i131072e", "4:4096"}) {
        CHECK(load(replaced(torrent, "i4096ee", std::string(other) + "e")).image.sector_bytes == 0);
    }
}

TEST_CASE("torrent file: names of 16 and of 32 digits in either case are offsets")
{
    for (const std::string name :
         {"0000000000100000", "00000000000ABCDE", "0000000000000000000000000000abcD"}) {
        CAPTURE(name);
        const Image image = load(with_file_path(bencoded(name))).image;
        CHECK(image.extents[0].offset == std::stoull(name, nullptr, 16));
        CHECK(image.extent_names[0] == name); // as it is, since a directory has files of these names
    }
}

TEST_CASE("torrent file: a torrent of a single file that is named by an offset is an image")
{
    const std::string info = "6:lengthi4096e4:name" + bencoded(digits) +
                             "12:piece lengthi65536e6:pieces20:" + std::string(20, '#');
    const Image image = load("d4:infod" + info + "ee").image;
    CHECK(image.extents == std::vector<Extent>{{offset, 4096}});
    CHECK(image.name == digits);
    CHECK(refusal_to_load("d4:infod" + replaced(info, bencoded(digits), "8:sda1.img") + "ee") ==
          "is not a disk image: its file 'sda1.img' is not named by an offset of 16 or 32 hex digits");
}

TEST_CASE("torrent file: a torrent of 100,000 extents is loaded")
{
    TorrentContents contents = with_extents({});
    for (std::uint64_t i = 0; i < 100'000; ++i) {
        contents.extents.push_back({i * 16_KiB, 8_KiB});
    }
    contents.piece_length = 16_MiB;
    contents.hashes.resize((100'000 * 8_KiB + 16_MiB - 1) / 16_MiB);
    const Image image = load(encode_torrent(contents)).image;
    CHECK(image.extents == contents.extents);
    CHECK(image.map.used().size() == 100'000);
}

TEST_CASE("torrent file: a file that cannot be read is refused with the reason")
{
    const TempDir dir;
    test::write_file(dir / "secret", encode_torrent(plain()));
    std::filesystem::permissions(dir / "secret", std::filesystem::perms::none);
    test::make_sparse_file(dir / "large", 256_MiB + 1);
    const auto reason = [&](const std::string& path) {
        const test::Unprivileged nobody;
        const auto refusal = refusal_of([&] { (void)load_torrent(path); });
        CHECK(refusal.status == ExitStatus::torrent);
        return replaced(refusal.message, path + " cannot be read: ", "");
    };
    CHECK(reason(dir / "missing") == "No such file or directory");
    CHECK(reason(dir.path()) == "Is a directory");
    CHECK(reason(dir / "secret") == "Permission denied");
    CHECK(reason(dir / "large") == "it is larger than the limit of 256.0 MiB");
}

TEST_CASE("torrent file: what is no torrent is refused as such")
{
    const std::string bytes = encode_torrent(plain());
    for (const std::string& other :
         {std::string(), std::string("hello"), std::string("de"), std::string("le"), std::string(4096, '\0'),
          bytes.substr(0, bytes.size() - 30), replaced(bytes, "4:info", "4:inFo")}) {
        CAPTURE(other);
        CHECK(refusal_to_load(other).starts_with("is not a torrent: "));
    }
}

TEST_CASE("torrent file: what is often found in place of a torrent is called what it is")
{
    CHECK(refusal_to_load("") == "is not a torrent: it is empty");
    for (const std::string page : {"<!DOCTYPE html><p>", "\n <HTML lang=en>", "\xef\xbb\xbf<html>"}) {
        CHECK(refusal_to_load(page) == "is not a torrent: it is a web page (HTML)");
    }
    CHECK(refusal_to_load("<?xml version=\"1.0\"?>") == "is not a torrent: it is XML");
    CHECK(refusal_to_load("\x1f\x8b\x08") == "is not a torrent: it is compressed (gzip)");
    CHECK(refusal_to_load("\x28\xb5\x2f\xfd") == "is not a torrent: it is compressed (zstd)");
    CHECK(refusal_to_load("magnet:?xt=urn:btih:") ==
          "is not a torrent: it is a magnet link; give that itself");
    CHECK(refusal_to_load("block_size: 4096\n") ==
          "is not a torrent: it is the output of partclone -t; create makes a torrent of it");
}

TEST_CASE("torrent file: a file whose name is no offset is refused")
{
    for (const std::string name :
         {"README.txt", "sda1.img", "0", "0x10", "-1", "000000000000001", "00000000000000010",
          "000000000000000000000000000000010", "0000000000000000000000000000000",
          "-0000000000000000000000000000001", "+0000000000000000000000000000001",
          "0x000000000000000000000000000010", "0000000000000000000000000000zz",
          "00000000000000000000000000000010 ", "0000000000000000000000000000010.", " 000000000000001",
          "00000000000000010000000000000000", "ffffffffffffffffffffffffffffffff"}) {
        CAPTURE(name);
        CHECK(refusal_to_load(with_file_path(bencoded(name))) ==
              "is not a disk image: its file '" + name +
                  "' is not named by an offset of 16 or 32 hex digits");
    }
}

TEST_CASE("torrent file: a path in which there is more than an offset is refused, also where libtorrent "
          "drops the rest")
{
    const std::string mark = "\u202e"; // "what follows is written from right to left"
    for (const std::string& path :
         {"1:a" + bencoded(digits), "2:.." + bencoded(digits), "0:" + bencoded(digits),
          bencoded(digits + "/"), bencoded("/" + digits), bencoded(digits + mark), bencoded(mark + digits)}) {
        CAPTURE(path);
        CHECK(refusal_to_load(with_file_path(path)) ==
              "is not a disk image: the path of its file '" + digits + "' contains more than the offset");
    }
}

TEST_CASE("torrent file: a name that is a way out of a directory is refused")
{
    TorrentContents contents = plain();
    for (const std::string& name :
         {std::string(), std::string("."), std::string(".."), std::string("../sda1"), std::string("/etc"),
          std::string("a/b"), std::string("a\0b", 3)}) {
        CAPTURE(name);
        contents.name = name;
        CHECK(refusal_to_load(contents) ==
              "is not a disk image: its name '" + printable(name) + "' is not a valid directory name");
    }
}

TEST_CASE("torrent file: overlapping extents are refused, in whatever order, and named")
{
    CHECK(refusal_to_load(with_extents({{5000, 100}, {0, 5001}})) ==
          "is not a disk image: extents overlap: 0x0 + 5001 bytes and 0x1388 + 100 bytes");
    CHECK(refusal_to_load(with_extents({{offset, 10}, {offset, 10}})) ==
          "is not a disk image: extents overlap: 0x100000 + 10 bytes and 0x100000 + 10 bytes");
}

TEST_CASE("torrent file: more trackers than are of any use are refused")
{
    TorrentContents contents = plain();
    contents.trackers.assign(1000, "http://a/announce");
    CHECK(load(encode_torrent(contents)).image.piece_count() > 0);
    contents.trackers.emplace_back("http://b/announce");
    CHECK(refusal_to_load(contents) == "names 1001 trackers; at most 1000 are allowed");
}

TEST_CASE("torrent file: many files of one name are refused")
{
    std::vector<Extent> extents(102, Extent{offset, 0});
    extents.push_back({offset, 10});
    CHECK_THAT(refusal_to_load(with_extents(extents)),
               contains("is not a disk image: 102 of its files have the name of another one, such as '"));
}

TEST_CASE("torrent file: an extent may end at 2^63 - 1, and not beyond")
{
    constexpr std::uint64_t end = (1ULL << 63) - 1;
    CHECK(load(encode_torrent(with_extents({{end - 10, 10}}))).image.map.device_end() == end);
    CHECK(
        refusal_to_load(with_extents({{end - 9, 10}})) ==
        "is not a disk image: extent 0x7ffffffffffffff6 + 10 bytes ends beyond the largest possible device");
    CHECK(
        refusal_to_load(with_extents({{~0ULL, 10}})) ==
        "is not a disk image: extent 0xffffffffffffffff + 10 bytes ends beyond the largest possible device");
}

TEST_CASE("torrent file: an image of no bytes is refused")
{
    TorrentContents contents = with_extents({{offset, 0}});
    contents.hashes.clear();
    CHECK_THAT(refusal_to_load(contents), contains("is not a torrent: invalid length"));
    contents.extents.clear();
    CHECK_THAT(refusal_to_load(contents), contains("is not a torrent: "));
}

TEST_CASE("torrent file: a piece length that is no power of two, or under 16 KiB, is refused")
{
    TorrentContents contents = plain();
    contents.piece_length = 16_KiB;
    CHECK(load(encode_torrent(contents)).image.piece_length == 16_KiB);
    for (const std::uint64_t length : {8_KiB, 48_KiB, 64_KiB + 1, 64_KiB - 1}) {
        contents.piece_length = length;
        CHECK(
            refusal_to_load(contents) ==
            fmt::format(
                "is not a disk image: its piece length of {} bytes is not a power of two of at least 16 KiB",
                length));
    }
    for (const std::string length : {"0", "-65536", "9223372036854775807", "1099511627776"}) {
        CAPTURE(length);
        CHECK_THAT(refusal_to_load(replaced(encode_torrent(plain()), "i65536e", "i" + length + "e")),
                   contains("is not a torrent: invalid or missing 'piece length'"));
    }
}

TEST_CASE("torrent file: as many hashes as pieces are needed, not one more or less")
{
    TorrentContents contents = plain();
    for (const std::size_t count : {0U, 2U}) {
        contents.hashes.resize(count);
        CHECK_THAT(refusal_to_load(contents), contains("is not a torrent: incorrect number of piece hashes"));
    }
    const std::string bytes = encode_torrent(plain());
    CHECK_THAT(refusal_to_load(replaced(bytes, "6:pieces20:#", "6:pieces19:")),
               contains("is not a torrent: "));
}

namespace {

// One extent, and then a file of padding with that path.
std::string padded(std::uint64_t extent, std::uint64_t padding, const std::string& pad_path,
                   const std::string& hashes)
{
    return "d4:infod5:filesld6:lengthi" + std::to_string(extent) + "e4:pathl" + bencoded(digits) +
           "eed4:attr1:p6:lengthi" + std::to_string(padding) + "e4:pathl" + pad_path +
           "eee4:name4:sda112:piece lengthi65536e6:pieces" + bencoded(hashes) + "ee";
}

} // namespace

TEST_CASE("torrent file: padding is part of the payload, and of no extent, whatever it is called")
{
    for (const std::string path :
         {"4:.pad5:61440", "18:_____padding_file_", "32:00000000000000000000000000010000"}) {
        CAPTURE(path);
        const LoadedTorrent loaded = load(padded(4096, 61440, path, std::string(20, '#')));
        CHECK(loaded.image.extents == std::vector{Extent{offset, 4096}});
        CHECK(loaded.image.padding == std::vector{Extent{4096, 61440}});
        CHECK(loaded.image.map.payload_size() == 65536);
        CHECK(loaded.image.map.data_bytes() == 4096);
        CHECK(loaded.image.map.device_end() == offset + 4096);
    }
}

TEST_CASE("torrent file: padding that libtorrent would not fetch the data after is refused")
{
    std::string bytes = padded(4096, 32768, "4:.pad5:32768", std::string(20, '#'));
    CHECK(load(bytes).image.padding.size() == 1);
    bytes = replaced(bytes, "eee4:name", "eed6:lengthi4096e4:pathl16:0000000000000000eee4:name");
    CHECK(refusal_to_load(bytes) == "is not a disk image: its piece 0 has padding before data");
    CHECK(load(replaced(bytes, "i32768e", "i12288e")).image.padding ==
          std::vector{Extent{4096, 12288}}); // less than a block
}

TEST_CASE("torrent file: a piece of padding has to be of zeros")
{
    const std::vector<std::byte> zeros(65536);
    Sha1 sha1;
    sha1.update(zeros);
    const Sha1Digest digest = sha1.finish();
    const std::string right = std::string(20, '#') + std::string(digest.begin(), digest.end());
    CHECK(load(padded(65536, 65536, "4:.pad5:65536", right)).image.piece_count() == 2);
    CHECK(refusal_to_load(padded(65536, 65536, "4:.pad5:65536", std::string(40, '#'))) ==
          "is not a disk image: its piece 1 is padding, but not all zeros");
}

TEST_CASE("torrent file: padding alone is no image")
{
    CHECK(refusal_to_load(padded(0, 65536, "4:.pad5:65536", std::string(20, '#'))) ==
          "is not a disk image: it has no data");
}

TEST_CASE("torrent file: BitTorrent v2 alone is refused, and of a hybrid torrent both hashes are known")
{
    const auto tree_of = [](const std::string& length) {
        return "9:file treed" + bencoded(digits) + "d0:d6:length" + length +
               "11:pieces root32:" + std::string(32, '#') + "eee";
    };
    const std::string files = "5:filesld6:lengthi4096e4:pathl" + bencoded(digits) + "eee";
    const std::string rest = "12:meta versioni2e4:name4:sda112:piece lengthi65536e";
    const std::string v1_pieces = "6:pieces20:" + std::string(20, '#');
    const auto torrent = [](const std::string& info) { return "d4:infod" + info + "e12:piece layersdee"; };
    CHECK(refusal_to_load(torrent(tree_of("i4096e") + rest)) ==
          "is not a disk image: it is a BitTorrent v2 torrent; this program needs a v1 or hybrid one");
    const Image image = load(torrent(tree_of("i4096e") + files + rest + v1_pieces)).image;
    REQUIRE(image.v2_pieces.size() == 1);
    CHECK(image.v2_pieces[0].root.value().front() == '#');
    CHECK(image.v2_pieces[0].data_bytes == 4096);
    CHECK(image.v2_pieces[0].leaves == 1);
    CHECK_THAT(refusal_to_load(torrent(tree_of("i4097e") + files + rest + v1_pieces)),
               contains("is not a torrent: "));
}

TEST_CASE("torrent file: what the image was made of is read back, and has no part in the info-hash")
{
    TorrentContents contents = plain();
    const LoadedTorrent without = parse_torrent(encode_torrent(contents), "a.torrent");
    CHECK_FALSE(without.source);
    contents.source = DiskIdentity{"ext4", "0a-1b", "gpt", "2c-3d"};
    contents.volumes = {{"vg0/root", "ext4", 20, 10, 5}, {"vg0/pool_tdata", "", 30, 30}};
    contents.trackers = {"http://a/announce", "udp://b:1/"};
    contents.comment = "a comment";
    contents.creation_date = 1;
    const LoadedTorrent with = parse_torrent(encode_torrent(contents), "a.torrent");
    CHECK(with.source == contents.source);
    CHECK(with.volumes == contents.volumes);
    CHECK(with.info_hash == without.info_hash);
}

TEST_CASE("torrent file: a note of the source that is none is passed over")
{
    TorrentContents contents = plain();
    contents.source = DiskIdentity{"ext4", "", "", ""};
    const std::string torrent = encode_torrent(contents);
    const std::string note = "15:ezio-cli sourced4:type4:ext4e";
    for (const char* const other : {"15:ezio-cli sourcei1e", "15:ezio-cli sourceli1ee"}) {
        CHECK_FALSE(parse_torrent(replaced(torrent, note, other), "a.torrent").source);
    }
    for (const std::string& other : {std::string("15:ezio-cli sourced4:typei1ee"),
                                     "15:ezio-cli sourced4:type" + bencoded(std::string(129, 'x')) + "e",
                                     std::string("15:ezio-cli sourcede")}) {
        const auto source = parse_torrent(replaced(torrent, note, other), "a.torrent").source;
        REQUIRE(source);
        CHECK(source->empty());
    }
}

TEST_CASE("torrent file: logical volumes that are none are passed over")
{
    TorrentContents contents = plain();
    contents.source = DiskIdentity{"ext4", "", "", ""};
    contents.volumes = {{"vg0/root", "ext4", 20, 10}};
    const std::string torrent = encode_torrent(contents);
    const std::string list = "7:volumesld8:in imagei10e4:name8:vg0/root4:sizei20e4:type4:ext4eee";
    for (const std::string& other : {std::string("7:volumesi1ee"), std::string("7:volumesli1e1:xleee"),
                                     std::string("7:volumeslee"), std::string("7:volumesld4:sizei1eeee"),
                                     "7:volumesld4:name" + bencoded(std::string(257, 'x')) + "eee"}) {
        CHECK(parse_torrent(replaced(torrent, list, other), "a.torrent").volumes.empty());
    }
}

} // namespace ezio
