// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/engine/arena.hpp"

#include "catch.hpp"

#include "ezio/util/units.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace ezio {

using Supply = Arena::Supply;

namespace {

std::vector<std::byte*> allocate_all(Arena& arena, Supply supply)
{
    std::vector<std::byte*> slabs;
    while (std::byte* slab = arena.allocate(supply)) {
        slabs.push_back(slab);
    }
    return slabs;
}

} // namespace

TEST_CASE("arena: slabs are page-aligned, apart from each other, and usable to their last byte")
{
    Arena arena(64_KiB, 5, 0);
    auto slabs = allocate_all(arena, Supply::normal);
    REQUIRE(slabs.size() == 5);
    for (std::byte* slab : slabs) {
        CHECK(reinterpret_cast<std::uintptr_t>(slab) % 4096 == 0);
        std::memset(slab, 0x5a, arena.slab_bytes());
    }
    std::sort(slabs.begin(), slabs.end());
    for (std::size_t i = 1; i < slabs.size(); ++i) {
        CHECK(slabs[i] - slabs[i - 1] >= static_cast<std::ptrdiff_t>(64_KiB));
    }
}

TEST_CASE("arena: the normal supply ends at the limit, the overflow after that")
{
    Arena arena(16_KiB, 3, 2);
    CHECK(arena.limit() == 3);
    CHECK(allocate_all(arena, Supply::normal).size() == 3);
    CHECK(arena.in_use() == 3);
    CHECK(allocate_all(arena, Supply::overflow).size() == 2);
    CHECK(arena.in_use() == 5);
    CHECK(arena.allocate(Supply::normal) == nullptr);
    CHECK(arena.in_use() == 5);
}

TEST_CASE("arena: while overflow is in use, a released slab does not count for the normal supply")
{
    Arena arena(16_KiB, 2, 2);
    const auto normal = allocate_all(arena, Supply::normal);
    const auto overflow = allocate_all(arena, Supply::overflow);
    arena.release(normal[0]);
    CHECK(arena.allocate(Supply::normal) == nullptr);
    arena.release(overflow[0]);
    CHECK(arena.allocate(Supply::normal) == nullptr);
    arena.release(overflow[1]);
    CHECK(arena.allocate(Supply::normal) != nullptr);
    CHECK(arena.in_use() == 2);
}

TEST_CASE("arena: a released slab is used again before one that was never touched")
{
    Arena arena(16_KiB, 8, 0);
    std::byte* first = arena.allocate(Supply::normal);
    std::byte* second = arena.allocate(Supply::normal);
    arena.release(first);
    arena.release(second);
    CHECK(arena.allocate(Supply::normal) == second);
    CHECK(arena.allocate(Supply::normal) == first);
}

TEST_CASE("arena: slabs come and go any number of times, never one twice")
{
    Arena arena(16_KiB, 4, 4);
    for (int round = 0; round < 100; ++round) {
        const auto slabs = allocate_all(arena, Supply::overflow);
        CHECK(std::set<std::byte*>(slabs.begin(), slabs.end()).size() == 8);
        for (std::byte* slab : slabs) {
            arena.release(slab);
        }
        CHECK(arena.in_use() == 0);
    }
}

TEST_CASE("arena: overflow memory is given back at once, normal memory is kept")
{
    Arena arena(16_KiB, 1, 1);
    std::byte* normal = arena.allocate(Supply::normal);
    std::byte* overflow = arena.allocate(Supply::overflow);
    std::memset(normal, 1, 16_KiB);
    std::memset(overflow, 1, 16_KiB);
    arena.release(overflow);
    arena.release(normal);
    CHECK(arena.allocate(Supply::normal) == normal);
    CHECK(normal[100] == std::byte{1});
    CHECK(arena.allocate(Supply::overflow) == overflow);
    CHECK(overflow[100] == std::byte{0}); // the kernel gave fresh pages
}

TEST_CASE("arena: pins are counted for the slab that an address lies in")
{
    Arena arena(16_KiB, 2, 0);
    std::byte* one = arena.allocate(Supply::normal);
    std::byte* other = arena.allocate(Supply::normal);
    CHECK_FALSE(arena.is_pinned(one));
    arena.pin(one);
    arena.pin(one + 16_KiB - 1);
    CHECK(arena.is_pinned(one + 5000));
    CHECK_FALSE(arena.is_pinned(other));
    arena.unpin(one + 1);
    CHECK(arena.is_pinned(one));
    arena.unpin(one);
    CHECK_FALSE(arena.is_pinned(one));
}

TEST_CASE("arena: it knows its own addresses")
{
    Arena arena(16_KiB, 1, 1);
    const std::byte* first = arena.allocate(Supply::normal);
    const std::byte* last = arena.allocate(Supply::overflow);
    REQUIRE(first < last);
    CHECK(arena.contains(first));
    CHECK(arena.contains(last + 16_KiB - 1));
    CHECK_FALSE(arena.contains(first - 1));
    CHECK_FALSE(arena.contains(last + 16_KiB));
    const std::byte on_the_stack{};
    CHECK_FALSE(arena.contains(&on_the_stack));
}

TEST_CASE("arena: threads pin and unpin at once, and no pin is lost")
{
    Arena arena(16_KiB, 1, 0);
    std::byte* slab = arena.allocate(Supply::normal);
    arena.pin(slab);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 10'000; ++round) {
                arena.pin(slab);
                arena.unpin(slab);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(arena.is_pinned(slab));
    arena.unpin(slab);
    CHECK_FALSE(arena.is_pinned(slab));
}

TEST_CASE("arena: more than there are addresses for is refused")
{
    CHECK_THROWS_AS(Arena(std::size_t{1} << 46, 2, 2), std::bad_alloc);
}

TEST_CASE("arena: pinned slabs are counted once, however many pins they have")
{
    Arena arena(16384, 2, 0);
    std::byte* first = arena.allocate(Arena::Supply::normal);
    std::byte* second = arena.allocate(Arena::Supply::normal);
    arena.pin(first);
    arena.pin(first + 100);
    CHECK(arena.pinned() == 1);
    arena.pin(second);
    CHECK(arena.pinned() == 2);
    arena.unpin(first);
    CHECK(arena.pinned() == 2);
    arena.unpin(first);
    arena.unpin(second);
    CHECK(arena.pinned() == 0);
}

} // namespace ezio
