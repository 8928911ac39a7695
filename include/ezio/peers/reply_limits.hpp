// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <libtorrent/add_torrent_params.hpp>

#include <cstdint>

namespace ezio {

// Bytes usually queued for an honest peer that reads, besides messages about pieces: data up to libtorrent's
// watermark of 512 KiB, and a little more. Whatever else is queued for it waits for less than this.
inline constexpr int usual_waiting = 640 << 10;

// As blocks, or also as compressed units (compression/unit_exchange.hpp), which libtorrent does not count as
// data.
enum class DataComes { as_blocks, as_units };

// Adds a plugin to the torrent that is about to be added. It disconnects a peer that would exhaust memory or
// time.
//
// libtorrent queues data for a peer only up to a watermark, but its immediate answers have no limit: to
// requests for the torrent's metadata, to requests beyond the allowed number (which are rejected), and to
// INTERESTED. A peer that keeps sending these and reads nothing would use up the memory. A peer is
// disconnected when
//   - it requests the metadata more often than any peer needs to, or too much at once;
//   - more data waits for it than can wait for an honest peer;
//   - more than usual waits for it, and all connections together have too much (32 MiB);
//   - it sends more messages than any peer needs (MessageBudget).
// The connection's error is then a PeerFault. `info_bytes` is the size of the info dictionary.
void limit_replies(lt::add_torrent_params& params, std::uint64_t info_bytes, std::uint32_t pieces,
                   DataComes data_comes);

} // namespace ezio
