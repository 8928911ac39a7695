// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer_notes.hpp"

#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <utility>

namespace ezio {

std::string describe_port(const ListenPlace& place)
{
    if (place.endpoints.empty()) {
        return "it does not listen";
    }
    const std::uint16_t port = place.endpoints.front().port();
    if (!place.reservation) {
        return fmt::format("port {} is the one that --listen names", port);
    }
    if (place.ports_taken == 0) {
        return fmt::format("port {} is the first one of {} to {}, and free", port, first_port, last_port);
    }
    return fmt::format("port {} is the first free one of {} to {}: {} before it {} taken", port, first_port,
                       last_port, place.ports_taken, place.ports_taken == 1 ? "is" : "are");
}

std::string describe_web_seeds_left_out(std::size_t count)
{
    return count == 0
               ? ""
               : fmt::format("the torrent names {}, not used without --web-seed", counted(count, "web seed"));
}

std::string describe_memory(std::uint64_t memory)
{
    return fmt::format("blocks have {} of memory (--memory); peers wait when most of it waits for the target",
                       format_bytes(memory));
}

std::string describe_forwarded(std::uint64_t sent, std::uint64_t forwarded)
{
    return fmt::format("of {} that were sent compressed, {} needed no compressing: they arrived compressed "
                       "or had been sent before",
                       format_bytes(sent), format_bytes(forwarded));
}

std::string describe_writers(bool is_rotational)
{
    return is_rotational ? "the target is a rotating disk: one thread writes, in the disk's order"
                         : "the target is not a rotating disk: several threads write";
}

std::string describe_page_cache(PageCache page_cache, std::uint64_t payload_bytes)
{
    const std::string size = format_bytes(payload_bytes);
    return page_cache == PageCache::keep
               ? fmt::format("the kernel may cache the image: its {} fit in the memory that is available",
                             size)
               : fmt::format("the kernel's cache of the image is dropped as it is used: its {} are more than "
                             "half of the memory that is available",
                             size);
}

std::string describe_staying(std::optional<milliseconds> seed_time)
{
    if (!seed_time) {
        return "it serves others until it is stopped";
    }
    if (*seed_time == milliseconds{0}) {
        return "it does not stay to serve others (--seed-time 0)";
    }
    return fmt::format("it serves others while a connected peer needs data, for {} at most (--seed-time)",
                       format_duration(*seed_time));
}

std::string describe_kept(std::uint32_t right_pieces, std::uint32_t all_pieces)
{
    return fmt::format("{} of {} {} already right", format_count(right_pieces), counted(all_pieces, "piece"),
                       right_pieces == 1 ? "is" : "are");
}

std::string describe_gpt_copy(const std::string& target)
{
    return fmt::format(
        "{} is larger than the disk that the image is of, and the copy of its GPT is not at its "
        "end; move it there with sgdisk -e {}, or fetch with --expand-gpt",
        target, target);
}

std::string describe_gpt_fault(const GptMove& gpt)
{
    switch (gpt.outcome) {
    case GptPlan::Outcome::none:
        return "there is no GPT in it";
    case GptPlan::Outcome::damaged:
        return fmt::format("its GPT is damaged: {}; see sgdisk --verify", gpt.reason);
    case GptPlan::Outcome::unreadable:
        return "its GPT cannot be read";
    case GptPlan::Outcome::at_the_end:
    case GptPlan::Outcome::movable:
        break;
    }
    return {};
}

std::string describe_gpt_move(const std::string& target, const GptMove& gpt)
{
    return gpt.outcome == GptPlan::Outcome::movable
               ? fmt::format("the copy of the GPT was moved to the end of {}", target)
               : fmt::format("the copy of the GPT is at the end of {} already", target);
}

std::optional<std::string> HoldNotes::observe(std::uint64_t holds, Clock::time_point now)
{
    if (holds == m_told || (m_last && now - *m_last < interval)) {
        return std::nullopt;
    }
    m_last = now;
    const std::uint64_t times = holds - std::exchange(m_told, holds);
    return fmt::format("the target is slower than the network: peers had to wait for it ({})",
                       counted(times, "time"));
}

bool StallNotes::observe(milliseconds stalled_for)
{
    if (stalled_for < first) {
        m_next = first;
        return false;
    }
    if (stalled_for < m_next) {
        return false;
    }
    m_next = 2 * stalled_for;
    return true;
}

} // namespace ezio
