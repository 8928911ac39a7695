// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <libtorrent/add_torrent_params.hpp>

#include <cstdint>

namespace ezio {

// Answers to requests for the torrent's metadata are the one thing that libtorrent queues for a peer without
// a limit: who asks for ever and reads nothing would use up the memory. Makes a plugin part of the torrent
// that is about to be added, which hangs up on a peer that asks more often than anybody has to.
// `info_bytes` is the size of the info dictionary.
void guard_metadata(lt::add_torrent_params& params, std::uint64_t info_bytes);

} // namespace ezio
