// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit_store.hpp"

#include <algorithm>
#include <utility>

namespace ezio {

void UnitStore::add_verified(UnitPtr unit)
{
    add(std::move(unit), true);
}

void UnitStore::add_received(UnitPtr unit)
{
    add(std::move(unit), false);
}

void UnitStore::add(UnitPtr unit, bool verified)
{
    const Key key{unit->place.piece, unit->place.start};
    if (const auto found = m_entries.find(key); found != m_entries.end()) {
        remove(found);
    }
    m_uses.push_front(key);
    m_bytes += size_of(*unit);
    m_entries.emplace(key, Entry{std::move(unit), verified, m_uses.begin()});
    shrink();
}

void UnitStore::piece_passed(std::uint32_t piece)
{
    for (auto entry = m_entries.lower_bound({piece, 0});
         entry != m_entries.end() && entry->first.piece == piece; ++entry) {
        entry->second.verified = true;
    }
}

void UnitStore::piece_failed(std::uint32_t piece)
{
    auto entry = m_entries.lower_bound({piece, 0});
    while (entry != m_entries.end() && entry->first.piece == piece) {
        entry = remove(entry);
    }
}

UnitPtr UnitStore::find(const UnitPlace& run, CodecMask codecs)
{
    const auto found = m_entries.find({run.piece, run.start});
    if (found == m_entries.end() || !found->second.verified ||
        found->second.unit->place.length > run.length || (bit_of(found->second.unit->codec) & codecs) == 0) {
        return nullptr;
    }
    m_uses.splice(m_uses.begin(), m_uses, found->second.use);
    return found->second.unit;
}

void UnitStore::leave_room(std::uint64_t bytes)
{
    m_reserved = bytes;
    shrink();
}

void UnitStore::shrink()
{
    const std::uint64_t most = m_most_bytes - std::min(m_most_bytes, m_reserved);
    while (m_bytes > most) {
        remove(m_entries.find(m_uses.back()));
    }
}

UnitStore::Entries::iterator UnitStore::remove(Entries::iterator entry)
{
    m_bytes -= size_of(*entry->second.unit);
    m_uses.erase(entry->second.use);
    return m_entries.erase(entry);
}

// Includes the overhead: the nodes of map and list, the shared unit.
std::uint64_t UnitStore::size_of(const Unit& unit)
{
    constexpr std::uint64_t overhead = 256;
    return unit.packed.size() + overhead;
}

} // namespace ezio
