// SPDX-License-Identifier: GPL-2.0-or-later
//
// How hard to compress, and whether at all, by what is observed of the sending: several levels, of which each
// takes more of a processor and less of the network, and no compression.
//
// Where the threads have time to spare and the network never waits for them, the next level costs nothing.
// Where the network waits, and the threads are busy, they are what is slow: a level down. On the lowest level
// they may still be slower than the network is without them, and only a try tells: for a moment everything is
// sent as it is. There is one wherever they are busy, also when the network does not wait for them: a peer on
// the same machine, or one that writes or unpacks slowly, then is slow for want of what they use. (A rule
// without that try turned compression off on 1 Gbit/s, where data that shrinks well does not fill the
// network, though it comes twice as fast as uncompressed.)
#pragma once

#include "ezio/util/clock.hpp"
#include "try_without.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ezio {

// Of one period.
struct SendingSample {
    double seconds = 0;
    std::uint64_t payload_bytes = 0; // sent to all peers, compressed or not
    unsigned units = 0;              // that were compressed
    unsigned starved = 0;            // of them, while the network had nothing else to send
    double busy = 0;                 // of the threads' time, 0 to 1; also while they wait for a processor
    bool is_limited = false;         // by --max-upload, whose bursts look as if the network waited
};

// Not thread-safe; no clock but the given one.
class UnitPolicy {
  public:
    static constexpr milliseconds period{50};
    static constexpr unsigned levels = 4; // lz4, zstd -1, 1 and 3

    // Once a period.
    void observe(const SendingSample& sample, Clock::time_point now);

    [[nodiscard]] bool compresses() const { return m_try.mode() == TryWithout::Mode::on; }
    [[nodiscard]] unsigned level() const { return m_level; }

    // Why it has changed its mind, once.
    [[nodiscard]] std::optional<std::string> take_reason();

  private:
    void look_at_level(const SendingSample& sample, Clock::time_point now);
    void begin_try();
    void look_at_try(const SendingSample& sample, Clock::time_point now);
    void turn_on();
    void change_level(unsigned level, const char* why);

    TryWithout m_try{std::chrono::seconds(2)};
    unsigned m_level = 0;
    unsigned m_periods_up = 0; // in a row, that ask for the next level
    unsigned m_periods_down = 0;
    unsigned m_periods_busy = 0;
    double m_rate = 0; // bytes per second, of late, with compression

    unsigned m_periods_tried = 0;
    std::uint64_t m_tried_bytes = 0;
    double m_tried_seconds = 0;
    std::optional<std::string> m_reason;
};

} // namespace ezio
