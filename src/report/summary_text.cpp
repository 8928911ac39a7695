// SPDX-License-Identifier: GPL-2.0-or-later
#include "summary_text.hpp"

#include "client_table.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

namespace ezio {

namespace {

struct Sources {
    std::uint64_t bytes = 0;
    unsigned count = 0;
};

// "2.1 GiB from 1 seeder", or nothing.
std::string from(const Sources& sources, std::string_view whom)
{
    return sources.count == 0
               ? ""
               : fmt::format("{} from {}", format_bytes(sources.bytes), counted(sources.count, whom));
}

std::string received_text(const SummaryEvent& event)
{
    Sources seeders;
    Sources clients;
    for (const PeerTotals& peer : event.peers) {
        if (peer.received_bytes > 0) {
            Sources& kind = peer.seeder ? seeders : clients;
            kind.bytes += peer.received_bytes;
            ++kind.count;
        }
    }
    const std::string from_seeders = from(seeders, "seeder");
    const std::string from_clients = from(clients, "other client");
    std::string text = "received " + format_bytes(event.received_bytes);
    if (!from_seeders.empty() || !from_clients.empty()) {
        text +=
            ": " + from_seeders + (from_seeders.empty() || from_clients.empty() ? "" : ", ") + from_clients;
    }
    if (event.redundant_bytes > 0) {
        text += fmt::format("; {} of it twice", format_bytes(event.redundant_bytes));
    }
    if (event.failed_pieces > 0) {
        text += fmt::format("; {} failed the hash", counted(event.failed_pieces, "piece"));
    }
    return text;
}

std::string written_text(const SummaryEvent& event)
{
    std::string text = "wrote " + format_bytes(event.written_bytes);
    if (event.skipped_bytes > 0) {
        text += fmt::format(", skipped {} that was already right", format_bytes(event.skipped_bytes));
    }
    return text;
}

// "linux_raid_member at byte 335478784, zfs_member at 125 places".
std::string wiped_text(const SummaryEvent& event)
{
    std::map<std::string, std::vector<std::uint64_t>> places;
    for (const WipedSignature& each : event.wiped) {
        places[each.type].push_back(each.offset);
    }
    std::string text;
    for (const auto& [type, offsets] : places) {
        text += fmt::format("{}{} at {}", text.empty() ? "" : ", ", type,
                            offsets.size() == 1 ? fmt::format("byte {}", offsets.front())
                                                : counted(offsets.size(), "place"));
    }
    return text;
}

std::string time_of(const SummaryEvent& event)
{
    return format_clock(std::chrono::seconds(std::llround(event.seconds)));
}

std::string sent_text(const SummaryEvent& event)
{
    const auto served = static_cast<std::uint64_t>(
        std::count_if(event.peers.begin(), event.peers.end(),
                      [](const PeerTotals& peer) { return peer.uploaded_bytes > 0; }));
    const std::string clients = served == 0 ? "" : " to " + counted(served, "client");
    return fmt::format(
        "sent {}{} in {} ({})", format_bytes(event.uploaded_bytes), clients, time_of(event),
        format_rate(static_cast<double>(event.uploaded_bytes) / std::max(event.seconds, 1e-3)));
}

} // namespace

std::vector<std::string> summary_text(const std::string& command, const SummaryEvent& event)
{
    if (command == "fetch") {
        std::vector<std::string> lines{received_text(event),
                                       fmt::format("{}; sent {}; {} in all", written_text(event),
                                                   format_bytes(event.uploaded_bytes), time_of(event))};
        if (!event.wiped.empty()) {
            lines.push_back("wiped leftover signatures: " + wiped_text(event));
        }
        return lines;
    }
    if (command == "seed") {
        std::vector<std::string> lines = client_results(event.clients.value_or(ClientList()));
        if (event.status == ExitStatus::done) { // an error has its own message
            lines.push_back(sent_text(event));
        }
        return lines;
    }
    return {fmt::format("read {} in {:.1f} s ({})", format_bytes(event.total_bytes), event.seconds,
                        format_rate(static_cast<double>(event.total_bytes) / std::max(event.seconds, 1e-3)))};
}

} // namespace ezio
