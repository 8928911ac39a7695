// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <libtorrent/peer_connection_handle.hpp>

namespace ezio {

// Gives a peer back the trust points that libtorrent takes from every peer with a part in a failed piece; it
// bans peers without any. Does nothing with another version of libtorrent than that of the headers, since the
// points are a member of a class of libtorrent's.
void restore_trust(const lt::peer_connection_handle& connection);

} // namespace ezio
