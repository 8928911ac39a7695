// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is said in local service discovery (BEP 14): "I have to do with this torrent, and listen on this
// port."
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

struct DiscoveryMessage {
    std::uint16_t port = 0;
    std::vector<std::string> info_hashes; // 40 hex digits, in lower case
    std::string cookie;                   // the sender's, by which it knows its own messages; may be empty
    bool operator==(const DiscoveryMessage&) const = default;
};

// The packet; `host` is the group it goes to: "239.192.152.143:6771".
[[nodiscard]] std::string encode(const DiscoveryMessage& message, std::string_view host);

// Empty when it is no such message, or has no valid port or info-hash. Headers that are unknown do not
// matter.
[[nodiscard]] std::optional<DiscoveryMessage> parse_discovery_message(std::string_view packet);

} // namespace ezio
