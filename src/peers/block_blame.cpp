// SPDX-License-Identifier: GPL-2.0-or-later
#include "block_blame.hpp"

#include <algorithm>
#include <utility>

namespace ezio {

std::uint32_t BlockBlame::blocks_of(std::uint32_t piece) const
{
    return static_cast<std::uint32_t>(blocks_in(m_image.piece_size(piece)));
}

void BlockBlame::taken(std::uint32_t piece, std::uint32_t block, BlockSourcePtr source)
{
    BlockSources& sources = m_sources[piece];
    if (sources.empty()) {
        sources.resize(blocks_of(piece));
    }
    sources.at(block) = std::move(source);
}

bool BlockBlame::passed(std::uint32_t piece)
{
    const auto found = m_sources.find(piece);
    if (found != m_sources.end()) {
        for (const BlockSourcePtr& source : found->second) {
            if (source) {
                ++source->good_blocks;
            }
        }
        m_sources.erase(found);
    }
    return m_attempts.count(piece) != 0;
}

BlockSources BlockBlame::failed(std::uint32_t piece)
{
    auto node = m_sources.extract(piece);
    return node.empty() ? BlockSources(blocks_of(piece)) : std::move(node.mapped());
}

void BlockBlame::remember(std::uint32_t piece, BlockSources sources, BlockDigests digests)
{
    m_remembered += sources.size();
    if (m_attempts.count(piece) == 0) {
        m_suspects.push_back(piece);
    }
    m_attempts[piece].push_back({std::move(sources), std::move(digests)});
    while (m_remembered > most_blocks && m_suspects.size() > 1) {
        forget(m_suspects.front());
    }
    auto& attempts = m_attempts[piece];
    while (m_remembered > most_blocks && attempts.size() > 1) {
        m_remembered -= attempts.front().sources.size();
        attempts.erase(attempts.begin());
    }
}

BlockSources BlockBlame::judge(std::uint32_t piece, const BlockDigests& right)
{
    BlockSources guilty;
    const auto found = m_attempts.find(piece);
    if (found == m_attempts.end()) {
        return guilty;
    }
    for (const Attempt& attempt : found->second) {
        const std::size_t blocks = std::min(right.size(), attempt.digests.size());
        for (std::size_t block = 0; block < blocks; ++block) {
            const BlockSourcePtr& source = attempt.sources[block];
            const bool differs =
                right[block] && attempt.digests[block] && *right[block] != *attempt.digests[block];
            if (source && differs && !std::exchange(source->is_guilty, true)) {
                guilty.push_back(source);
            }
        }
    }
    forget(piece);
    return guilty;
}

void BlockBlame::forget(std::uint32_t piece)
{
    const auto node = m_attempts.extract(piece);
    for (const Attempt& attempt : node.mapped()) {
        m_remembered -= attempt.sources.size();
    }
    m_suspects.erase(std::find(m_suspects.begin(), m_suspects.end(), piece));
}

BlockSourcePtr sole_source(const BlockSources& sources)
{
    const bool is_one = std::all_of(sources.begin(), sources.end(), [&](const BlockSourcePtr& source) {
        return source && source == sources.front();
    });
    return is_one && !sources.empty() ? sources.front() : nullptr;
}

} // namespace ezio
