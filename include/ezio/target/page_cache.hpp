// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether the kernel keeps read and written data in its cache. An image that fits into free memory stays
// cached, because it is read again for other peers. A larger one would only evict the data of other programs,
// and be evicted itself before it is read again, so it is dropped right after use.
#pragma once

#include <cstdint>

namespace ezio {

enum class PageCache { keep, drop };

// Drops an image that takes more than half of the available memory.
[[nodiscard]] PageCache choose_page_cache(std::uint64_t payload_bytes, std::uint64_t available_bytes);

// The same for this machine at this moment. Keeps the image if that is unknown.
[[nodiscard]] PageCache page_cache_for(std::uint64_t payload_bytes);

// Ranges of any length are read or written, but the kernel drops only whole folios. So they are dropped
// window by window, when a range reaches the end of a window. Stateless: any thread.
struct DropWindows {
    std::uint64_t offset; // to drop; length 0: nothing yet
    std::uint64_t length;
};
[[nodiscard]] DropWindows windows_ended_by(std::uint64_t offset, std::uint64_t length);

} // namespace ezio
