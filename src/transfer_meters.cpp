// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/transfer_meters.hpp"

#include <algorithm>

namespace ezio {

void TransferMeters::begin_phase()
{
    m_done_rate = RateMeter();
    m_left = {};
}

void TransferMeters::begin_session(Clock::time_point now)
{
    m_download_rate = RateMeter();
    m_upload_rate = RateMeter();
    m_sending = StallClock(now);
}

void TransferMeters::observe(const MovedBytes& moved, Clock::time_point now)
{
    m_download_rate.observe(moved.received, now);
    m_upload_rate.observe(moved.uploaded, now);
    m_done_rate.observe(moved.done, now);
    m_sending.observe(moved.uploaded, now);
    // What is received, found wrong and thrown away, over and over, is no progress, and neither is what
    // nobody has asked for. A block that two peers send near the end counts once.
    const std::uint64_t useless = moved.failed + moved.redundant;
    m_useful_bytes = std::max(m_useful_bytes, moved.received - std::min(moved.received, useless));
    m_stall.observe(m_useful_bytes + moved.written + moved.done, now);
}

void TransferMeters::describe(ProgressEvent& event, Clock::time_point now)
{
    event.download_rate = m_download_rate.per_second();
    event.upload_rate = m_upload_rate.per_second();
    event.done_rate = m_done_rate.per_second();
    if (event.phase == Phase::downloading || event.phase == Phase::verifying ||
        event.phase == Phase::checking) {
        m_left.observe(event.done_bytes, event.total_bytes, now);
        event.eta_seconds = m_left.seconds();
    }
}

} // namespace ezio
