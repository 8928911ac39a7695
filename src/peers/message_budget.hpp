// SPDX-License-Identifier: GPL-2.0-or-later
//
// Limits the messages and other bytes that a peer may send besides data. A message of five bytes takes as
// much time as a block of 16 KiB, so a single connection that sends only messages could keep the network
// thread from everything else.
//
// Messages: a burst of several for each piece (HAVE, DONT_HAVE, and repetitions), a few thousand a second,
// and for each block that is exchanged the messages to request, send, cancel or reject it.
// Bytes other than data: for messages of which libtorrent does not inform plugins, such as keep-alives. They
// are known only as a mean over the last seconds, whose sum is right in the end.
#pragma once

#include <cstdint>

namespace ezio {

// Not thread-safe. No call blocks.
class MessageBudget {
  public:
    // `more_bytes` is added to the usual burst of bytes other than data.
    explicit MessageBudget(std::uint32_t pieces, std::uint64_t more_bytes = 0);

    // The peer has sent this many messages, or one that takes as long. Returns whether that is within the
    // budget.
    [[nodiscard]] bool spend(std::uint64_t messages = 1);

    // This much data was exchanged with the peer.
    void exchanged(std::uint64_t data_bytes);

    // A second has passed, in which the peer sent `other_bytes` besides data. `data_rate` is in bytes per
    // second, both directions together. Returns whether that is within the budget.
    [[nodiscard]] bool second(std::uint64_t other_bytes, std::uint64_t data_rate);

  private:
    const std::uint64_t m_most_messages; // in 1/16384
    const std::uint64_t m_most_bytes;
    std::uint64_t m_messages;
    std::uint64_t m_bytes;
};

} // namespace ezio
