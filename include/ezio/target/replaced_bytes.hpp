// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/mutex.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include <sys/uio.h>

namespace ezio {

// The original bytes of the image that were overwritten on the target once it was complete. Peers must
// receive these, otherwise their pieces would be wrong. Any thread.
class ReplacedBytes {
  public:
    // To be called before writing at `offset`, with the bytes to be overwritten.
    void remember(std::uint64_t offset, std::vector<std::byte> bytes);

    // Puts the original bytes into data that was read at `offset`.
    void restore(std::uint64_t offset, std::span<const iovec> parts) const;

    [[nodiscard]] bool empty() const { return m_is_empty; }

  private:
    std::atomic<bool> m_is_empty = true;
    mutable Mutex m_mutex;
    std::map<std::uint64_t, std::vector<std::byte>> m_bytes GUARDED_BY(m_mutex); // by offset
};

} // namespace ezio
