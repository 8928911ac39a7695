// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/replaced_bytes.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ezio {

void ReplacedBytes::remember(std::uint64_t offset, std::vector<std::byte> bytes)
{
    const MutexLock lock(m_mutex);
    m_bytes.try_emplace(offset, std::move(bytes));
    m_is_empty = false;
}

void ReplacedBytes::restore(std::uint64_t offset, std::span<const iovec> parts) const
{
    const MutexLock lock(m_mutex);
    for (const iovec& part : parts) {
        for (const auto& [begin, bytes] : m_bytes) {
            const std::uint64_t from = std::max(begin, offset);
            const std::uint64_t to = std::min(begin + bytes.size(), offset + part.iov_len);
            if (from < to) {
                std::memcpy(static_cast<std::byte*>(part.iov_base) + (from - offset), &bytes[from - begin],
                            to - from);
            }
        }
        offset += part.iov_len;
    }
}

} // namespace ezio
