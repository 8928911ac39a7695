// SPDX-License-Identifier: GPL-2.0-or-later
//
// The BitTorrent messages that the swarm's plugin sends itself, appended to a string, as they go over the wire.
#pragma once

#include <cstdint>
#include <string>

namespace ezio {

void put_have(std::string& message, std::uint32_t piece);

// `extension_id` is what the peer calls lt_donthave in its extension handshake, 1 to 255.
void put_dont_have(std::string& message, int extension_id, std::uint32_t piece);

void put_unchoke(std::string& message);

// For a leecher of libtorrent's that is not choked, and has run out of what to ask us for: it looks at what we
// have again. The first UNCHOKE makes it ask for one block, and ends its end game; the second, for all it wants.
void put_nudge(std::string& message);

} // namespace ezio
