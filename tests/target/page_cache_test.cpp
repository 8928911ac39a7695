// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/page_cache.hpp"

#include "ezio/util/units.hpp"

#include "catch.hpp"

using namespace ezio;

TEST_CASE("page cache: an image that fits half of the available memory stays, a larger one is dropped")
{
    CHECK(choose_page_cache(4_GiB, 8_GiB) == PageCache::keep);
    CHECK(choose_page_cache(4_GiB + 1, 8_GiB) == PageCache::drop);
    CHECK(choose_page_cache(0, 0) == PageCache::keep);
}

TEST_CASE("page cache: this machine keeps a small image, and drops one that no machine has the memory for")
{
    CHECK(page_cache_for(1) == PageCache::keep);
    CHECK(page_cache_for(1ULL << 60) == PageCache::drop);
}

TEST_CASE("page cache: nothing is dropped before a window's end is reached, and then the whole window")
{
    CHECK(windows_ended_by(0, 1_MiB).length == 0);
    CHECK(windows_ended_by(5_MiB, 3_MiB - 1).length == 0);
    const DropWindows one = windows_ended_by(7_MiB, 1_MiB);
    CHECK((one.offset == 4_MiB && one.length == 4_MiB));
    const DropWindows two = windows_ended_by(3_MiB, 6_MiB);
    CHECK((two.offset == 0 && two.length == 8_MiB));
}
