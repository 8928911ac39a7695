// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <libtorrent/add_torrent_params.hpp>

#include <cstdint>

namespace ezio {

// As blocks, or also as units (compression/unit_exchange.hpp), which libtorrent does not count as data.
enum class DataComes { as_blocks, as_units };

// Data is queued for a peer up to a watermark, but what libtorrent answers at once has no limit: requests for
// the torrent's metadata, requests beyond those that may wait, which are rejected, and INTERESTED. Who asks
// for ever and reads nothing would use up the memory. Makes a plugin part of the torrent that is about to be
// added, which hangs up on a peer that asks for metadata more often than anybody has to, or for too much at
// once, or for whom more waits than can wait for an honest one, or more than usual while that is too much of
// all together (32 MiB). It also hangs up on one that sends more messages than any peer needs
// (MessageBudget). The error of the connection is a PeerFault then. `info_bytes` is the size of the info
// dictionary.
void limit_replies(lt::add_torrent_params& params, std::uint64_t info_bytes, std::uint32_t pieces,
                   DataComes data_comes);

} // namespace ezio
