// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a peer may send besides data. A message of five bytes costs as much time as a block of 16 KiB, so that
// one connection that sends nothing else could keep the network thread from everything that others send.
//
// Messages: as many at once as several for each piece (HAVE, DONT_HAVE, and the same again), a few thousand a
// second, and for each block that is exchanged what it takes to ask for it, send it, cancel or reject it.
// Bytes that are no data: for the messages of which libtorrent tells plugins nothing, keep-alives for one.
// They are known only as a mean of the last seconds; the sum of these is right in the end.
#pragma once

#include <cstdint>

namespace ezio {

// Not thread-safe. All of it returns at once.
class MessageBudget {
  public:
    // `more_bytes` that are no data may come at once than usual.
    explicit MessageBudget(std::uint32_t pieces, std::uint64_t more_bytes = 0);

    // The peer has sent so many messages, or one that takes as long. Returns whether it may.
    [[nodiscard]] bool spend(std::uint64_t messages = 1);

    // So much data was exchanged with it.
    void exchanged(std::uint64_t data_bytes);

    // A second is over, in which it has sent so many bytes besides data; `data_rate` is in bytes, both
    // directions together. Returns whether it may.
    [[nodiscard]] bool second(std::uint64_t other_bytes, std::uint64_t data_rate);

  private:
    const std::uint64_t m_most_messages; // in 1/16384
    const std::uint64_t m_most_bytes;
    std::uint64_t m_messages;
    std::uint64_t m_bytes;
};

} // namespace ezio
