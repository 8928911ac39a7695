// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/image/extent_map.hpp"
#include "ezio/torrent/torrent_encoder.hpp"
#include "ezio/util/require.hpp"

#include <algorithm>
#include <cctype>
#include <string>

using namespace ezio;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto offset = parse_extent_name(text)) {
        std::string canonical(text);
        std::transform(canonical.begin(), canonical.end(), canonical.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        canonical.insert(0, 32 - canonical.size(), '0');
        require(extent_name(*offset) == canonical);
    }
    return 0;
}
