// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/seeding_pace.hpp"

#include <algorithm>

namespace ezio {

namespace {

constexpr double seconds_in_advance = 0.4;
constexpr std::uint64_t least_blocks = 128; // 2 MiB: what is in flight when nothing is known yet

} // namespace

void SeedingPace::sent_block(Time now)
{
    advance_to(now);
    ++m_sent[static_cast<std::size_t>(m_slot) % m_sent.size()];
}

std::uint64_t SeedingPace::blocks_in_advance(Time now)
{
    const auto wanted = static_cast<std::uint64_t>(blocks_per_second(now) * seconds_in_advance);
    return std::max({wanted, least_blocks, std::uint64_t{2} * m_blocks_per_piece});
}

SeedingPace::Time SeedingPace::late_after(Time now)
{
    const double rate = blocks_per_second(now);
    if (rate < 1) {
        return Time(1000);
    }
    const double seconds = 0.9 * static_cast<double>(blocks_in_advance(now)) / rate;
    return std::clamp(Time(static_cast<std::int64_t>(seconds * 1000)), Time(100), Time(10000));
}

void SeedingPace::advance_to(Time now)
{
    const std::int64_t current = now / slot;
    for (int step = 0; m_slot < current && step < static_cast<int>(m_sent.size()); ++step) {
        ++m_slot;
        m_sent[static_cast<std::size_t>(m_slot) % m_sent.size()] = 0;
    }
    if (m_slot < current) { // all slots are empty now
        m_slot = current;
    }
}

double SeedingPace::blocks_per_second(Time now)
{
    advance_to(now);
    const std::uint32_t most = *std::max_element(m_sent.begin(), m_sent.end());
    const bool is_first = most == m_sent[static_cast<std::size_t>(m_slot) % m_sent.size()];
    const Time length = is_first ? std::max(now - m_slot * slot, slot / 2) : slot;
    return most * 1000.0 / static_cast<double>(length.count());
}

} // namespace ezio
