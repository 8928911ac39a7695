// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/require.hpp"
#include "ezio/util/units.hpp"

using namespace ezio;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto bytes = parse_size(text)) {
        require(*bytes <= std::uint64_t{1} << 63);
        require(!format_bytes(*bytes).empty() && !format_count(*bytes).empty());
        require(parse_size(std::to_string(*bytes)) == bytes);
    }
    if (const auto time = parse_duration(text)) {
        require(time->count() >= 0 && *time <= std::chrono::hours(24 * 3653));
        require(!format_duration(*time).empty());
        require(!format_clock(std::chrono::duration_cast<std::chrono::seconds>(*time)).empty());
    }
    return 0;
}
