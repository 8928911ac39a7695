// SPDX-License-Identifier: GPL-2.0-or-later
//
// Units as they were sent or received, to be sent again: so the data is compressed once in a swarm, and
// passed on.
//
// Forwarding what is wrong would make us the liar. So a unit that was received is passed on only when its
// piece has passed its hash, and each of its blocks went from it into the disk engine: a block that came
// twice was verified from the other copy. What was compressed here is of a piece that has passed.
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

    // Both replace what there is of the same piece and start.
    void add_verified(UnitPtr unit);
    void add_received(UnitPtr unit); // every block of which went from it into the disk engine

    void piece_passed(std::uint32_t piece);
    void piece_failed(std::uint32_t piece);

    // The unit that begins where `run` does, does not go beyond it, and is of one of the codecs; nullptr when
    // none is known to be right.
    [[nodiscard]] UnitPtr find(const UnitPlace& run, CodecMask codecs = known_codecs);

    // Others need so much of the memory: what was used least recently goes.
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
    std::uint64_t m_reserved = 0; // by others
    std::uint64_t m_bytes = 0;
    Entries m_entries;
    std::list<Key> m_uses; // the most recent first
};

} // namespace ezio
