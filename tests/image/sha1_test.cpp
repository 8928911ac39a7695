// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/image/sha1.hpp"

#include "catch.hpp"

#include <algorithm>
#include <random>

namespace ezio {

namespace {

std::span<const std::byte> bytes_of(std::string_view text)
{
    return std::as_bytes(std::span(text));
}

std::string sha1_of(std::string_view text)
{
    Sha1 sha1;
    sha1.update(bytes_of(text));
    return to_hex(sha1.finish());
}

} // namespace

TEST_CASE("sha1: the examples of FIPS 180 come out right")
{
    CHECK(sha1_of("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    CHECK(sha1_of("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK(sha1_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    CHECK(sha1_of(std::string(1'000'000, 'a')) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST_CASE("sha1: it does not matter how the data is cut")
{
    const std::string text(100'000, 'a');
    auto rest = bytes_of(text);
    Sha1 sha1;
    for (std::size_t step = 0; !rest.empty(); ++step) { // the first is empty
        const std::size_t length = std::min(step, rest.size());
        sha1.update(rest.first(length));
        rest = rest.subspan(length);
    }
    CHECK(to_hex(sha1.finish()) == sha1_of(text));
}

TEST_CASE("sha1: after finish it starts again from nothing")
{
    Sha1 sha1;
    sha1.update(bytes_of("something"));
    (void)sha1.finish();
    sha1.update(bytes_of("abc"));
    CHECK(to_hex(sha1.finish()) == "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST_CASE("sha1: OpenSSL comes to the same digest at every length around the ends of blocks")
{
    std::string text;
    for (std::size_t length = 0; length < 300; ++length) {
        CAPTURE(length);
        Sha1 openssl(Sha1::Engine::openssl);
        openssl.update(bytes_of(text));
        CHECK(to_hex(openssl.finish()) == sha1_of(text));
        text += static_cast<char>(length * 37 + 11);
    }
}

TEST_CASE("sha1: two at once come to the same digests as one after the other")
{
    std::mt19937 random(5);
    std::string text(5000, ' ');
    std::generate(text.begin(), text.end(), [&] { return static_cast<char>(random()); });
    for (const auto engine : {Sha1::Engine::fastest, Sha1::Engine::openssl}) {
        for (int round = 0; round < 200; ++round) { // whole blocks, odd ends, different lengths, empty ones
            Sha1 a(engine);
            Sha1 b(engine);
            std::string all_a;
            std::string all_b;
            for (int step = 0; step < 4; ++step) {
                const std::string_view view(text);
                const bool whole_blocks = random() % 2 == 0;
                const auto length = [&] { return whole_blocks ? random() % 8 * 64 : random() % 500; };
                const auto part_a = view.substr(random() % 4000, length());
                const auto part_b = view.substr(random() % 4000, length());
                Sha1::update_both(a, bytes_of(part_a), b, bytes_of(part_b));
                all_a += part_a;
                all_b += part_b;
            }
            CHECK(to_hex(a.finish()) == sha1_of(all_a));
            CHECK(to_hex(b.finish()) == sha1_of(all_b));
        }
    }
}

TEST_CASE("sha1: a digest is read in either case and written in lower case")
{
    const auto digest = parse_sha1("A9993E364706816ABA3E25717850C26C9CD0D89D");
    REQUIRE(digest);
    CHECK((*digest)[0] == 0xa9);
    CHECK((*digest)[19] == 0x9d);
    CHECK(to_hex(*digest) == "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST_CASE("sha1: what is not 40 hex digits is no digest")
{
    const std::string good(40, '0');
    for (const std::string& text : {std::string(), good.substr(1), good + "0", "g" + good.substr(1),
                                    good.substr(1) + " ", "0x" + good.substr(2), "-" + good.substr(1)}) {
        CAPTURE(text);
        CHECK_FALSE(parse_sha1(text));
    }
}

} // namespace ezio
