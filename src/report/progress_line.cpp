// SPDX-License-Identifier: GPL-2.0-or-later
#include "progress_line.hpp"

#include "ezio/util/printable.hpp"
#include "ezio/util/text.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

namespace ezio {

namespace {

constexpr std::size_t narrowest_bar = 8; // with its frame
constexpr std::size_t widest_bar = 42;

// A narrow line has no labels.
enum class Detail { less, more };

// A part of the line. `place` is its width on a terminal; negative: right-aligned.
struct Part {
    std::string text;
    int place = 0;
    int dispensability = 0; // parts with the highest are left out first; 0: never
};

Part phase_part(const ProgressEvent& event)
{
    return {std::string(to_string(event.phase)), 11, 0};
}

Part percent_part(const ProgressEvent& event)
{
    return {fmt::format("{:.1f}%", percent_done(event)), -6, 0};
}

Part amount_part(const ProgressEvent& event)
{
    return {format_part(event.done_bytes, event.total_bytes), 0, 5};
}

Part rate_part(std::string_view label, double rate, int dispensability)
{
    return {fmt::format("{}{:>12}", label, format_rate(rate)), 0, dispensability};
}

// The compression ratio if it saves anything: ", 2.8:1".
std::string ratio_text(double ratio)
{
    constexpr double most = 999;
    const double shown = std::clamp(ratio, 1.0, most);
    return fmt::format(", {:.{}f}:1", shown, shown < 9.95 ? 1 : 0);
}

// The network rate. `payload` and `wire` are totals so far: they decide whether there is a ratio, so that its
// place does not come and go.
Part net_part(std::string_view label, double rate, double ratio, std::uint64_t payload, std::uint64_t wire,
              int dispensability)
{
    constexpr int longest_ratio = 7;
    Part part = rate_part(label, rate, dispensability);
    const bool is_compressed = wire != 0 && payload / 21 > wire / 20; // by 5 %
    if (is_compressed && !label.empty()) {
        part.place = static_cast<int>(columns(part.text)) + longest_ratio;
        part.text += ratio_text(ratio);
    }
    return part;
}

Part download_part(const ProgressEvent& event, std::string_view label, int dispensability)
{
    return net_part(label, event.download_rate, event.download_ratio, event.received_bytes,
                    event.received_wire_bytes, dispensability);
}

Part eta_part(const ProgressEvent& event, Detail detail)
{
    const std::string time = event.eta_seconds ? format_eta(*event.eta_seconds) : "";
    return detail == Detail::less ? Part{time, -6, 1} : Part{time.empty() ? "" : time + " left", -11, 1};
}

Part without_data(const ProgressEvent& event, std::string_view what)
{
    return {event.peers == 0 ? "no peer yet"
                             : fmt::format("{}, no {} yet", counted(event.peers, "peer"), what),
            0, 1};
}

std::vector<Part> seeding_parts(const ProgressEvent& event, Detail detail)
{
    const Part phase = detail == Detail::less ? Part{"seeding", 0, 0} : phase_part(event);
    // Failed clients matter more than the rate at which it sends.
    const bool is_tight = detail == Detail::less && event.clients_failed > 0;
    std::vector<Part> parts{phase,
                            {fmt::format("{} complete", event.clients_complete), 12, is_tight ? 1 : 2},
                            {fmt::format("{} in progress", event.clients_in_progress), 14, is_tight ? 2 : 1}};
    if (event.clients_failed > 0) {
        parts.push_back({fmt::format("{} failed", event.clients_failed), 9, 0});
    }
    if (event.slowest) {
        parts.push_back({fmt::format("slowest {:.1f}% {}", std::floor(event.slowest->percent * 10) / 10,
                                     printable(event.slowest->address)),
                         30, 4});
    }
    parts.push_back(net_part("up ", event.upload_rate, event.upload_ratio, event.uploaded_bytes,
                             event.uploaded_wire_bytes, is_tight ? 3 : 0));
    parts.push_back({"sent " + format_bytes(event.uploaded_bytes), 15, 3});
    return parts;
}

// All parts but the bar, in order.
std::vector<Part> parts_of(const ProgressEvent& event, Detail detail)
{
    std::vector<Part> parts{phase_part(event), percent_part(event)};
    switch (event.phase) {
    case Phase::metadata:
        return {{"getting the metadata", 0, 0}, without_data(event, "metadata")};
    case Phase::mapping:
        return {{"finding the used blocks", 0, 0}};
    case Phase::seeding:
        return seeding_parts(event, detail);
    case Phase::connecting:
        parts.push_back(without_data(event, "data"));
        break;
    case Phase::downloading:
        parts.push_back(amount_part(event));
        parts.push_back(download_part(event, detail == Detail::less ? "" : "net ", 2));
        parts.push_back(rate_part("disk ", event.done_rate, 4));
        parts.push_back({counted(event.peers, "peer"), 9, 3});
        parts.push_back(eta_part(event, detail));
        break;
    case Phase::syncing:
        parts.push_back({"written; waiting for the disk", 0, 1});
        break;
    case Phase::checking:
    case Phase::verifying:
    case Phase::hashing:
        parts.push_back(amount_part(event));
        parts.push_back(rate_part(detail == Detail::less ? "" : "disk ", event.done_rate, 2));
        if (event.phase == Phase::checking && event.received_bytes > 0) { // fetching missing pieces meanwhile
            parts.push_back(download_part(event, "net ", 4));
            parts.push_back({counted(event.peers, "peer"), 9, 3});
        }
        parts.push_back(eta_part(event, detail));
        break;
    }
    return parts;
}

std::string in_place(const Part& part)
{
    const std::size_t size = columns(part.text);
    const auto place = static_cast<std::size_t>(std::abs(part.place));
    const std::string filling(place > size ? place - size : 0, ' ');
    return part.place < 0 ? filling + part.text : part.text + filling;
}

// The width of all parts, each in its place, `gap` columns apart.
std::size_t width_of(const std::vector<Part>& parts, std::size_t gap)
{
    std::size_t width = 0;
    for (const Part& part : parts) {
        width += (width == 0 ? 0 : gap) + columns(in_place(part));
    }
    return width;
}

// Leaves out parts until the rest fits.
void make_fit(std::vector<Part>& parts, std::size_t width, std::size_t gap)
{
    while (width_of(parts, gap) > width) {
        const auto least = std::max_element(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
            return a.dispensability < b.dispensability;
        });
        if (least->dispensability == 0) {
            return;
        }
        parts.erase(least);
    }
}

std::string join(const std::vector<Part>& parts, std::size_t gap)
{
    std::string line;
    for (const Part& part : parts) {
        line += (line.empty() ? "" : std::string(gap, ' ')) + in_place(part);
    }
    return line;
}

} // namespace

std::string_view to_string(Phase phase)
{
    switch (phase) {
    case Phase::metadata:
        return "metadata";
    case Phase::connecting:
        return "connecting";
    case Phase::checking:
        return "checking";
    case Phase::mapping:
        return "mapping";
    case Phase::downloading:
        return "downloading";
    case Phase::syncing:
        return "syncing";
    case Phase::verifying:
        return "verifying";
    case Phase::seeding:
        return "seeding";
    case Phase::hashing:
        return "hashing";
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
    const bool reads_only =
        event.phase == Phase::verifying || event.phase == Phase::hashing || event.phase == Phase::checking;
    const bool finished =
        event.done_bytes >= event.total_bytes && (event.phase == Phase::seeding || reads_only);
    return finished ? 100 : std::min(std::floor(percent * 10) / 10, 99.9);
}

std::string progress_bar(double percent, std::size_t width, Glyphs glyphs)
{
    static constexpr std::array<std::string_view, 8> eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const std::size_t inside = width - std::min<std::size_t>(width, 2);
    const double share = std::clamp(percent, 0.0, 100.0) / 100;
    if (glyphs == Glyphs::ascii) {
        const auto full = static_cast<std::size_t>(share * static_cast<double>(inside));
        return "[" + std::string(full, '#') + std::string(inside - full, '-') + "]";
    }
    const auto filled = static_cast<std::size_t>(share * static_cast<double>(inside) * 8);
    std::string bar = "▕";
    for (std::size_t i = 0; i < filled / 8; ++i) {
        bar += "█";
    }
    bar += eighths.at(filled % 8);
    return bar + std::string(inside - (filled + 7) / 8, ' ') + "▏";
}

std::string format_eta(double seconds)
{
    constexpr double most = 999 * 3600.0;
    const double whole = std::ceil(std::clamp(seconds, 0.0, most));
    if (whole < 600) {
        return format_clock(std::chrono::seconds(static_cast<std::int64_t>(whole)));
    }
    if (whole < 100 * 60) {
        return fmt::format("{:.0f} min", std::ceil(whole / 60));
    }
    return whole < 100 * 3600 ? fmt::format("{:.1f} h", std::ceil(whole / 360) / 10)
                              : fmt::format("{:.0f} h", std::ceil(whole / 3600));
}

std::string progress_line(const ProgressEvent& event, std::size_t width, Glyphs glyphs)
{
    const bool narrow = width < 50;
    const std::size_t gap = narrow ? 1 : 2;
    auto parts = parts_of(event, narrow ? Detail::less : Detail::more);
    std::erase_if(parts, [](const Part& part) { return part.text.empty() && part.place == 0; });
    const bool has_bar =
        event.phase != Phase::seeding && event.phase != Phase::mapping && event.phase != Phase::metadata;
    const bool bar_matters = has_bar && width >= 60; // more than the last details
    make_fit(parts, width - (bar_matters ? std::min(width, narrowest_bar + gap) : 0), gap);
    const std::size_t used = width_of(parts, gap) + gap;
    if (has_bar && used + narrowest_bar <= width) {
        const std::size_t bar = std::min(width - used, widest_bar);
        parts.insert(parts.begin() + 1, {progress_bar(percent_done(event), bar, glyphs), 0, 0});
    }
    return first_columns(without_trailing_space(join(parts, gap)), width);
}

std::string plain_progress(const ProgressEvent& event)
{
    std::string line;
    for (const Part& part : parts_of(event, Detail::more)) {
        std::string text = part.text.substr(std::min(part.text.find_first_not_of(' '), part.text.size()));
        const auto doubled = [&] { return text.find("  "); };
        while (doubled() != std::string::npos) {
            text.erase(doubled(), 1);
        }
        if (!text.empty()) {
            line += (line.empty() ? "" : part.text.back() == '%' ? " " : ", ") + text;
        }
    }
    return line;
}

} // namespace ezio
