// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer_meters.hpp"

#include <algorithm>

namespace ezio {

namespace {

double ratio(const RateMeter& payload, const RateMeter& wire)
{
    constexpr double least = 1; // bytes per second: less counts as nothing
    return wire.per_second() < least ? 1 : payload.per_second() / wire.per_second();
}

} // namespace

void TransferMeters::begin_phase()
{
    m_done_rate = RateMeter();
    m_left = {};
}

void TransferMeters::begin_session(Clock::time_point now)
{
    m_download_rate = RateMeter();
    m_download_wire_rate = RateMeter();
    m_upload_rate = RateMeter();
    m_upload_wire_rate = RateMeter();
    m_sending = StallClock(now);
}

void TransferMeters::observe(const MovedBytes& moved, Clock::time_point now)
{
    m_download_rate.observe(moved.received, now);
    m_download_wire_rate.observe(moved.received_wire, now);
    m_upload_rate.observe(moved.uploaded, now);
    m_upload_wire_rate.observe(moved.uploaded_wire, now);
    m_done_rate.observe(moved.done, now);
    m_sending.observe(moved.uploaded, now);
    // Data that is received and discarded again and again, because it is wrong or was not requested, is no
    // progress. A block that two peers send near the end counts once.
    const std::uint64_t useless = moved.failed + moved.redundant;
    m_useful_bytes = std::max(m_useful_bytes, moved.received - std::min(moved.received, useless));
    m_stall.observe(m_useful_bytes + moved.written + moved.done, now);
}

void TransferMeters::describe(ProgressEvent& event, Clock::time_point now)
{
    event.download_rate = m_download_rate.per_second();
    event.upload_rate = m_upload_rate.per_second();
    event.download_ratio = ratio(m_download_rate, m_download_wire_rate);
    event.upload_ratio = ratio(m_upload_rate, m_upload_wire_rate);
    event.done_rate = m_done_rate.per_second();
    if (event.phase == Phase::downloading || event.phase == Phase::verifying ||
        event.phase == Phase::checking) {
        m_left.observe(event.done_bytes, event.total_bytes, now);
        event.eta_seconds = m_left.seconds();
    }
}

} // namespace ezio
