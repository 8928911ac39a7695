// SPDX-License-Identifier: GPL-2.0-or-later
#include "piece_probe.hpp"

#include "ezio/image/image.hpp"

#include <algorithm>

namespace ezio {

PieceProbe::PieceProbe(std::uint32_t piece, std::uint64_t size, Clock::time_point now)
    : m_piece(piece), m_size(size), m_blocks(static_cast<std::uint32_t>(blocks_in(size))), m_moved(now)
{}

std::uint32_t PieceProbe::length_of(std::uint32_t block) const
{
    const std::uint64_t start = std::uint64_t{block} * block_bytes;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(block_bytes, m_size - start));
}

std::vector<PieceProbe::Block> PieceProbe::next_requests()
{
    std::vector<Block> requests;
    const std::uint32_t end = std::min(m_blocks, m_hashed + window);
    for (std::uint32_t block = m_hashed; block < end; ++block) {
        if (m_early.count(block) == 0 && m_asked.insert(block).second) {
            requests.push_back({block * block_bytes, length_of(block)});
        }
    }
    return requests;
}

void PieceProbe::rejected(std::uint32_t start)
{
    m_asked.erase(start / block_bytes);
}

void PieceProbe::take(std::uint32_t start, std::span<const std::byte> data, Clock::time_point now)
{
    const std::uint32_t block = start / block_bytes;
    const bool is_near = block >= m_hashed && block < std::min(m_blocks, m_hashed + window);
    if (!is_near || start % block_bytes != 0 || data.size() != length_of(block) ||
        m_early.count(block) != 0) {
        return;
    }
    m_moved = now;
    m_asked.erase(block);
    if (block != m_hashed) {
        m_early.emplace(block, std::vector(data.begin(), data.end()));
        return;
    }
    hash(data);
    for (auto next = m_early.begin(); next != m_early.end() && next->first == m_hashed;
         next = m_early.erase(next)) {
        hash(next->second);
    }
}

void PieceProbe::hash(std::span<const std::byte> data)
{
    Sha1 block;
    block.update(data);
    m_digests.push_back(block.finish());
    m_sha1.update(data);
    ++m_hashed;
}

} // namespace ezio
