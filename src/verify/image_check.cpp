// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/verify/image_check.hpp"

#include "ezio/verify/digest_comparison.hpp"

#include <algorithm>

namespace ezio {

ImageCheck::ImageCheck(const Image& image, Target& target, First first, Wakeup& wakeup)
    : m_image(image), m_target(target), m_wakeup(wakeup)
{
    if (first == First::sync_and_drop_cache) {
        m_sync.emplace(m_target, m_wakeup);
        return;
    }
    if (first == First::drop_cache) {
        m_target.drop_cache();
    }
    start_scan();
}

void ImageCheck::start_scan()
{
    m_scan.emplace(m_image.map, m_image.piece_length, m_target, scan_threads(m_target), m_wakeup,
                   m_image.v2_pieces);
}

bool ImageCheck::advance()
{
    if (m_sync && m_sync->finished()) {
        throw_if(m_sync->failure());
        m_sync.reset();
        m_target.drop_cache();
        start_scan();
    }
    if (!m_scan || !m_scan->finished()) {
        return false;
    }
    throw_if(m_scan->failure());
    return true;
}

ImageCheck::Findings ImageCheck::take_findings()
{
    Findings found;
    auto hashed = m_scan ? m_scan->take_hashed() : std::vector<std::uint32_t>();
    std::sort(hashed.begin(), hashed.end());
    for (const std::uint32_t piece : hashed) {
        const bool wrong = is_wrong(m_image, piece, m_scan->digests(), m_scan->v2_roots());
        (wrong ? found.wrong : found.right).push_back(piece);
    }
    return found;
}

std::vector<std::uint32_t> ImageCheck::wrong() const
{
    return wrong_pieces(m_image, m_scan->digests(), m_scan->v2_roots());
}

} // namespace ezio
