// SPDX-License-Identifier: GPL-2.0-or-later
//
// The message of local service discovery (BEP 14): "I take part in these torrents and listen on this port."
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
    std::string cookie;                   // the sender's, to recognize its own messages; may be empty
    bool operator==(const DiscoveryMessage&) const = default;
};

// Encodes the packet. `host` is the destination group, such as "239.192.152.143:6771".
[[nodiscard]] std::string encode(const DiscoveryMessage& message, std::string_view host);

// Empty if it is another kind of packet, or has no valid port or info-hash. Unknown headers are ignored.
[[nodiscard]] std::optional<DiscoveryMessage> parse_discovery_message(std::string_view packet);

} // namespace ezio
