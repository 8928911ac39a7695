// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/engine/write_order.hpp"

#include <algorithm>
#include <numeric>

namespace ezio {

WriteOrder::WriteOrder(const Image& image)
{
    std::vector<std::uint64_t> starts; // on the device, by piece
    starts.reserve(image.piece_count());
    for (std::uint32_t piece = 0; piece < image.piece_count(); ++piece) {
        // Padding has no place on the device and comes last.
        starts.push_back(image.map.device_offset(image.piece_offset(piece)).value_or(~0ULL));
    }
    if (std::is_sorted(starts.begin(), starts.end())) {
        return;
    }
    m_pieces.resize(starts.size());
    std::iota(m_pieces.begin(), m_pieces.end(), 0);
    std::sort(m_pieces.begin(), m_pieces.end(),
              [&](std::uint32_t a, std::uint32_t b) { return starts[a] < starts[b]; });
    m_places.resize(starts.size());
    for (std::uint32_t place = 0; place < m_pieces.size(); ++place) {
        m_places[m_pieces[place]] = place;
    }
}

std::uint32_t WriteQueue::take()
{
    auto next = m_places.lower_bound(m_next_place);
    if (next == m_places.end()) {
        next = m_places.begin();
    }
    const std::uint32_t place = *next;
    m_places.erase(next);
    m_next_place = place + 1;
    return m_order.piece_at(place);
}

} // namespace ezio
