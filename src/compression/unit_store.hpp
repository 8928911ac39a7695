// SPDX-License-Identifier: GPL-2.0-or-later
//
// Keeps units that were sent or received, to send them again: data is compressed once in a swarm and then
// passed on.
//
// A wrong unit that we forwarded would make us the liar. So a received unit is passed on only if its piece
// has passed its hash, and each of its blocks went from the unit into the disk engine: a block that arrived
// twice was verified from the other copy. Units compressed here are of pieces that have passed.
#pragma once

#include "unit_message.hpp"

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <vector>

namespace ezio {

struct Unit {
    Codec codec = Codec::lz4;
    UnitPlace place;
    std::vector<char> packed;
};
using UnitPtr = std::shared_ptr<const Unit>;

// Not thread-safe.
class UnitStore {
  public:
    explicit UnitStore(std::uint64_t most_bytes) : m_most_bytes(most_bytes) {}

    // Both replace a stored unit of the same piece and start.
    void add_verified(UnitPtr unit);
    void add_received(UnitPtr unit); // every block of it went into the disk engine

    void piece_passed(std::uint32_t piece);
    void piece_failed(std::uint32_t piece);

    // The unit that begins at the start of `run`, does not extend beyond it, and uses one of the codecs;
    // nullptr if there is no such verified unit.
    [[nodiscard]] UnitPtr find(const UnitPlace& run, CodecMask codecs = known_codecs);

    // Leaves this much of the memory to other uses; drops the least recently used units.
    void leave_room(std::uint64_t bytes);

    [[nodiscard]] std::uint64_t bytes() const { return m_bytes; }

  private:
    struct Key {
        std::uint32_t piece;
        std::uint32_t start;
        auto operator<=>(const Key&) const = default;
    };
    struct Entry {
        UnitPtr unit;
        bool verified;
        std::list<Key>::iterator use; // in m_uses
    };
    using Entries = std::map<Key, Entry>;

    void add(UnitPtr unit, bool verified);
    Entries::iterator remove(Entries::iterator entry);
    void shrink();
    [[nodiscard]] static std::uint64_t size_of(const Unit& unit);

    const std::uint64_t m_most_bytes;
    std::uint64_t m_reserved = 0; // for other uses
    std::uint64_t m_bytes = 0;
    Entries m_entries;
    std::list<Key> m_uses; // most recent first
};

} // namespace ezio
