// SPDX-License-Identifier: GPL-2.0-or-later
//
// Decides when a transfer has waited long enough, and when it may leave. Pure functions, without a session.
#pragma once

#include "ezio/util/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ezio {

// A complete fetch may leave when no peer has needed data for this long: none is about to return.
inline constexpr milliseconds leave_grace{1000};

// Why a complete fetch may leave, if it may: no peer needs it any more, or it has served for `seed_time`.
[[nodiscard]] std::optional<std::string> may_leave(milliseconds since_complete, milliseconds since_needed,
                                                   milliseconds seed_time);

// A complete fetch stays at least this long, so that peers learn that it is complete.
inline constexpr milliseconds last_words{300};

// The longest wait at the end of a fetch for seeders to acknowledge its last report: less than
// Deadline::patience. The acknowledgement arrives after the data that was requested.
inline constexpr milliseconds last_report_patience{1500};

// The facts about a seed that decide when it leaves.
struct SeedingFacts {
    milliseconds since_start{0};
    milliseconds since_sent{0}; // since the last byte, or the start
    unsigned clients_complete = 0;
};
struct SeedingLimits { // none: it stays
    std::optional<milliseconds> seed_time;
    std::optional<milliseconds> idle_timeout;
    std::optional<unsigned> clients;
};

// Why a seed may leave, if it may: its first limit that has passed.
[[nodiscard]] std::optional<std::string> seed_may_leave(const SeedingFacts& facts,
                                                        const SeedingLimits& limits);

// Measures how long nothing has moved.
class StallClock {
  public:
    explicit StallClock(Clock::time_point now) : m_since(now) {}

    // `moved` is any sum that grows with each movement.
    void observe(std::uint64_t moved, Clock::time_point now)
    {
        if (moved != m_moved) {
            m_moved = moved;
            m_since = now;
        }
    }
    [[nodiscard]] milliseconds stalled_for(Clock::time_point now) const
    {
        return std::chrono::duration_cast<milliseconds>(now - m_since);
    }

  private:
    std::uint64_t m_moved = 0;
    Clock::time_point m_since;
};

// How long to wait before asking trackers and the local network for peers again, when no peer was connected
// for `lonely`; zero: a peer is connected. Later peers announce themselves, so the interval can grow.
[[nodiscard]] milliseconds search_interval(milliseconds lonely);

// After this many disconnections, from any port, a host is banned. For wrong data once is enough, unless
// other peers are connected from that address, which may be a router's.
inline constexpr unsigned bans_until_kept_out = 3;

// The facts about the swarm while waiting.
struct SwarmFacts {
    unsigned peers = 0;
    unsigned peers_with_data = 0; // with at least one piece
    unsigned named_peers = 0;     // --peer
    unsigned trackers = 0;
    bool lsd = false;
    std::string last_tracker_error;
    std::string last_refusal;  // "10.0.0.7: certificate verify failed": of a TLS handshake
    unsigned banned_peers = 0; // for wrong data
};

// What a fetch waits for, for the end of a sentence: "no peer is connected (tried: 1 --peer, ...)".
[[nodiscard]] std::string describe_wait(const SwarmFacts& facts);

// How long a fetch has waited.
struct WaitingFacts {
    milliseconds since_start{0};
    milliseconds since_moved{0}; // anything
    std::uint64_t done_bytes = 0;
    std::uint64_t total_bytes = 0;
    bool has_begun = false; // something has moved, and the target accepts it
};
struct WaitingLimits { // none: it waits
    std::optional<milliseconds> timeout;
    std::optional<milliseconds> stall_timeout;
};

// The first limit to pass if nothing moves from now on.
struct NextLimit {
    milliseconds left; // until then; negative: it has passed
    std::string reason;
};
[[nodiscard]] std::optional<NextLimit> next_limit(const WaitingFacts& facts, const WaitingLimits& limits);

// The same for a seed that sends nothing from now on.
[[nodiscard]] std::optional<NextLimit> next_limit(const SeedingFacts& facts, const SeedingLimits& limits);

// Why to give up waiting, if it is time; `waits_for` is what it waits for.
[[nodiscard]] std::optional<std::string>
waited_too_long(const WaitingFacts& facts, const WaitingLimits& limits, const std::string& waits_for);

} // namespace ezio
