// SPDX-License-Identifier: GPL-2.0-or-later
//
// The message with which a fetch reports to a seeder, and the answer to its last one: payloads of a BEP 10
// extension, both bencoded dictionaries.
//
//     fetch -> seed   d4:done i..e 4:host .. 2:id .. 5:state .. 6:target .. 1:v i1e ..e
//     seed -> fetch   d5:heard 1:1 e    once for each report of a final state: the process may end
//
// `id` is a random text that a fetch sends only to seeders. A seeder identifies a client by it, so that
// others, who know its address and its process id, cannot report in its name.
#pragma once

#include "ezio/report/client_status.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace ezio {

// The key in the extension handshake. A seed receives reports under this number, a fetch the answers; a fetch
// thereby also announces that it will report.
inline constexpr const char* report_key = "ezio_report1";
inline constexpr int report_extension = 41;

// The key in the extension handshake of `ezio-cli seed`, which is not a client.
inline constexpr const char* seed_key = "ezio_seed";

inline constexpr std::size_t most_report_bytes = 1024;

struct IdentifiedReport {
    std::string id;
    ClientReport report;
};

// A new random id for this process.
[[nodiscard]] std::string make_report_id();

// At most most_report_bytes: texts are cut to the room in a table.
[[nodiscard]] std::string encode_report(const IdentifiedReport& report);

// Parses untrusted bytes; empty if they are invalid. Texts are cut as above and otherwise unchanged: printing
// them safely is left to the reporters.
[[nodiscard]] std::optional<IdentifiedReport> parse_report(std::span<const char> payload);

[[nodiscard]] std::string encode_heard();
[[nodiscard]] bool is_heard(std::span<const char> payload);

} // namespace ezio
