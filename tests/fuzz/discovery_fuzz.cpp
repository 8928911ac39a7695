// SPDX-License-Identifier: GPL-2.0-or-later
// What any host of the network sends to the group of local service discovery.
#include "ezio/image/sha1.hpp"
#include "ezio/util/require.hpp"
#include "net/discovery_message.hpp"

using namespace ezio;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto message = parse_discovery_message({reinterpret_cast<const char*>(data), size});
    if (message) {
        require(message->port > 0 && !message->info_hashes.empty());
        for (const std::string& info_hash : message->info_hashes) {
            require(parse_sha1(info_hash).has_value());
        }
        require(parse_discovery_message(encode(*message, "239.192.152.143:6771")) == message);
    }
    return 0;
}
