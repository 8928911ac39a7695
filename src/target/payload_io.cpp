// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/payload_io.hpp"

namespace ezio {

std::optional<IoFailure> read_payload(const ExtentMap& map, Target& target, std::uint64_t offset,
                                      std::span<std::byte> data)
{
    for (const auto& range : map.ranges(offset, data.size())) {
        const auto part = data.subspan(range.payload_offset - offset, range.length);
        if (auto failed = target.read_at(range.device_offset, part)) {
            return failed;
        }
    }
    map.clear_padding(offset, data);
    return std::nullopt;
}

} // namespace ezio
