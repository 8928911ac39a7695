// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/torrent_encoder.hpp"

#include "catch.hpp"

namespace ezio {

using test::contains;

namespace {

// One piece: the simplest torrent there is.
TorrentContents plain()
{
    Sha1Digest hash;
    hash.fill('#');
    return {"sda1", 16 << 20, {{0x100000, 4096}}, {hash}, {}, {}};
}

const std::string creator =
    "10:created by" + std::to_string(sizeof("ezio-cli " EZIO_VERSION) - 1) + ":ezio-cli " EZIO_VERSION;
const std::string plain_info = "4:infod5:filesld6:lengthi4096e4:pathl32:00000000000000000000000000100000eee"
                               "4:name4:sda112:piece lengthi16777216e6:pieces20:####################e";

} // namespace

TEST_CASE("torrent: an extent is named by its offset in 32 hex digits")
{
    CHECK(extent_name(0) == "00000000000000000000000000000000");
    CHECK(extent_name(0x1abc00) == "000000000000000000000000001abc00");
    CHECK(extent_name(~0ULL) == "0000000000000000ffffffffffffffff");
    CHECK(parse_extent_name(extent_name(123456789)) == 123456789);
}

TEST_CASE("torrent: one extent is written as a list of one file, so that it keeps its name")
{
    CHECK(encode_torrent(plain()) == "d" + creator + plain_info + "e");
}

TEST_CASE("torrent: extents and hashes stay in order, and no byte of a hash is special")
{
    TorrentContents contents = plain();
    contents.extents = {{1 << 20, 10}, {0, 16 << 20}};
    contents.hashes.resize(2);
    contents.hashes[1].fill(0); // NUL
    CHECK(encode_torrent(contents) ==
          "d" + creator +
              "4:infod5:filesl"
              "d6:lengthi10e4:pathl32:00000000000000000000000000100000ee"
              "d6:lengthi16777216e4:pathl32:00000000000000000000000000000000ee"
              "e4:name4:sda112:piece lengthi16777216e6:pieces40:####################" +
              std::string(20, '\0') + "ee");
}

TEST_CASE("torrent: what the image was made of is noted beside info, without what is not known")
{
    TorrentContents contents = plain();
    contents.source = DiskIdentity{"ext4", "0a-1b", "", ""};
    CHECK(encode_torrent(contents) ==
          "d" + creator + "15:ezio-cli sourced4:type4:ext44:uuid5:0a-1be" + plain_info + "e");
    contents.volumes = {{"vg0/root", "ext4", 20, 10, 5}};
    CHECK(encode_torrent(contents) ==
          "d" + creator +
              "15:ezio-cli sourced4:type4:ext44:uuid5:0a-1b7:volumes"
              "ld8:in imagei10e4:name8:vg0/root6:offseti5e4:sizei20e4:type4:ext4eee" +
              plain_info + "e");
    contents.volumes.clear();
    contents.source = DiskIdentity{"", "", "gpt", "2c-3d"};
    CHECK(encode_torrent(contents) ==
          "d" + creator + "15:ezio-cli sourced5:table3:gpt10:table uuid5:2c-3de" + plain_info + "e");
    contents.source = DiskIdentity{};
    CHECK(encode_torrent(contents) == "d" + creator + plain_info + "e");
}

TEST_CASE("torrent: one tracker is announced without a list")
{
    TorrentContents contents = plain();
    contents.trackers = {"http://a/announce"};
    CHECK(encode_torrent(contents) == "d8:announce17:http://a/announce" + creator + plain_info + "e");
}

TEST_CASE("torrent: several trackers are each a tier, the first one first, the comment after them")
{
    TorrentContents contents = plain();
    contents.trackers = {"http://a/announce", "udp://b:1/"};
    contents.comment = "Lab 3, für alle"; // lengths are in bytes
    CHECK(encode_torrent(contents) == "d8:announce17:http://a/announce"
                                      "13:announce-listll17:http://a/announceel10:udp://b:1/ee"
                                      "7:comment16:Lab 3, für alle" +
                                          creator + plain_info + "e");
}

TEST_CASE("torrent: the same contents give the same bytes, however often and when")
{
    CHECK(encode_torrent(plain()) == encode_torrent(plain()));
    CHECK_THAT(encode_torrent(plain()), !contains("creation date"));
}

TEST_CASE("torrent: extents of a directory keep the names that their files have there")
{
    TorrentContents contents = plain();
    contents.names = {"00000000000ABCDE"};
    CHECK_THAT(encode_torrent(contents), contains("4:pathl16:00000000000ABCDEee"));
}

TEST_CASE("torrent: the time of creation is there when it is asked for, outside of what is hashed")
{
    TorrentContents contents = plain();
    contents.creation_date = 1'700'000'000;
    CHECK(encode_torrent(contents) == "d" + creator + "13:creation datei1700000000e" + plain_info + "e");
}

TEST_CASE("torrent: the sectors that a partition table counts in are a part of what is hashed")
{
    TorrentContents contents = plain();
    contents.sector_bytes = 512;
    contents.ssl_ca = "PEM"; // the keys are sorted
    const std::string info =
        plain_info.substr(0, plain_info.size() - 1) + "11:sector sizei512e8:ssl-cert3:PEMe";
    CHECK(encode_torrent(contents) == "d" + creator + info + "e");
}

TEST_CASE("torrent: the CA's certificate is a part of what is hashed")
{
    TorrentContents contents = plain();
    contents.ssl_ca = "PEM";
    const std::string info = plain_info.substr(0, plain_info.size() - 1) + "8:ssl-cert3:PEMe";
    CHECK(encode_torrent(contents) == "d" + creator + info + "e");
}

} // namespace ezio
