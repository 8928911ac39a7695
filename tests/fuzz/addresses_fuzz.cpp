// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/net/addresses.hpp"
#include "ezio/util/require.hpp"

using namespace ezio;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto parsed = parse_host_port(text)) { // names are not looked up here
        require(!parsed->port || *parsed->port > 0);
        require(parsed->host.size() <= text.size());
    }
    return 0;
}
