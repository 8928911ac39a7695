// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a transfer has decided and why, as sentences for --verbose. Pure functions.
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

// Why it listens where it listens.
[[nodiscard]] std::string describe_port(const ListenPlace& place);

// How much memory, how the target is written and what becomes of the kernel's cache.
[[nodiscard]] std::string describe_memory(std::uint64_t memory);
[[nodiscard]] std::string describe_writers(bool is_rotational);
[[nodiscard]] std::string describe_page_cache(PageCache page_cache, std::uint64_t payload_bytes);

// How many web seeds of the torrent are not used; empty for none.
[[nodiscard]] std::string describe_web_seeds_left_out(std::size_t count);

// What a complete fetch stays for; none: until it is stopped.
[[nodiscard]] std::string describe_staying(std::optional<milliseconds> seed_time);

// After a check: how much is there already.
[[nodiscard]] std::string describe_kept(std::uint32_t right_pieces, std::uint32_t all_pieces);

// The copy of a GPT that is not at the end of a larger disk: that it is not, why it cannot be moved there
// (empty: it was moved, or is there), and that it is there now.
[[nodiscard]] std::string describe_gpt_copy(const std::string& target);
[[nodiscard]] std::string describe_gpt_fault(const GptMove& gpt);
[[nodiscard]] std::string describe_gpt_move(const std::string& target, const GptMove& gpt);

// A target that is slower than the network makes peers wait, perhaps many times a second. When to say so, and
// how often that has been.
class HoldNotes {
  public:
    // `holds` is the number of times so far. A sentence, now and then, if there were new ones.
    [[nodiscard]] std::optional<std::string> observe(std::uint64_t holds, Clock::time_point now);

  private:
    static constexpr milliseconds interval{10'000};
    std::uint64_t m_told = 0;
    std::optional<Clock::time_point> m_last;
};

// At the end: what became of compression, of so many bytes of the payload that were sent by way of it.
[[nodiscard]] std::string describe_forwarded(std::uint64_t sent, std::uint64_t forwarded);

// When nothing moves: says so after some seconds, then each time it has lasted twice as long.
class StallNotes {
  public:
    // For how long nothing has moved. Returns whether it is time to say it.
    [[nodiscard]] bool observe(milliseconds stalled_for);

  private:
    static constexpr milliseconds first{5000};
    milliseconds m_next = first;
};

} // namespace ezio
