// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/capture/partclone_info.hpp"

#include "expect_error.hpp"

#include <chrono>

namespace ezio {

using test::contains;
using test::refusal_of;

namespace {

const std::string hash_a(40, 'a');
const std::string hash_b(40, 'b');

std::string extent(std::uint64_t offset, std::uint64_t length)
{
    return fmt::format("offset: {:032x}\nlength: {:032x}\n", offset, length);
}

std::string sha1(const std::string& digits)
{
    return "sha1: " + digits + "\n";
}

PartcloneInfo parse(const std::string& text)
{
    return parse_partclone_info(text, "torrent.info");
}

// The file is refused with exactly this sentence.
void check_refused(const std::string& text, const std::string& message)
{
    const auto refusal = refusal_of([&] { (void)parse(text); });
    CHECK(refusal.status == ExitStatus::torrent);
    CHECK(refusal.message == message);
}

} // namespace

TEST_CASE("torrent.info: what partclone 0.3.23 writes for a small ext4 is understood")
{
    const auto info = parse("block_size: 1024\n"
                            "blocks_total: 65536\n"
                            "offset: 00000000000000000000000000000000\n"
                            "length: 00000000000000000000000000100000\n"
                            "offset: 00000000000000000000000000100000\n"
                            "length: 00000000000000000000000000048400\n"
                            "offset: 00000000000000000000000003800400\n"
                            "length: 00000000000000000000000000040800\n"
                            "sha1: 6096d4c8087659428b62784fe06bab518e68ec51\n");
    CHECK(info.extents == std::vector<Extent>{{0, 1_MiB}, {1_MiB, 0x48400}, {0x3800400, 0x40800}});
    REQUIRE(info.hashes.size() == 1);
    CHECK(to_hex(info.hashes[0]) == "6096d4c8087659428b62784fe06bab518e68ec51");
}

TEST_CASE("torrent.info: it is told from an image by its first line")
{
    CHECK(looks_like_partclone_info("block_size: 1024\n"));
    CHECK(looks_like_partclone_info("\r\n\n sha1 :"));
    for (const char* other : {"", "\n", "offset", "sha256: 1", "# Mapfile", "0x0 +", "d8:announce"}) {
        CHECK_FALSE(looks_like_partclone_info(other));
    }
    CHECK_FALSE(looks_like_partclone_info(std::string(512, '\0')));
}

TEST_CASE("torrent.info: hashes stand between the extents, extents stay in order and as cut")
{
    const auto info =
        parse(extent(32_MiB, 16_MiB) + sha1(hash_a) + extent(0, 1) + extent(1, 512) + sha1(hash_b));
    CHECK(info.extents == std::vector<Extent>{{32_MiB, 16_MiB}, {0, 1}, {1, 512}});
    REQUIRE(info.hashes.size() == 2);
    CHECK(to_hex(info.hashes[0]) == hash_a);
    CHECK(to_hex(info.hashes[1]) == hash_b);
}

TEST_CASE("torrent.info: a hash may come between an offset and its length")
{
    const auto info = parse(fmt::format("offset: {:032x}\nsha1: {}\nlength: {:032x}\n", 512, hash_a, 16_MiB));
    CHECK(info.extents == std::vector<Extent>{{512, 16_MiB}});
}

TEST_CASE("torrent.info: extents of no length are dropped")
{
    const auto info = parse(extent(0, 0) + extent(0, 512) + extent(512, 0) + sha1(hash_a));
    CHECK(info.extents == std::vector<Extent>{{0, 512}});
}

TEST_CASE("torrent.info: DOS line ends, blanks, empty lines and a missing last line end do not matter")
{
    std::string text = "\r\n" + extent(0, 512) + "\n  \t\n" + sha1(hash_a) + "\n";
    for (std::size_t i = text.find("\n", 2); i != std::string::npos; i = text.find('\n', i + 4)) {
        text.replace(i, 1, " \t\r\n");
    }
    CHECK(parse(text).extents == std::vector<Extent>{{0, 512}});
    CHECK(parse(extent(0, 512) + "sha1:" + hash_a).hashes.size() == 1);
}

TEST_CASE("torrent.info: unknown keys are passed over, whatever their values")
{
    CHECK(parse("version: 9: new\n" + extent(0, 512) + "crc:\n" + sha1(hash_a)).extents.size() == 1);
}

TEST_CASE("torrent.info: the digits may be in either case")
{
    CHECK(parse("offset: 0000000000000000000000000000ABCD\nlength: 0000000000000000000000000000000f\n" +
                sha1(std::string(40, 'F')))
              .extents == std::vector<Extent>{{0xabcd, 15}});
}

TEST_CASE("torrent.info: a line that is no key and value is refused with its number")
{
    check_refused("block_size: 4096\n\nhello\n",
                  "torrent.info:3: this is not a 'key: value' line; is it a torrent.info of partclone?");
}

TEST_CASE("torrent.info: a bad number is refused with its line, its key and its text")
{
    for (const char* bad :
         {"", "12", "0x000000000000000000000000000010", "-0000000000000000000000000000001",
          "0000000000000000000000000000000g", "00000000000000010000000000000000", "0000000000001000",
          "000000000000000000000000000000000", "10 0000000000000000000000000000"}) {
        check_refused(
            fmt::format("block_size: 512\noffset: {}\n", bad),
            fmt::format("torrent.info:2: offset needs 32 hex digits, for a number below 2^64; this is '{}'",
                        bad));
        check_refused(
            fmt::format("offset: {:032x}\nlength: {}\n", 0, bad),
            fmt::format("torrent.info:2: length needs 32 hex digits, for a number below 2^64; this is '{}'",
                        bad));
    }
    for (const char* bad : {"", "4k", "-1", "0x200", "1 2", "99999999999999999999"}) {
        check_refused(fmt::format("block_size: {}\n", bad),
                      fmt::format("torrent.info:1: block_size is not a number: '{}'", bad));
        check_refused(fmt::format("\nblocks_total: {}\n", bad),
                      fmt::format("torrent.info:2: blocks_total is not a number: '{}'", bad));
    }
}

TEST_CASE("torrent.info: a bad hash is refused with its line")
{
    check_refused(extent(0, 512) + "sha1: b185\n",
                  "torrent.info:3: a sha1 has 40 hex digits, this is 'b185'");
    check_refused(extent(0, 512) + "sha1: " + std::string(39, '0') + "x\n",
                  "torrent.info:3: a sha1 has 40 hex digits, this is '" + std::string(39, '0') + "x'");
}

TEST_CASE("torrent.info: an offset without a length is refused where it stands")
{
    const std::string offset = fmt::format("offset: {:032x}\n", 4096);
    check_refused(extent(0, 512) + offset + extent(8192, 512), "torrent.info:3: this offset has no length");
    check_refused(extent(0, 512) + sha1(hash_a) + offset + "\n", "torrent.info:4: this offset has no length");
}

TEST_CASE("torrent.info: a length without an offset is refused")
{
    const std::string length = fmt::format("length: {:032x}\n", 512);
    check_refused(length, "torrent.info:1: this length has no offset before it");
    check_refused(extent(0, 512) + length, "torrent.info:3: this length has no offset before it");
}

TEST_CASE("torrent.info: overlapping extents are refused with both lines, the later one first")
{
    const std::string upper = extent(0x2000, 512);
    const std::string lower = extent(0x1000, 4097);
    check_refused(
        upper + extent(0, 16) + lower + sha1(hash_a),
        "torrent.info:5: extent 0x1000 + 4097 bytes overlaps the one of line 1, 0x2000 + 512 bytes");
    check_refused(
        lower + extent(0, 16) + upper + sha1(hash_a),
        "torrent.info:5: extent 0x2000 + 512 bytes overlaps the one of line 1, 0x1000 + 4097 bytes");
}

TEST_CASE("torrent.info: an extent past 2^63 is refused")
{
    check_refused(
        "\n" + extent((1ULL << 63) - 1, 1),
        "torrent.info:2: extent 0x7fffffffffffffff + 1 bytes ends beyond the largest possible device");
    CHECK_THAT(refusal_of([] { (void)parse(extent(1, ~0ULL)); }).message, contains("torrent.info:1: extent"));
}

TEST_CASE("torrent.info: a missing hash is refused at the end of the file")
{
    check_refused(extent(0, 512),
                  "torrent.info:2: missing sha1: the extents' 512 bytes need 1 of them, there are 0");
    check_refused(extent(0, 16_MiB + 1) + sha1(hash_a),
                  "torrent.info:3: missing sha1: the extents' 16777217 bytes need 2 of them, there are 1");
}

TEST_CASE("torrent.info: a surplus hash is refused where it stands")
{
    check_refused(extent(0, 16_MiB) + sha1(hash_a) + "\n" + sha1(hash_b) + sha1(hash_b),
                  "torrent.info:5: surplus sha1: the extents' 16777216 bytes need 1 of them, there are 3");
}

TEST_CASE("torrent.info: a file without extents is refused, an empty one too")
{
    const std::string reason = "there is no extent in this file; did partclone write it to the end?";
    check_refused("", "torrent.info:1: " + reason);
    check_refused("block_size: 4096\nblocks_total: 7\n", "torrent.info:2: " + reason);
    check_refused(extent(0, 0), "torrent.info:2: " + reason);
}

TEST_CASE("torrent.info: 100,000 extents are read without delay")
{
    constexpr std::uint64_t count = 100'000;
    std::string text;
    for (std::uint64_t i = 0; i < count; ++i) {
        text +=
            extent(i * 7919 % count * 8192, 4096); // 7919 and count have no common factor: each comes once
    }
    for (std::uint64_t i = 0; i < (count * 4096 + 16_MiB - 1) / 16_MiB; ++i) {
        text += sha1(hash_a);
    }
    const auto start = std::chrono::steady_clock::now();
    const auto info = parse(text);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    CHECK(info.extents.size() == count);
    CHECK(time.count() < 10); // takes 0.03 s; the rest is for sanitizers and busy machines
}

} // namespace ezio
