// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <libtorrent/error_code.hpp>

namespace ezio {

// Why a peer was hung up on that behaves as none does that wants the image.
enum class PeerFault {
    floods = 1,       // with messages
    asks_too_much,    // for the metadata, or for blocks that it does not get
    reads_nothing,    // of what it has asked for
    reports_nonsense, // in place of how it fares, or far too often
};

// For libtorrent, which hands it on to the alert about the end of the connection.
[[nodiscard]] lt::error_code make_error(PeerFault fault);

// Its message completes "10.0.0.1 ...".
[[nodiscard]] bool is_peer_fault(const lt::error_code& error);

} // namespace ezio
