// SPDX-License-Identifier: GPL-2.0-or-later
//
// Compression on the network: a libtorrent plugin. It answers requests with units, runs of blocks that are
// compressed together, if the peer supports them. It unpacks received units and hands their blocks to
// libtorrent as if they had arrived as usual. The torrent, its hashes and what is written stay the same;
// other clients exchange plain blocks as usual.
//
//     REQUEST -> queue of the peer -> a run of blocks, pinned in the disk engine -> UnitWorkers -> unit ->
//     peer unit -> were these blocks requested? -> unpacked -> libtorrent, block by block -> disk engine
//       \-> UnitStore, once its piece has passed -> the next peer that requests it, unchanged
//
// The sender takes a request over from libtorrent (on_request), so it has to do for it what libtorrent does:
// reject requests that are cancelled or cannot be read, limit the bytes queued for a peer, count the bytes
// sent. The receiver changes nothing in libtorrent, with one exception: a unit of zeros is small but stands
// for much data. So while libtorrent does not read from a peer because the disk is behind, units that were
// already read stay compressed.
//
// Hooks run on the network thread.
#pragma once

#include "ezio/engine/disk_engine.hpp"
#include "ezio/image/image.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/io_context.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ezio {

class ExchangeShared;

class UnitExchange {
  public:
    struct Options {
        std::vector<bool> on_disk; // pieces that are there from the start
        std::uint64_t memory = 0;  // bytes for stored units and for units that wait for the disk
        bool is_limited = false;   // uploads are limited
    };

    // Only if why_no_compression() is empty. `image` must outlive it.
    UnitExchange(const Image& image, Options options);
    ~UnitExchange();

    [[nodiscard]] std::uint64_t memory() const;

    // Connects it to the session that is being made, before the torrent is added.
    void attach(lt::io_context& context, DiskEngine& engine);

    // Adds the plugin to the torrent that is about to be added, after the plugins that need to know what is
    // sent (see AnswerListener).
    void extend(lt::add_torrent_params& params);

    // To be called before the session ends: compression in progress reads the engine's memory.
    void stop();

    // Totals: bytes of units, and the payload bytes that they stand for. Sent units include blocks that did
    // not shrink, which were sent uncompressed, but by us. Any thread.
    struct Counts {
        std::uint64_t sent_bytes = 0;
        std::uint64_t sent_payload = 0;
        std::uint64_t received_bytes = 0;
        std::uint64_t received_payload = 0;
        std::uint64_t forwarded_payload = 0; // of the sent units: passed on as received, or sent before
    };
    [[nodiscard]] Counts counts() const;

    // Decisions since the last call, with the reasons. Any thread.
    [[nodiscard]] std::vector<std::string> take_reasons();

  private:
    const std::shared_ptr<ExchangeShared> m_shared;
};

} // namespace ezio
