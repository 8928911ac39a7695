// SPDX-License-Identifier: GPL-2.0-or-later
//
// A piece cache under thousands of random steps, against a naive model: what was received, what hashed, what
// is on the disk, what readers hold.
#include "ezio/engine/piece_cache.hpp"

#include "cache_driver.hpp"

#include <map>
#include <random>

namespace ezio {

namespace {

struct ModelPiece {
    bool hash_wanted = false;
    bool hashing = false;
    bool good = false;
    bool bad = false;
    bool clearing = false;
    std::uint64_t hashed = 0;     // bytes
    std::uint64_t written = 0;    // blocks
    std::uint64_t contiguous = 0; // blocks received from its start on, as far as was looked
};

struct ModelBlock {
    bool received = false;
    bool wrong = false;
    bool written = false;
    bool being_written = false;
};

// A reader's slices and what they must be until it gives them back.
struct Holding {
    std::vector<Segment> segments;
    std::vector<std::byte> contents;
};

class RandomRun {
  public:
    RandomRun(const CacheDriver::Setup& setup, std::uint64_t seed)
        : m_driver(setup), m_flush_above(setup.flush_above), m_random(seed),
          m_blocks(blocks_in(setup.payload_size)),
          m_pieces((setup.payload_size + setup.piece_length - 1) / setup.piece_length)
    {}

    void step()
    {
        const std::uint64_t choice = below(100);
        if (choice < 50) {
            receive();
        } else if (choice < 66) {
            take_job();
        } else if (choice < 82) {
            finish_job();
        } else if (choice < 90) {
            read();
        } else if (choice < 95) {
            give_back();
        } else if (choice < 98) {
            const auto index = static_cast<std::uint32_t>(below(m_pieces.size()));
            if (!m_pieces[index].good || below(blocks_in_piece()) < 64) { // once more, seldom a big one: time
                want_hash(index);
            }
        } else if (below(m_blocks.size()) < 5) {
            clear(static_cast<std::uint32_t>(below(m_pieces.size())));
        }
        tend_pieces();
        const std::uint64_t done = m_driver.cache.done_bytes();
        const bool settled = m_jobs.empty() && !m_driver.cache.has_job(); // no job out that it waits for
        REQUIRE((settled ? done == expected_done_bytes() : done <= expected_done_bytes()));
    }

    [[nodiscard]] bool is_complete() const { return expected_done_bytes() == m_driver.payload.size(); }

    void check_end()
    {
        while (!m_jobs.empty()) {
            finish_job();
        }
        m_driver.run_all();
        CHECK(m_driver.cache.held_slabs() == 0);
        CHECK(m_driver.cache.done_bytes() == m_driver.payload.size());
        CHECK(m_driver.disk == m_driver.payload);
        while (!m_holdings.empty()) {
            give_back();
        }
        CHECK(m_driver.pinned_slabs() == 0);
        CHECK_FALSE(m_driver.cache.has_job());
    }

  private:
    // --- the network thread ---

    // Mostly a block of one of the first pieces that are not complete, now and then any.
    void receive()
    {
        std::uint64_t block = below(m_blocks.size());
        for (int tries = 0; tries < 20 && (m_blocks[block].received || below(4) != 0); ++tries) {
            block = std::min(m_first_missing + below(3 * blocks_in_piece()), m_blocks.size() - 1);
        }
        const bool wrong = below(4 * m_blocks.size()) < m_pieces.size(); // in one piece of four
        const bool expected = !m_blocks[block].received && !piece_of(block).clearing;
        const Receive result = m_driver.receive(block, wrong ? Data::wrong : Data::right);
        if (result == Receive::no_memory) {
            REQUIRE(expected);
            return;
        }
        REQUIRE((result == Receive::copy) == expected);
        if (expected) {
            m_blocks[block] = {true, wrong, false, false};
        }
        while (m_first_missing < m_blocks.size() && m_blocks[m_first_missing].received) {
            ++m_first_missing;
        }
    }

    void want_hash(std::uint32_t index)
    {
        ModelPiece& piece = m_pieces[index];
        const bool possible = contiguous_bytes(index) == size_of(index) && !piece.clearing;
        if (possible && piece.hash_wanted) {
            return; // has been asked for
        }
        REQUIRE(m_driver.cache.want_hash(index) == possible);
        if (possible) {
            piece.hashed = piece.good || piece.bad ? 0 : piece.hashed;
            piece.good = piece.bad = false;
            piece.hash_wanted = true;
        }
        m_driver.check();
    }

    void clear(std::uint32_t index)
    {
        if (m_pieces[index].clearing || is_done(index)) {
            return;
        }
        m_pieces[index].clearing = true;
        const bool at_once = m_driver.cache.clear(index);
        m_driver.check();
        if (at_once) {
            forget(index);
        }
        REQUIRE(at_once == !m_pieces[index].clearing);
    }

    void forget(std::uint32_t index)
    {
        REQUIRE(m_pieces[index].clearing);
        m_pieces[index] = {};
        for (std::uint64_t block = first_block(index); block < first_block(index + 1); ++block) {
            REQUIRE_FALSE(m_blocks[block].being_written);
            m_blocks[block] = {};
        }
        m_first_missing = std::min(m_first_missing, first_block(index));
    }

    // As libtorrent does: complete pieces are hashed, bad ones cleared.
    void tend_pieces()
    {
        for (const std::uint32_t index : m_driver.cache.take_cleared()) {
            forget(index);
        }
        const auto index = static_cast<std::uint32_t>(below(m_pieces.size()));
        if (m_pieces[index].bad) {
            clear(index);
        } else if (!m_pieces[index].good && contiguous_bytes(index) == size_of(index)) {
            want_hash(index);
        }
    }

    void read()
    {
        const std::uint64_t offset = below(m_driver.payload.size());
        const std::uint64_t length =
            std::min<std::uint64_t>(1 + below(block_bytes), m_driver.payload.size() - offset);
        bool there = true;
        for (std::uint64_t block = offset / block_bytes; block * block_bytes < offset + length; ++block) {
            there = there && m_blocks[block].received;
        }
        const auto found = m_driver.cache.find(offset, length);
        m_driver.check();
        if (found.what == Read::hit) {
            REQUIRE(there);
            hold({{offset, length, found.memory}});
        } else if (found.what == Read::direct) {
            const auto segments = m_driver.cache.pinned_segments(offset, length);
            REQUIRE(segments.empty() == !there);
            hold(segments);
        } else {
            REQUIRE((found.what == Read::wait) == there);
        }
    }

    void hold(const std::vector<Segment>& segments)
    {
        Holding holding{segments, {}};
        for (const Segment& segment : segments) {
            const std::byte* from =
                segment.memory != nullptr ? segment.memory : &m_driver.disk[segment.payload_offset];
            for (std::uint64_t i = 0; i < segment.length; i += 1000) { // not each byte: time
                const std::uint64_t at = segment.payload_offset + i;
                const bool flipped = m_blocks[at / block_bytes].wrong && at % block_bytes == 0;
                REQUIRE(from[i] == (m_driver.payload[at] ^ std::byte{flipped}));
            }
            if (segment.memory != nullptr) {
                holding.contents.insert(holding.contents.end(), from, from + segment.length);
            }
        }
        m_holdings.push_back(std::move(holding));
    }

    void give_back()
    {
        if (m_holdings.empty()) {
            return;
        }
        const Holding holding = take_any(m_holdings);
        std::size_t at = 0;
        for (const Segment& segment : holding.segments) {
            if (segment.memory != nullptr) {
                REQUIRE(test::same_bytes(segment.memory, &holding.contents[at], segment.length));
                at += segment.length;
            }
        }
        m_driver.cache.unpin(holding.segments);
    }

    // --- the workers ---

    void take_job()
    {
        if (m_jobs.size() >= 4) {
            return;
        }
        const std::size_t held = m_driver.cache.held_slabs();
        if (auto job = m_driver.next(below(4) == 0 ? Writes::no : Writes::yes)) {
            std::visit([&](const auto& chosen) { check_taken(chosen, held); }, *job);
            m_jobs.push_back(std::move(*job));
        }
    }

    void finish_job()
    {
        if (m_jobs.empty()) {
            return;
        }
        const CacheJob job = take_any(m_jobs);
        m_driver.finish(job);
        std::visit([&](const auto& chosen) { note_finished(chosen); }, job);
    }

    void check_taken(const HashJob& job, std::size_t)
    {
        ModelPiece& piece = m_pieces[job.piece];
        REQUIRE_FALSE(piece.hashing);
        REQUIRE(job.last == piece.hash_wanted);
        piece.hashing = true;
        std::uint64_t next = job.piece * m_driver.geometry.piece_length + piece.hashed;
        for (const Segment& segment : job.segments) {
            REQUIRE(segment.payload_offset == next);
            REQUIRE((job.last || segment.memory != nullptr));
            next += segment.length;
        }
        const std::uint64_t end = job.piece * m_driver.geometry.piece_length + contiguous_bytes(job.piece);
        REQUIRE((job.last ? next == end : next <= end));
    }

    void note_finished(const HashJob& job)
    {
        ModelPiece& piece = m_pieces[job.piece];
        piece.hashing = false;
        for (const Segment& segment : job.segments) {
            piece.hashed += segment.length;
        }
        if (job.last && !piece.clearing) {
            piece.hash_wanted = false;
            piece.good = !has_wrong(job.piece);
            piece.bad = !piece.good;
        }
    }

    void check_taken(const WriteJob& job, std::size_t held)
    {
        std::uint64_t after = 0;
        for (const Segment& segment : job.segments) {
            REQUIRE(segment.payload_offset >= after);
            after = segment.payload_offset + segment.length;
            for_blocks(segment, [&](std::uint64_t block) {
                const ModelPiece& piece = piece_of(block);
                REQUIRE(
                    (m_blocks[block].received && !m_blocks[block].written && !m_blocks[block].being_written));
                const bool flush =
                    held > m_flush_above && !piece.bad && !piece.clearing && !piece.hash_wanted;
                REQUIRE((piece.good || flush));
                m_blocks[block].being_written = true;
            });
        }
    }

    void note_finished(const WriteJob& job)
    {
        for (const Segment& segment : job.segments) {
            for_blocks(segment, [&](std::uint64_t block) {
                m_pieces[block / blocks_in_piece()].written += m_blocks[block].written ? 0 : 1;
                m_blocks[block].being_written = false;
                m_blocks[block].written = true;
            });
        }
    }

    void check_taken(const ReadJob& job, std::size_t)
    {
        for (const Segment& segment : job.segments) {
            for_blocks(segment, [&](std::uint64_t block) { REQUIRE(m_blocks[block].written); });
        }
    }

    void note_finished(const ReadJob&) {}

    // --- the model ---

    std::uint64_t below(std::uint64_t limit) { return m_random() % limit; }
    template <typename Any>
    Any take_any(std::vector<Any>& from)
    {
        std::swap(from[below(from.size())], from.back());
        Any taken = std::move(from.back());
        from.pop_back();
        return taken;
    }
    [[nodiscard]] std::uint64_t blocks_in_piece() const
    {
        return m_driver.geometry.piece_length / block_bytes;
    }
    [[nodiscard]] std::uint64_t first_block(std::uint64_t piece) const
    {
        return std::min(piece * blocks_in_piece(), m_blocks.size());
    }
    [[nodiscard]] std::uint64_t blocks_of(std::uint64_t piece) const
    {
        return first_block(piece + 1) - first_block(piece);
    }
    [[nodiscard]] std::uint64_t size_of(std::uint32_t piece) const
    {
        return m_driver.geometry.piece_size(piece);
    }
    [[nodiscard]] const ModelPiece& piece_of(std::uint64_t block) const
    {
        return m_pieces[block / blocks_in_piece()];
    }

    template <typename Visit>
    void for_blocks(const Segment& segment, Visit visit)
    {
        const std::uint64_t end = segment.payload_offset + segment.length;
        for (std::uint64_t block = segment.payload_offset / block_bytes; block * block_bytes < end; ++block) {
            visit(block);
        }
    }

    [[nodiscard]] std::uint64_t contiguous_bytes(std::uint32_t piece)
    {
        std::uint64_t& blocks = m_pieces[piece].contiguous;
        while (blocks < blocks_of(piece) && m_blocks[first_block(piece) + blocks].received) {
            ++blocks;
        }
        return std::min(blocks * block_bytes, size_of(piece));
    }

    [[nodiscard]] bool has_wrong(std::uint32_t piece) const
    {
        return std::any_of(m_blocks.begin() + static_cast<std::ptrdiff_t>(first_block(piece)),
                           m_blocks.begin() + static_cast<std::ptrdiff_t>(first_block(piece + 1)),
                           [](const ModelBlock& block) { return block.wrong; });
    }

    [[nodiscard]] bool is_done(std::uint32_t piece) const
    {
        return m_pieces[piece].good && !m_pieces[piece].clearing &&
               m_pieces[piece].written == blocks_of(piece);
    }

    [[nodiscard]] std::uint64_t expected_done_bytes() const
    {
        std::uint64_t bytes = 0;
        for (std::uint32_t piece = 0; piece < m_pieces.size(); ++piece) {
            bytes += is_done(piece) ? size_of(piece) : 0;
        }
        return bytes;
    }

    CacheDriver m_driver;
    const std::size_t m_flush_above;
    std::mt19937_64 m_random;
    std::vector<ModelBlock> m_blocks;
    std::vector<ModelPiece> m_pieces;
    std::uint64_t m_first_missing = 0;
    std::vector<CacheJob> m_jobs; // out
    std::vector<Holding> m_holdings;
};

void run(const CacheDriver::Setup& setup, std::uint64_t seeds = 3)
{
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        CAPTURE(setup.piece_length, setup.chunk_length, setup.slabs, seed);
        RandomRun random(setup, seed);
        int steps = 0;
        while (!random.is_complete()) {
            REQUIRE(++steps < 200'000);
            random.step();
        }
        random.check_end();
    }
}

} // namespace

TEST_CASE("piece cache: random steps keep every promise, with pieces of one block")
{
    run({3_MiB + 5, 16_KiB, 16_KiB, 16, 4, 12});
}

TEST_CASE("piece cache: random steps keep every promise, with pieces of 256 KiB")
{
    run({5_MiB + 100, 256_KiB, 256_KiB, 64, 8, 48});
    run({5_MiB + 100, 256_KiB, 256_KiB, 16, 8, 12, 2});
    run({5_MiB + 16_KiB, 256_KiB, 64_KiB, 16, 8, 8}); // hardly any memory
}

TEST_CASE("piece cache: random steps keep every promise, with pieces of 1 MiB")
{
    run({6_MiB + 300'000, 1_MiB, 1_MiB, 4, 4, 2});
    run({6_MiB + 300'000, 1_MiB, 256_KiB, 12, 6, 6});
    run({3_MiB, 1_MiB, 16_KiB, 32, 16, 16});
}

TEST_CASE("piece cache: random steps keep every promise, with pieces of 16 MiB")
{
    run({20_MiB + 1, 16_MiB, 1_MiB, 12, 6, 6}, 2);
}

} // namespace ezio
