// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <libtorrent/peer_connection_handle.hpp>

namespace ezio {

// libtorrent takes points from all who had a part in a failed piece, and bans those that have lost too many.
// Gives them all back. Does nothing with a libtorrent that the program was not built with: the points are a
// member of its.
void restore_trust(const lt::peer_connection_handle& connection);

} // namespace ezio
