// SPDX-License-Identifier: GPL-2.0-or-later
//
// Meters of a transfer: its rates, the time left, and how long nothing has moved.
#pragma once

#include "ezio/report/rate_meter.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/util/clock.hpp"
#include "transfer_policy.hpp"

#include <cstdint>

namespace ezio {

// Totals so far. They only grow, except done_bytes at the beginning of a phase.
struct MovedBytes {
    std::uint64_t received = 0;  // from peers
    std::uint64_t failed = 0;    // of them, in pieces with a wrong hash
    std::uint64_t redundant = 0; // of them, in blocks that were here already or not requested
    std::uint64_t uploaded = 0;
    std::uint64_t written = 0;
    std::uint64_t done = 0;          // in this phase: verified and written, or read
    std::uint64_t received_wire = 0; // bytes on the network for the received ones
    std::uint64_t uploaded_wire = 0;
};

// Not thread-safe.
class TransferMeters {
  public:
    explicit TransferMeters(Clock::time_point now) : m_stall(now), m_sending(now) {}

    // The next phase counts other bytes as done.
    void begin_phase();

    // Before it, nothing could be received or sent.
    void begin_session(Clock::time_point now);

    void observe(const MovedBytes& moved, Clock::time_point now);

    // Fills in the rates, and the time left if the end of `event`'s phase can be predicted.
    // The byte counts of `event` must be set.
    void describe(ProgressEvent& event, Clock::time_point now);

    [[nodiscard]] milliseconds stalled_for(Clock::time_point now) const { return m_stall.stalled_for(now); }
    [[nodiscard]] milliseconds sent_nothing_for(Clock::time_point now) const
    {
        return m_sending.stalled_for(now);
    }

  private:
    RateMeter m_done_rate;
    RateMeter m_download_rate;
    RateMeter m_download_wire_rate;
    RateMeter m_upload_rate;
    RateMeter m_upload_wire_rate;
    TimeLeft m_left; // of the phase
    StallClock m_stall;
    StallClock m_sending;
    std::uint64_t m_useful_bytes = 0; // received, right and not redundant; highest value so far
};

} // namespace ezio
