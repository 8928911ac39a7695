// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <libtorrent/error_code.hpp>

namespace ezio {

// Why a peer was disconnected: it behaves like no peer that wants the image.
enum class PeerFault {
    floods = 1,       // too many messages
    asks_too_much,    // requests the metadata, or blocks that it does not get, too often
    reads_nothing,    // does not read the data that it has requested
    reports_nonsense, // invalid reports, or far too many
};

// The error for libtorrent, which passes it to the alert about the disconnection.
[[nodiscard]] lt::error_code make_error(PeerFault fault);

// The error's message completes "10.0.0.1 ...".
[[nodiscard]] bool is_peer_fault(const lt::error_code& error);

} // namespace ezio
