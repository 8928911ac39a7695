// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/engine/arena.hpp"

#include <cassert>
#include <new>

#include <sys/mman.h>

namespace ezio {

Arena::Arena(std::size_t slab_bytes, std::size_t limit, std::size_t overflow)
    : m_slab_bytes(slab_bytes), m_limit(limit), m_total(limit + overflow),
      m_pins(std::make_unique<std::atomic<std::uint32_t>[]>(limit + overflow))
{
    void* base = ::mmap(nullptr, m_slab_bytes * m_total, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        throw std::bad_alloc();
    }
    m_base = static_cast<std::byte*>(base);
}

Arena::~Arena()
{
    (void)::munmap(m_base, m_slab_bytes * m_total); // a failure here has no remedy
}

std::byte* Arena::allocate(Supply supply)
{
    if (m_in_use >= (supply == Supply::normal ? m_limit : m_total)) {
        return nullptr;
    }
    ++m_in_use;
    std::size_t slab = 0;
    if (m_free.empty()) {
        slab = m_untouched++;
    } else {
        slab = m_free.back();
        m_free.pop_back();
    }
    return m_base + slab * m_slab_bytes;
}

void Arena::release(std::byte* slab)
{
    assert(contains(slab) && !is_pinned(slab) && m_in_use > 0);
    if (m_in_use > m_limit) {
        (void)::madvise(slab, m_slab_bytes, MADV_DONTNEED); // overflow: return the memory at once
    }
    --m_in_use;
    m_free.push_back(index(slab));
}

} // namespace ezio
