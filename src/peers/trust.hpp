// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <libtorrent/peer_connection_handle.hpp>

namespace ezio {

// Restores the trust points that libtorrent takes from every peer with a part in a failed piece; it bans
// peers without any. Does nothing if libtorrent's version differs from that of the headers, because the
// points are a member of an internal class.
void restore_trust(const lt::peer_connection_handle& connection);

} // namespace ezio
