// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel says of mounts. The names in it are those of whoever has mounted something.
#include "ezio/target/device_use.hpp"
#include "ezio/util/require.hpp"

#include <algorithm>

using namespace ezio;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
    const auto mounts = parse_mountinfo(text);
    require(mounts.size() <= static_cast<std::size_t>(lines));
    for (const Mounted& mount : mounts) {
        require(!mount.point.empty() && !mount.source.empty());
        require(mount.point.size() + mount.source.size() <= size);
    }
    return 0;
}
