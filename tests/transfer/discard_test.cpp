// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/transfer/discard.hpp"

#include "open_target.hpp"
#include "recording_reporter.hpp"
#include "temp_dir.hpp"

#include <csignal>
#include <random>

#include <sys/wait.h>
#include <unistd.h>

namespace ezio {

using Ranges = std::vector<Extent>;

namespace {

constexpr std::uint64_t any_length = 1ULL << 62;

// Whether a signal that came before ends it. Signals are for a whole process: for one of its own.
bool is_ended_by_signal(Target& target)
{
    Wakeup wakeup;
    const DiskCalls disk;
    const StopSignal stop(wakeup, disk);
    if (::kill(::getpid(), SIGTERM) != 0) {
        return false;
    }
    while (stop.received() == 0) {
        wakeup.wait_for(std::chrono::seconds(60));
    }
    test::RecordingReporter reporter;
    const auto refusal =
        test::refusal_of([&] { discard_unused(target, test::small_image().map, reporter, stop); });
    return refusal.status == ExitStatus::terminated;
}

} // namespace

TEST_CASE("discard: what lies before, between and behind the extents is unused")
{
    const Ranges used{{4096, 4096}, {16384, 8192}};
    CHECK(unused_ranges(used, 65536, 512, any_length) == Ranges{{0, 4096}, {8192, 8192}, {24576, 40960}});
    CHECK(unused_ranges({{0, 65536}}, 65536, 512, any_length).empty());
    CHECK(unused_ranges({}, 65536, 512, any_length) == Ranges{{0, 65536}});
}

TEST_CASE("discard: a sector with a byte of an extent in it is not unused")
{
    CHECK(unused_ranges({{1000, 100}, {5000, 1}}, 8192, 512, any_length) ==
          Ranges{{0, 512}, {1536, 3072}, {5120, 3072}});
    CHECK(unused_ranges({{0, 1}, {1023, 1}}, 1024, 512, any_length).empty());
}

TEST_CASE("discard: a piece of a sector at the end of the device is left alone")
{
    CHECK(unused_ranges({{0, 512}}, 2000, 512, any_length) == Ranges{{512, 1024}});
}

TEST_CASE("discard: an extent beyond the device leaves nothing behind it")
{
    CHECK(unused_ranges({{512, 512}, {4096, 512}}, 2048, 512, any_length) == Ranges{{0, 512}, {1024, 1024}});
}

TEST_CASE("discard: long ranges are cut")
{
    CHECK(unused_ranges({}, 10_GiB, 4096, 4_GiB) == Ranges{{0, 4_GiB}, {4_GiB, 4_GiB}, {8_GiB, 2_GiB}});
}

TEST_CASE("discard: no byte of any extent is ever in a range, and no whole aligned block outside is missed")
{
    std::mt19937 random(3);
    const auto below = [&](std::uint64_t limit) { return random() % limit; };
    for (int round = 0; round < 200; ++round) {
        constexpr std::uint64_t size = 10'000;
        constexpr std::uint64_t alignment = 16;
        std::vector<bool> is_used(size);
        Ranges used;
        for (std::uint64_t at = below(50); at < size; at += 1 + below(300)) {
            const Extent extent{at, 1 + below(200)};
            used.push_back(extent);
            for (; at < extent.end(); ++at) {
                if (at < size) {
                    is_used[at] = true;
                }
            }
        }
        std::vector<bool> discarded(size);
        for (const Extent& range : unused_ranges(used, size, alignment, 4 * alignment)) {
            REQUIRE(range.length > 0);
            REQUIRE(range.length <= 4 * alignment);
            for (std::uint64_t at = range.offset; at < range.end(); ++at) {
                REQUIRE_FALSE(is_used[at]);
                REQUIRE_FALSE(discarded[at]);
                discarded[at] = true;
            }
        }
        for (std::uint64_t block = 0; block + alignment <= size; block += alignment) {
            bool any = false;
            for (std::uint64_t at = block; at < block + alignment; ++at) {
                any = any || is_used[at];
            }
            REQUIRE(discarded[block] == !any);
        }
    }
}

TEST_CASE("discard: a signal ends it")
{
    const test::TempDir dir;
    const std::string before(1_MiB, 'x');
    test::write_file(dir / "disk", before);
    const auto target = open_target(dir / "disk", Access::read_write, test::small_image());
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        bool ended = false;
        try {
            ended = is_ended_by_signal(*target);
        } catch (...) {
            ended = false;
        }
        ::_exit(ended ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    CHECK(test::read_file(dir / "disk") == before);
}

} // namespace ezio
