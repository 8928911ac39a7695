// SPDX-License-Identifier: GPL-2.0-or-later
//
// How a transfer moves: its rates, the time that is left, and for how long nothing has moved.
#pragma once

#include "ezio/report/rate_meter.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/util/clock.hpp"
#include "transfer_policy.hpp"

#include <cstdint>

namespace ezio {

// So far; none of them ever shrinks, but done_bytes at the beginning of a phase.
struct MovedBytes {
    std::uint64_t received = 0;  // from peers
    std::uint64_t failed = 0;    // of them, of pieces whose hash was wrong
    std::uint64_t redundant = 0; // of them, of blocks that were here already, or that nobody had asked for
    std::uint64_t uploaded = 0;
    std::uint64_t written = 0;
    std::uint64_t done = 0;          // in this phase: verified and written, or read
    std::uint64_t received_wire = 0; // what the received ones took of the network
    std::uint64_t uploaded_wire = 0;
};

// Not thread-safe.
class TransferMeters {
  public:
    explicit TransferMeters(Clock::time_point now) : m_stall(now), m_sending(now) {}

    // Another phase counts other bytes as done.
    void begin_phase();

    // Nothing could be received or sent before.
    void begin_session(Clock::time_point now);

    void observe(const MovedBytes& moved, Clock::time_point now);

    // Fills in the rates and, of `event`'s phase if it has an end that can be foreseen, the time left.
    // `event` has its bytes already.
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
    std::uint64_t m_useful_bytes = 0; // received, not found wrong and not redundant, at most so far
};

} // namespace ezio
