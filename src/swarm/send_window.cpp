// SPDX-License-Identifier: GPL-2.0-or-later
#include "send_window.hpp"

#include "ezio/image/image.hpp"

#include <algorithm>
#include <chrono>

namespace ezio {

namespace {

using std::chrono::duration;

constexpr milliseconds slot{500};
constexpr double seconds_in_advance = 0.4;
constexpr double least_bytes = 2 << 20; // while the link's rate is unknown

} // namespace

SendWindow::SendWindow(std::uint64_t piece_length) : m_blocks_per_piece(blocks_in(piece_length)) {}

void SendWindow::given(std::uint32_t piece, Clock::time_point now)
{
    gone(piece);
    m_on_their_way[piece] = {m_blocks_per_piece, ++m_gift_count};
    m_blocks_on_their_way += m_blocks_per_piece;
    m_gifts.push_back({now, piece, m_gift_count});
}

void SendWindow::sent_block(std::uint32_t piece, Clock::time_point now)
{
    advance_to(now);
    ++m_sent[static_cast<std::size_t>(m_slot) % m_sent.size()];
    const auto found = m_on_their_way.find(piece);
    if (found != m_on_their_way.end()) {
        --m_blocks_on_their_way;
        if (--found->second.blocks_left == 0) {
            m_on_their_way.erase(found);
        }
    }
}

void SendWindow::gone(std::uint32_t piece)
{
    const auto found = m_on_their_way.find(piece);
    if (found != m_on_their_way.end()) {
        m_blocks_on_their_way -= found->second.blocks_left;
        m_on_their_way.erase(found);
    }
}

bool SendWindow::has_room(Clock::time_point now)
{
    forget_late_ones(now);
    return static_cast<double>(m_blocks_on_their_way) < wanted_blocks(now);
}

// Their peers are slow, or busy with data from others: the link must not wait for them.
void SendWindow::forget_late_ones(Clock::time_point now)
{
    const double rate = std::max(blocks_per_second(now), 1.0);
    const duration<double> patience(std::clamp(2 * wanted_blocks(now) / rate, 1.0, 10.0));
    while (!m_gifts.empty()) {
        const Gift& oldest = m_gifts.front();
        const auto found = m_on_their_way.find(oldest.piece);
        const bool is_over = found == m_on_their_way.end() || found->second.number != oldest.number;
        if (!is_over && now - oldest.time < patience) {
            return;
        }
        if (!is_over) {
            gone(oldest.piece);
        }
        m_gifts.pop_front();
    }
}

double SendWindow::wanted_blocks(Clock::time_point now)
{
    return std::max({blocks_per_second(now) * seconds_in_advance, least_bytes / block_bytes,
                     2.0 * static_cast<double>(m_blocks_per_piece)});
}

// The rate of the best of the last slots: what the link can do.
double SendWindow::blocks_per_second(Clock::time_point now)
{
    advance_to(now);
    const std::uint32_t most = *std::max_element(m_sent.begin(), m_sent.end());
    return most / duration<double>(slot).count();
}

void SendWindow::advance_to(Clock::time_point now)
{
    const std::int64_t current = now.time_since_epoch() / slot;
    if (current - m_slot >= static_cast<std::int64_t>(m_sent.size())) {
        m_sent.fill(0);
        m_slot = current;
    }
    while (m_slot < current) {
        m_sent[static_cast<std::size_t>(++m_slot) % m_sent.size()] = 0;
    }
}

} // namespace ezio
