// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer/transfer_notes.hpp"

#include "catch.hpp"

#include "ezio/util/units.hpp"

#include <unistd.h>

namespace ezio {

using namespace std::chrono_literals;

namespace {

ListenPlace place_at(std::uint16_t port, bool chosen, std::uint16_t taken)
{
    return {{Endpoint(boost::asio::ip::address_v4::any(), port)}, chosen ? Fd(::dup(0)) : Fd(), taken};
}

} // namespace

TEST_CASE("transfer notes: how much was passed on as it had come")
{
    CHECK(describe_forwarded(3_GiB, 2_GiB) ==
          "of 3.0 GiB that were sent compressed, 2.0 GiB needed no compressing: they "
          "arrived compressed or had been sent before");
}

TEST_CASE("transfer notes: why it listens on this port")
{
    CHECK(describe_port({}) == "it does not listen");
    CHECK(describe_port(place_at(7000, false, 0)) == "port 7000 is the one that --listen names");
    CHECK(describe_port(place_at(6881, true, 0)) == "port 6881 is the first one of 6881 to 6999, and free");
    CHECK(describe_port(place_at(6882, true, 1)) ==
          "port 6882 is the first free one of 6881 to 6999: 1 before it is taken");
    CHECK(describe_port(place_at(6884, true, 3)) ==
          "port 6884 is the first free one of 6881 to 6999: 3 before it are taken");
}

TEST_CASE("transfer notes: what is there already, in the singular and in the plural")
{
    CHECK(describe_kept(1, 1) == "1 of 1 piece is already right");
    CHECK(describe_kept(0, 2000) == "0 of 2,000 pieces are already right");
}

TEST_CASE("transfer notes: that web seeds are not used, when there are some")
{
    CHECK(describe_web_seeds_left_out(0).empty());
    CHECK(describe_web_seeds_left_out(1) == "the torrent names 1 web seed, not used without --web-seed");
    CHECK(describe_web_seeds_left_out(2) == "the torrent names 2 web seeds, not used without --web-seed");
}

TEST_CASE("transfer notes: what a complete fetch stays for")
{
    CHECK(describe_staying(std::nullopt) == "it serves others until it is stopped");
    CHECK(describe_staying(0ms) == "it does not stay to serve others (--seed-time 0)");
    CHECK(describe_staying(2min) ==
          "it serves others while a connected peer needs data, for 2 min at most (--seed-time)");
}

TEST_CASE("transfer notes: what becomes of the kernel's cache")
{
    CHECK(describe_page_cache(PageCache::keep, 1_GiB) ==
          "the kernel may cache the image: its 1.0 GiB fit in the memory that is available");
    CHECK(describe_page_cache(PageCache::drop, 8_GiB) ==
          "the kernel's cache of the image is dropped as it is used: its 8.0 GiB are more than half of the "
          "memory that is available");
}

TEST_CASE("transfer notes: where the copy of a GPT is, and why it stays")
{
    using Outcome = GptPlan::Outcome;
    CHECK(describe_gpt_copy("/dev/sdb") == "/dev/sdb is larger than the disk that the image is of, and the "
                                           "copy of its GPT is not at its end; move "
                                           "it there with sgdisk -e /dev/sdb, or fetch with --expand-gpt");
    CHECK(describe_gpt_fault({Outcome::none}) == "there is no GPT in it");
    CHECK(describe_gpt_fault({Outcome::damaged, "there is no protective MBR before it"}) ==
          "its GPT is damaged: there is no protective MBR before it; see sgdisk --verify");
    CHECK(describe_gpt_fault({Outcome::unreadable}) == "its GPT cannot be read");
    CHECK(describe_gpt_fault({Outcome::movable}).empty());
    CHECK(describe_gpt_fault({Outcome::at_the_end}).empty());
    CHECK(describe_gpt_move("/dev/sdb", {Outcome::movable}) ==
          "the copy of the GPT was moved to the end of /dev/sdb");
    CHECK(describe_gpt_move("/dev/sdb", {Outcome::at_the_end}) ==
          "the copy of the GPT is at the end of /dev/sdb already");
}

TEST_CASE("transfer notes: that peers wait for the target is said at once, then every ten seconds at most")
{
    const Clock::time_point start{};
    HoldNotes notes;
    CHECK_FALSE(notes.observe(0, start));
    CHECK(notes.observe(1, start + 1s) ==
          "the target is slower than the network: peers had to wait for it (1 time)");
    CHECK_FALSE(notes.observe(30, start + 10s));
    CHECK(notes.observe(40, start + 11s) ==
          "the target is slower than the network: peers had to wait for it (39 times)");
    CHECK_FALSE(notes.observe(40, start + 60s)); // no more
}

TEST_CASE("transfer notes: that nothing moves is said after a while, and ever more seldom")
{
    StallNotes notes;
    CHECK_FALSE(notes.observe(4s));
    CHECK(notes.observe(5s));
    CHECK_FALSE(notes.observe(6s));
    CHECK(notes.observe(10s));
    CHECK_FALSE(notes.observe(19s));
    CHECK(notes.observe(20s));
    CHECK_FALSE(notes.observe(0s)); // something moved
    CHECK(notes.observe(5s));
}

} // namespace ezio
