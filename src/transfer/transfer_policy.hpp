// SPDX-License-Identifier: GPL-2.0-or-later
//
// When a transfer has waited long enough, and when it may leave: decisions without a session.
#pragma once

#include "ezio/util/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ezio {

// After a fetch is complete: nobody has needed data for this long, so nobody is about to come back.
inline constexpr milliseconds leave_grace{1000};

// Why a complete fetch may leave, in words, if it may: nobody needs it any more, or it has served for
// `seed_time`.
[[nodiscard]] std::optional<std::string> may_leave(milliseconds since_complete, milliseconds since_needed,
                                                   milliseconds seed_time);

// A complete fetch stays at least this long: peers hear within it that it is complete.
inline constexpr milliseconds last_words{300};

// The longest that the end of a fetch waits for seeders to acknowledge its last report: less than
// Deadline::patience. The acknowledgement comes behind the data that was asked for.
inline constexpr milliseconds last_report_patience{1500};

// How a seed has fared, and when it is to leave.
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

// Why a seed may leave, in words, if it may: the first of its limits.
[[nodiscard]] std::optional<std::string> seed_may_leave(const SeedingFacts& facts,
                                                        const SeedingLimits& limits);

// How long nothing has moved.
class StallClock {
  public:
    explicit StallClock(Clock::time_point now) : m_since(now) {}

    // `moved` is any sum that grows when something moves.
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

// How long to wait before trackers and the local network are asked again who is there, when nobody has been
// connected for `lonely`; zero: somebody is. Who comes later announces itself, so it need not be often for
// ever.
[[nodiscard]] milliseconds search_interval(milliseconds lonely);

// A host that was hung up on so often, from whatever port, is kept out. For wrong data the first time is
// enough, unless others are connected from that address: it may be that of a router.
inline constexpr unsigned bans_until_kept_out = 3;

// What is known of the swarm while waiting.
struct SwarmFacts {
    unsigned peers = 0;
    unsigned peers_with_data = 0; // that have a piece
    unsigned named_peers = 0;     // --peer
    unsigned trackers = 0;
    bool lsd = false;
    std::string last_tracker_error;
    std::string last_refusal;  // "10.0.0.7: certificate verify failed": of a TLS handshake
    unsigned banned_peers = 0; // they sent wrong data
};

// What a fetch waits for, for the end of a sentence: "no peer is connected (tried: 1 --peer, ...)".
[[nodiscard]] std::string describe_wait(const SwarmFacts& facts);

// How long a fetch has waited, and for how long it may.
struct WaitingFacts {
    milliseconds since_start{0};
    milliseconds since_moved{0}; // anything
    std::uint64_t done_bytes = 0;
    std::uint64_t total_bytes = 0;
    bool has_begun = false; // something has moved, and the target takes it
};
struct WaitingLimits { // none: it waits
    std::optional<milliseconds> timeout;
    std::optional<milliseconds> stall_timeout;
};

// The limit that passes first when nothing moves from now on.
struct NextLimit {
    milliseconds left; // until then; negative: it has passed
    std::string reason;
};
[[nodiscard]] std::optional<NextLimit> next_limit(const WaitingFacts& facts, const WaitingLimits& limits);

// The same of a seed that sends nothing from now on.
[[nodiscard]] std::optional<NextLimit> next_limit(const SeedingFacts& facts, const SeedingLimits& limits);

// Why it is not to wait any longer, in words, if that is so; `waits_for` is what it waits for.
[[nodiscard]] std::optional<std::string>
waited_too_long(const WaitingFacts& facts, const WaitingLimits& limits, const std::string& waits_for);

} // namespace ezio
