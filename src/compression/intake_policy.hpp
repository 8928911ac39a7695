// SPDX-License-Identifier: GPL-2.0-or-later
//
// Decides, from observations of a receiver, whether it wants units. There are two reasons against them:
//     - The disk is behind, and the units that wait for it need more memory than is left for them. Plain
//       blocks stay in the network instead.
//     - The network thread, which unpacks, is busy all the time. That alone proves nothing: it is as busy if
//       units arrive at twice the network's rate. So there is a try without units, as in UnitPolicy, and
//       units are wanted again unless that was faster.
#pragma once

#include "ezio/util/clock.hpp"
#include "try_without.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ezio {

// Observations of one period.
struct ReceivingSample {
    double seconds = 0;
    std::uint64_t payload_bytes = 0; // received from all peers, compressed or not
    std::uint64_t unit_bytes = 0;    // the part of them in units
    double busy = 0;                 // share of the network thread's time, 0 to 1
    std::uint64_t late_bytes = 0;    // bytes of units that wait for the disk
};

// Not thread-safe. The caller passes the time.
class IntakePolicy {
  public:
    static constexpr std::chrono::seconds period{1};

    // `memory` is in bytes; waiting units may take half of it.
    explicit IntakePolicy(std::uint64_t memory) : m_most_late(memory / 2) {}

    // To be called once a period.
    void observe(const ReceivingSample& sample, Clock::time_point now);

    // The bytes of units that wait for the disk have changed. May be called between periods.
    void late(std::uint64_t bytes);

    [[nodiscard]] bool wants_units() const
    {
        return m_try.mode() == TryWithout::Mode::on && !m_disk_is_behind;
    }

    // The reason of the latest change, once.
    [[nodiscard]] std::optional<std::string> take_reason();

  private:
    void look_for_busy(const ReceivingSample& sample, Clock::time_point now);
    void look_at_try(const ReceivingSample& sample, Clock::time_point now);

    const std::uint64_t m_most_late;
    bool m_disk_is_behind = false;
    TryWithout m_try{std::chrono::seconds(10)};
    unsigned m_periods_busy = 0; // in a row
    double m_rate = 0;           // bytes per second in the last of them
    unsigned m_periods_tried = 0;
    std::optional<std::string> m_reason;
};

} // namespace ezio
