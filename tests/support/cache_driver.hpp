// SPDX-License-Identifier: GPL-2.0-or-later
//
// Plays the network thread and the workers for a piece cache: one step at a time, in any order, on one
// thread, with a payload and a disk in memory. The cache's invariants are checked after every step.
#pragma once

#include "catch.hpp"
#include "test_payload.hpp"

#include "ezio/engine/piece_cache.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace ezio::test {

// A part of the payload.
struct Stretch {
    std::uint64_t offset;
    std::uint64_t length;
    bool operator==(const Stretch&) const = default;
};

[[nodiscard]] inline std::vector<Stretch> stretches(const std::vector<Segment>& segments)
{
    std::vector<Stretch> result;
    for (const Segment& segment : segments) {
        result.push_back({segment.payload_offset, segment.length});
    }
    return result;
}

// From block `first` on, `count` blocks.
[[nodiscard]] inline Stretch blocks(std::uint64_t first, std::uint64_t count)
{
    return {first * block_bytes, count * block_bytes};
}

class CacheDriver {
  public:
    struct Setup {
        std::uint64_t payload_size;
        std::uint64_t piece_length;
        std::uint64_t chunk_length;
        std::size_t slabs = 64;
        std::size_t overflow = 8;
        std::size_t flush_above = 64;
        std::size_t clean_at_first = ~std::size_t{};
        WriteOrder write_order = {};
    };

    explicit CacheDriver(const Setup& setup)
        : geometry{{setup.payload_size, setup.piece_length}, setup.chunk_length},
          payload(random_bytes(setup.payload_size, setup.payload_size)), disk(setup.payload_size),
          arena(setup.chunk_length, setup.slabs, setup.overflow),
          cache(geometry, arena, {setup.flush_above, setup.clean_at_first}, setup.write_order)
    {}

    const CacheGeometry geometry;
    const std::vector<std::byte> payload; // what the hashes are of
    std::vector<std::byte> disk;
    Arena arena;
    PieceCache cache;

    // --- the network thread ---

    enum class Data { right, wrong };

    // `block` counts from the start of the payload.
    PieceCache::Receive receive(std::uint64_t block, Data data = Data::right)
    {
        const std::uint64_t offset = block * block_bytes;
        const PieceCache::Place place = cache.begin_receive(offset);
        check();
        if (place.what == PieceCache::Receive::copy) {
            note_slab(offset, place.memory);
            std::memcpy(place.memory, &payload[offset],
                        std::min<std::uint64_t>(block_bytes, payload.size() - offset));
            *place.memory ^= data == Data::wrong ? std::byte{1} : std::byte{0};
            cache.end_receive(offset);
            check();
        }
        return place.what;
    }

    void receive_blocks(std::uint64_t first, std::uint64_t count)
    {
        for (std::uint64_t block = first; block < first + count; ++block) {
            REQUIRE(receive(block) == PieceCache::Receive::copy);
        }
    }

    void receive_piece(std::uint32_t piece)
    {
        receive_blocks(piece * geometry.piece_length / block_bytes, blocks_in(geometry.piece_size(piece)));
    }

    // Receives the piece and has it hashed, with the writing left to be done.
    void verify_piece(std::uint32_t piece)
    {
        receive_piece(piece);
        REQUIRE(cache.want_hash(piece));
        while (!take<HashJob>(PieceCache::Writes::no).last) {
            finish_last_taken();
        }
        finish_last_taken();
    }

    // Receives, hashes and writes it.
    void complete_piece(std::uint32_t piece)
    {
        verify_piece(piece);
        finish(take<WriteJob>());
    }

    // --- the workers ---

    [[nodiscard]] std::optional<CacheJob> next(PieceCache::Writes writes = PieceCache::Writes::yes)
    {
        auto job = cache.next_job(writes);
        check();
        return job;
    }

    // The next job, which must be of this kind.
    template <typename Job>
    Job take(PieceCache::Writes writes = PieceCache::Writes::yes)
    {
        m_last_taken = next(writes);
        REQUIRE(m_last_taken);
        REQUIRE(std::holds_alternative<Job>(*m_last_taken));
        return std::get<Job>(*m_last_taken);
    }

    // Carries the job out, as late as this so that what it needs must still be there, and says so.
    void finish(const HashJob& job)
    {
        for (const Segment& segment : job.segments) {
            const std::byte* from =
                segment.memory != nullptr ? segment.memory : &disk[segment.payload_offset];
            job.sha1->update({from, segment.length});
        }
        std::optional<PieceCache::Verdict> verdict;
        if (job.last) {
            const bool good = job.sha1->finish() == hash_of(job.piece);
            verdict = good ? PieceCache::Verdict::good : PieceCache::Verdict::bad;
        }
        cache.finish(job, verdict);
        check();
    }

    void finish(const WriteJob& job)
    {
        for (const Segment& segment : job.segments) {
            std::memcpy(&disk[segment.payload_offset], segment.memory, segment.length);
        }
        cache.finish(job);
        check();
    }

    void finish(const ReadJob& job)
    {
        for (const Segment& segment : job.segments) {
            note_slab(segment.payload_offset, segment.memory);
            std::memcpy(segment.memory, &disk[segment.payload_offset], segment.length);
        }
        cache.finish(job);
        check();
    }

    void finish(const CacheJob& job)
    {
        std::visit([this](const auto& chosen) { finish(chosen); }, job);
    }

    void run_all()
    {
        while (const auto job = next()) {
            finish(*job);
        }
    }

    // --- facts ---

    [[nodiscard]] Sha1Digest hash_of(std::uint32_t piece)
    {
        const auto [known, is_new] = m_hashes.try_emplace(piece);
        if (is_new) {
            known->second = sha1_of(
                std::span(payload).subspan(piece * geometry.piece_length, geometry.piece_size(piece)));
        }
        return known->second;
    }

    // How many of the slabs that ever held something are pinned.
    [[nodiscard]] std::size_t pinned_slabs() const
    {
        return static_cast<std::size_t>(std::count_if(
            m_slabs.begin(), m_slabs.end(), [this](const std::byte* s) { return arena.is_pinned(s); }));
    }

    [[nodiscard]] bool disk_is_right(std::uint64_t offset, std::uint64_t length) const
    {
        return same_bytes(&disk[offset], &payload[offset], length);
    }

    void check() const { cache.check_invariants(); }

  private:
    void finish_last_taken() { finish(*m_last_taken); }

    void note_slab(std::uint64_t payload_offset, const std::byte* memory)
    {
        m_slabs.insert(memory - payload_offset % geometry.chunk_length);
    }

    std::map<std::uint32_t, Sha1Digest> m_hashes;
    std::set<const std::byte*> m_slabs; // seen so far
    std::optional<CacheJob> m_last_taken;
};

} // namespace ezio::test

// What all tests of the piece cache call by these names.
namespace ezio {

using test::blocks;
using test::CacheDriver;
using test::Stretch;
using test::stretches;
using Data = CacheDriver::Data;
using Read = PieceCache::Read;
using Receive = PieceCache::Receive;
using Writes = PieceCache::Writes;
using Stretches = std::vector<Stretch>;
using Pieces = std::vector<std::uint32_t>;

} // namespace ezio

template <>
struct Catch::StringMaker<ezio::test::Stretch> {
    static std::string convert(const ezio::test::Stretch& s)
    {
        return fmt::format("{}+{}", s.offset, s.length);
    }
};
