// SPDX-License-Identifier: GPL-2.0-or-later
//
// Hands blocks to a libtorrent connection as if they had just been received in PIECE messages. The source
// file explains how, why, and the safeguards.
#pragma once

#include "unit_message.hpp"

#include <libtorrent/fwd.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/span.hpp>

#include <memory>
#include <span>

namespace ezio {

// Only if why_no_compression() is empty. Network thread.
class BlockInjector {
  public:
    BlockInjector(); // for blocks of one unit at a time
    ~BlockInjector();
    BlockInjector(const BlockInjector&) = delete;
    BlockInjector& operator=(const BlockInjector&) = delete;

    // Whether the connection's members lie where this program was compiled to find them. To be called from
    // on_extension_handshake() with its argument, and from on_extended() with the whole payload.
    [[nodiscard]] static bool fits(const lt::peer_connection_handle& connection,
                                   const lt::bdecode_node& handshake);
    [[nodiscard]] static bool fits(const lt::peer_connection_handle& connection,
                                   lt::span<const char> payload);

    // Whether libtorrent does not read from this peer because the disk is behind.
    [[nodiscard]] static bool is_held(const lt::peer_connection_handle& connection);

    // Bytes queued to be sent to the peer.
    [[nodiscard]] static std::uint64_t waiting_to_send(const lt::peer_connection_handle& connection);

    // The memory to unpack a unit into.
    [[nodiscard]] std::span<char> memory();

    // Injects one block, which lies at `offset` of memory(); the bytes right before it are overwritten.
    // Afterwards the connection may be disconnecting. fits() must have returned true for the connection.
    void inject(const lt::peer_connection_handle& connection, const UnitPlace& block, std::size_t offset);

  private:
    struct Memory;
    std::unique_ptr<Memory> m_memory;
};

} // namespace ezio
