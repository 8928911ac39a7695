// SPDX-License-Identifier: GPL-2.0-or-later
//
// Compression on the wire: a libtorrent plugin that answers requests with units, runs of blocks that are
// compressed together, where the peer can take them, and that hands the blocks of units that come to
// libtorrent as if they had come as ever. The torrent, its hashes and what is written stay the same; who does
// not know of it gets and sends blocks as ever.
//
//     REQUEST -> queue of the peer -> a run of blocks, pinned in the disk engine -> UnitWorkers -> unit ->
//     peer unit -> were these blocks asked for? -> unpacked -> libtorrent, block by block -> disk engine
//       \-> UnitStore, once its piece has passed -> the next peer that asks for it, as it came
//
// The sending side takes a request out of libtorrent's hands (on_request), so it has to do for it what
// libtorrent does: reject what is cancelled or cannot be read, keep what waits for a peer below a mark, count
// what is sent. The receiving side changes nothing of what libtorrent does, but for one thing: a unit of
// zeros is small and stands for much, so while libtorrent reads nothing from a peer since the disk is behind,
// what was read of it before stays compressed.
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
        std::uint64_t memory = 0;  // bytes for units that are kept, and for those that wait for the disk
        bool is_limited = false;   // there is a limit on what may be sent
    };

    // Only where why_no_compression() is empty. `image` must outlive it.
    UnitExchange(const Image& image, Options options);
    ~UnitExchange();

    [[nodiscard]] std::uint64_t memory() const;

    // What the session that is being made works with, before its torrent is added.
    void attach(lt::io_context& context, DiskEngine& engine);

    // Makes the plugin part of the torrent that is about to be added, after those that want to hear of what
    // is sent (see AnswerListener).
    void extend(lt::add_torrent_params& params);

    // Before the session ends: what is being compressed looks at the engine's memory.
    void stop();

    // So far. Bytes of units, and the bytes of the payload that they stand for; what was sent includes blocks
    // that did not shrink, and were sent by us, but as they are. Any thread.
    struct Counts {
        std::uint64_t sent_bytes = 0;
        std::uint64_t sent_payload = 0;
        std::uint64_t received_bytes = 0;
        std::uint64_t received_payload = 0;
        std::uint64_t forwarded_payload =
            0; // of what was sent: units passed on as they had come, or were sent before
    };
    [[nodiscard]] Counts counts() const;

    // What it has decided since it was last asked, and why. Any thread.
    [[nodiscard]] std::vector<std::string> take_reasons();

  private:
    const std::shared_ptr<ExchangeShared> m_shared;
};

} // namespace ezio
