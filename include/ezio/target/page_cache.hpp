// SPDX-License-Identifier: GPL-2.0-or-later
//
// What becomes of the kernel's cached copy of what was read or written. An image that fits the free memory
// stays: it is read again for other peers. One that does not would only push out, over and over, what other
// programs need, and be gone itself before it is read again: it is dropped as soon as it was used.
#pragma once

#include <cstdint>

namespace ezio {

enum class PageCache { keep, drop };

// Drops an image that is more than half of the memory that is available to new data.
[[nodiscard]] PageCache choose_page_cache(std::uint64_t payload_bytes, std::uint64_t available_bytes);

// The same for this machine, now. Keeps where it cannot tell.
[[nodiscard]] PageCache page_cache_for(std::uint64_t payload_bytes);

// Read or written ranges come with any length; the kernel drops whole folios only. So they are dropped window
// by window, when a range reaches a window's end. Stateless: any thread.
struct DropWindows {
    std::uint64_t offset; // to drop; length 0: nothing yet
    std::uint64_t length;
};
[[nodiscard]] DropWindows windows_ended_by(std::uint64_t offset, std::uint64_t length);

} // namespace ezio
