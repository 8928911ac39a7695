// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include <sys/uio.h>

namespace ezio {

// Bytes of the image that were changed on the target once it was complete. Peers are to get the image's:
// their pieces would be wrong otherwise. Any thread.
class ReplacedBytes {
  public:
    // Before `offset` is written to: what was there.
    void remember(std::uint64_t offset, std::vector<std::byte> bytes);

    // Puts them into what was read from `offset` on.
    void restore(std::uint64_t offset, std::span<const iovec> parts) const;

    [[nodiscard]] bool empty() const { return m_is_empty; }

  private:
    std::atomic<bool> m_is_empty = true;
    mutable std::mutex m_mutex;
    std::map<std::uint64_t, std::vector<std::byte>> m_bytes; // by offset; guarded by m_mutex
};

} // namespace ezio
