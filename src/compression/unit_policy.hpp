// SPDX-License-Identifier: GPL-2.0-or-later
//
// Decides how hard to compress, and whether at all, from observations of a sender. There are several levels,
// each of which takes more processor time and less of the network, and no compression.
//
// If the threads have time to spare and the network never waits for them, the next level costs nothing. If
// the network waits and the threads are busy, compression is the bottleneck: one level down. On the lowest
// level compression can still be slower than the plain network, and only a try can tell: for a moment
// everything is sent uncompressed. A try happens whenever the threads are busy, even if the network does not
// wait for them: a peer on the same machine, or one that writes or unpacks slowly, may lack the processor
// time that they use. (A rule without that try turned compression off on 1 Gbit/s, where compressible data
// does not fill the network, although it arrives twice as fast as uncompressed.)
#pragma once

#include "ezio/util/clock.hpp"
#include "try_without.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ezio {

// Observations of one period.
struct SendingSample {
    double seconds = 0;
    std::uint64_t payload_bytes = 0; // sent to all peers, compressed or not
    unsigned units = 0;              // compressed
    unsigned starved = 0;            // of them, while the network had nothing else to send
    double busy = 0;                 // share of the threads' time, 0 to 1; includes waiting for a processor
    bool is_limited = false;         // by --max-upload, whose bursts look like a waiting network
};

// Not thread-safe. The caller passes the time.
class UnitPolicy {
  public:
    static constexpr milliseconds period{50};
    static constexpr unsigned levels = 4; // lz4, zstd -1, 1 and 3

    // To be called once a period.
    void observe(const SendingSample& sample, Clock::time_point now);

    [[nodiscard]] bool compresses() const { return m_try.mode() == TryWithout::Mode::on; }
    [[nodiscard]] unsigned level() const { return m_level; }

    // The reason of the latest change, once.
    [[nodiscard]] std::optional<std::string> take_reason();

  private:
    void look_at_level(const SendingSample& sample, Clock::time_point now);
    void begin_try();
    void look_at_try(const SendingSample& sample, Clock::time_point now);
    void turn_on();
    void change_level(unsigned level, const char* why);

    TryWithout m_try{std::chrono::seconds(2)};
    unsigned m_level = 0;
    unsigned m_periods_up = 0; // in a row that ask for the next level
    unsigned m_periods_down = 0;
    unsigned m_periods_busy = 0;
    double m_rate = 0; // recent bytes per second with compression

    unsigned m_periods_tried = 0;
    std::uint64_t m_tried_bytes = 0;
    double m_tried_seconds = 0;
    std::optional<std::string> m_reason;
};

} // namespace ezio
