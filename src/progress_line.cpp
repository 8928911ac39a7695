// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/progress_line.hpp"

#include "ezio/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace ezio {

namespace {

constexpr std::size_t bar_width = 20;

std::string bar(double percent)
{
    const auto filled = static_cast<std::size_t>(percent / 100 * bar_width);
    return "[" + std::string(filled, '#') + std::string(bar_width - filled, '-') + "]";
}

std::string peers_text(const ProgressEvent& event)
{
    return fmt::format("{} peer{}", event.peers, event.peers == 1 ? "" : "s");
}

// The parts of the line, in order, each with how soon it is left out: the highest goes first.
struct Part {
    std::string text;
    int dispensability;
};

std::vector<Part> parts_of(const ProgressEvent& event)
{
    if (event.phase == Phase::seeding) {
        return {{"seeding", 0},
                {peers_text(event), 1},
                {fmt::format("{} complete", event.peers_complete), 2},
                {"up " + format_rate(event.upload_rate), 1},
                {"sent " + format_bytes(event.uploaded_bytes), 3}};
    }
    if (event.phase == Phase::mapping) {
        return {{"finding the used blocks", 0}};
    }
    std::vector<Part> parts{
        {std::string(to_string(event.phase)), 0},
        {bar(percent_done(event)), 4},
        {fmt::format("{:.1f}%", percent_done(event)), 0},
        {fmt::format("{} of {}", format_bytes(event.done_bytes), format_bytes(event.total_bytes)), 3}};
    if (event.phase == Phase::verifying || event.phase == Phase::hashing) {
        parts.push_back({format_rate(event.done_rate), 1});
    } else if (event.phase != Phase::syncing) {
        parts.push_back({format_rate(event.download_rate), 1});
        parts.push_back({peers_text(event), 2});
    }
    if (event.eta_seconds) {
        const auto eta = std::chrono::seconds(static_cast<std::int64_t>(std::ceil(*event.eta_seconds)));
        parts.push_back({"ETA " + format_clock(eta), 1});
    }
    return parts;
}

std::string join(const std::vector<Part>& parts)
{
    std::string line;
    for (const Part& part : parts) {
        line += (line.empty() ? "" : "  ") + part.text;
    }
    return line;
}

} // namespace

std::string_view to_string(Phase phase)
{
    switch (phase) {
    case Phase::connecting:
        return "connecting";
    case Phase::checking:
        return "checking";
    case Phase::mapping:
        return "mapping";
    case Phase::hashing:
        return "hashing";
    case Phase::downloading:
        return "downloading";
    case Phase::syncing:
        return "syncing";
    case Phase::seeding:
        return "seeding";
    case Phase::verifying:
        return "verifying";
    }
    return "";
}

double percent_done(const ProgressEvent& event)
{
    if (event.total_bytes == 0) {
        return 0;
    }
    const double percent =
        100.0 * static_cast<double>(event.done_bytes) / static_cast<double>(event.total_bytes);
    const bool is_final = event.phase == Phase::seeding || event.phase == Phase::verifying ||
                          event.phase == Phase::hashing;
    const bool finished = event.done_bytes >= event.total_bytes && is_final;
    return finished ? 100 : std::min(std::floor(percent * 10) / 10, 99.9);
}

std::string progress_line(const ProgressEvent& event, std::size_t width)
{
    auto parts = parts_of(event);
    while (join(parts).size() > width && parts.size() > 1) {
        const auto least = std::max_element(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
            return a.dispensability < b.dispensability;
        });
        parts.erase(least);
    }
    return join(parts).substr(0, width);
}

} // namespace ezio
