// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/page_cache.hpp"

#include "ezio/util/units.hpp"

#include <fstream>
#include <limits>
#include <string>

namespace ezio {

namespace {

constexpr std::uint64_t window = 4_MiB; // larger than the largest folio of the kernel's read-ahead

} // namespace

PageCache choose_page_cache(std::uint64_t payload_bytes, std::uint64_t available_bytes)
{
    return payload_bytes > available_bytes / 2 ? PageCache::drop : PageCache::keep;
}

PageCache page_cache_for(std::uint64_t payload_bytes)
{
    std::ifstream file("/proc/meminfo");
    std::string name;
    for (std::uint64_t kib = 0; file >> name >> kib;
         file.ignore(std::numeric_limits<std::streamsize>::max(), '\n')) {
        if (name == "MemAvailable:") {
            return choose_page_cache(payload_bytes, kib << 10);
        }
    }
    return PageCache::keep;
}

DropWindows windows_ended_by(std::uint64_t offset, std::uint64_t length)
{
    const std::uint64_t first = offset / window * window;
    return {first, (offset + length) / window * window - first};
}

} // namespace ezio
