// SPDX-License-Identifier: GPL-2.0-or-later
//
// Hands blocks to a libtorrent connection as if they had just been received in PIECE messages. See the source
// for how, why, and what guards it.
#pragma once

#include "unit_message.hpp"

#include <libtorrent/fwd.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/span.hpp>

#include <memory>
#include <span>

namespace ezio {

// Only where why_no_compression() is empty. Network thread.
class BlockInjector {
  public:
    BlockInjector(); // for blocks of one unit at a time
    ~BlockInjector();
    BlockInjector(const BlockInjector&) = delete;
    BlockInjector& operator=(const BlockInjector&) = delete;

    // Whether the connection's members lie where this program was compiled to look for them. To be called
    // from on_extension_handshake() with its argument, and from on_extended() with the whole payload.
    [[nodiscard]] static bool fits(const lt::peer_connection_handle& connection,
                                   const lt::bdecode_node& handshake);
    [[nodiscard]] static bool fits(const lt::peer_connection_handle& connection,
                                   lt::span<const char> payload);

    // Whether libtorrent reads nothing from this peer, because the disk is behind.
    [[nodiscard]] static bool is_held(const lt::peer_connection_handle& connection);

    // Bytes that wait to be sent to the peer.
    [[nodiscard]] static std::uint64_t waiting_to_send(const lt::peer_connection_handle& connection);

    // Where a unit is unpacked.
    [[nodiscard]] std::span<char> memory();

    // Hands over one block, which lies at `offset` of memory(); what lies right before it is overwritten. The
    // connection may be disconnecting afterwards. fits() must have been true for the connection.
    void inject(const lt::peer_connection_handle& connection, const UnitPlace& block, std::size_t offset);

  private:
    struct Memory;
    std::unique_ptr<Memory> m_memory;
};

} // namespace ezio
