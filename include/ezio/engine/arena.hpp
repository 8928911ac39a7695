// SPDX-License-Identifier: GPL-2.0-or-later
//
// A bounded supply of equal, page-aligned slabs in one reserved address range. Memory is touched only when a
// slab is first used. A slab can be pinned while another user than the cache (a peer's send queue, a hash in
// progress) still reads it; the owner of the slab frees it when the pins are gone.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace ezio {

class Arena {
  public:
    // `limit` slabs are the normal supply; `overflow` more are for data that must not be refused (a block
    // that was already received). `slab_bytes` is a power of two. Throws std::bad_alloc.
    Arena(std::size_t slab_bytes, std::size_t limit, std::size_t overflow);
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    enum class Supply { normal, overflow };

    // A slab with unspecified contents and no pins, or nullptr when that supply is exhausted.
    // Not thread-safe; neither is release().
    [[nodiscard]] std::byte* allocate(Supply supply);
    void release(std::byte* slab);

    // Pins are counted. Any thread may pin a slab that it knows to be in use, and unpin it. `address` is
    // anywhere inside the slab.
    void pin(const std::byte* address)
    {
        const bool first = m_pins[index(address)].fetch_add(1, std::memory_order_relaxed) == 0;
        m_pinned.fetch_add(first ? 1 : 0, std::memory_order_relaxed);
    }
    void unpin(const std::byte* address)
    {
        const bool last = m_pins[index(address)].fetch_sub(1, std::memory_order_release) == 1;
        m_pinned.fetch_sub(last ? 1 : 0, std::memory_order_relaxed);
    }
    [[nodiscard]] bool is_pinned(const std::byte* address) const
    {
        return m_pins[index(address)].load(std::memory_order_acquire) != 0;
    }

    [[nodiscard]] bool contains(const std::byte* address) const
    {
        return address >= m_base && address < m_base + m_slab_bytes * m_total;
    }
    [[nodiscard]] std::size_t slab_bytes() const { return m_slab_bytes; }
    [[nodiscard]] std::size_t limit() const { return m_limit; }
    [[nodiscard]] std::size_t in_use() const { return m_in_use; }
    // The number of pinned slabs. Any thread.
    [[nodiscard]] std::size_t pinned() const { return m_pinned.load(std::memory_order_relaxed); }

  private:
    [[nodiscard]] std::size_t index(const std::byte* address) const
    {
        return static_cast<std::size_t>(address - m_base) / m_slab_bytes;
    }

    const std::size_t m_slab_bytes;
    const std::size_t m_limit;
    const std::size_t m_total;
    std::byte* m_base = nullptr;
    std::unique_ptr<std::atomic<std::uint32_t>[]> m_pins;
    std::atomic<std::size_t> m_pinned = 0; // slabs
    std::vector<std::size_t> m_free;       // slabs that were used and released, the last one first
    std::size_t m_untouched = 0;           // slabs from here on were never used
    std::size_t m_in_use = 0;
};

} // namespace ezio
