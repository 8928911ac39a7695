// SPDX-License-Identifier: GPL-2.0-or-later
//
// A transfer's decisions and their reasons as sentences for --verbose. Pure functions.
#pragma once

#include "ezio/disk/move_gpt.hpp"
#include "ezio/net/addresses.hpp"
#include "ezio/target/page_cache.hpp"
#include "ezio/util/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace ezio {

// Why this port was chosen.
[[nodiscard]] std::string describe_port(const ListenPlace& place);

// The memory, how the target is written, and how the kernel's cache is used.
[[nodiscard]] std::string describe_memory(std::uint64_t memory);
[[nodiscard]] std::string describe_writers(bool is_rotational);
[[nodiscard]] std::string describe_page_cache(PageCache page_cache, std::uint64_t payload_bytes);

// The number of web seeds in the torrent that are not used; empty for none.
[[nodiscard]] std::string describe_web_seeds_left_out(std::size_t count);

// How long a complete fetch stays; none: until it is stopped.
[[nodiscard]] std::string describe_staying(std::optional<milliseconds> seed_time);

// After a check: how much is already there.
[[nodiscard]] std::string describe_kept(std::uint32_t right_pieces, std::uint32_t all_pieces);

// About the copy of a GPT on a larger disk: that it is not at the end, why it could not be moved (empty: it
// was moved, or is there), and that it is there now.
[[nodiscard]] std::string describe_gpt_copy(const std::string& target);
[[nodiscard]] std::string describe_gpt_fault(const GptMove& gpt);
[[nodiscard]] std::string describe_gpt_move(const std::string& target, const GptMove& gpt);

// A target slower than the network makes peers wait, possibly many times a second. Decides when to report
// that, and how often it happened.
class HoldNotes {
  public:
    // `holds` is the number of times so far. Returns a sentence from time to time, if there were new ones.
    [[nodiscard]] std::optional<std::string> observe(std::uint64_t holds, Clock::time_point now);

  private:
    static constexpr milliseconds interval{10'000};
    std::uint64_t m_told = 0;
    std::optional<Clock::time_point> m_last;
};

// At the end: how many of the payload bytes sent compressed were reused.
[[nodiscard]] std::string describe_forwarded(std::uint64_t sent, std::uint64_t forwarded);

// When nothing moves: reports it after some seconds, then each time the duration has doubled.
class StallNotes {
  public:
    // `stalled_for`: how long nothing has moved. Returns whether to report it now.
    [[nodiscard]] bool observe(milliseconds stalled_for);

  private:
    static constexpr milliseconds first{5000};
    milliseconds m_next = first;
};

} // namespace ezio
