// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a client reports: no text is longer than it may be, and what was parsed is the same when it is said
// again.
#include "ezio/swarm/client_report.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::span<const char> payload(reinterpret_cast<const char*>(data), size);
    (void)ezio::is_heard(payload);
    const auto report = ezio::parse_report(payload);
    if (report) {
        const std::string again = ezio::encode_report(*report);
        const auto parsed = ezio::parse_report(again);
        if (again.size() > ezio::most_report_bytes || !parsed || parsed->id != report->id ||
            !(parsed->report == report->report)) {
            std::abort();
        }
    }
    return 0;
}
