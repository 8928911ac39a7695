// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds the peers that send wrong blocks and disconnects them. Replaces two mechanisms of libtorrent: trust
// points, which every peer with a part in a failed piece loses, and smart_ban, which confuses the peers of
// one address and forgets a peer when it disconnects.
//
//     a block is taken ----> BlockBlame records its source
//     a piece fails -------> one source: it is guilty. Several sources: the digests of their blocks are kept,
//                            and the piece is also fetched whole from one peer (PieceProbe)
//     it passes later, or the probe's hash is right -> the sources of the blocks that differ are guilty
//     the probe's hash is wrong ---------------------> the probed peer is guilty
//
// The probe's requests are sent beside libtorrent's, which goes on meanwhile, and takes those of the probe's
// blocks that it still misses. The peer to probe is one that has given good blocks, best a seed.
#pragma once

#include "ezio/image/image.hpp"
#include "ezio/net/addresses.hpp"

#include <libtorrent/fwd.hpp>
#include <libtorrent/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace ezio {

class WrongBlocksState;

class WrongBlocks {
  public:
    // Reads a block of the payload and gives it to `done`, on the network thread and not within the call; no
    // bytes when it cannot be read.
    using Done = std::function<void(std::span<const std::byte> block)>;
    using Read = std::function<void(std::uint64_t offset, std::uint64_t length, Done done)>;

    // `image` must outlive the session.
    explicit WrongBlocks(const Image& image);
    ~WrongBlocks();

    // What the session that is being made works with, before its torrent is added.
    void attach(lt::io_context& context, Read read);

    // Makes the plugin part of the torrent that is about to be added, without libtorrent's own.
    void extend(lt::add_torrent_params& params);

    // libtorrent has taken the block that has just arrived. Network thread.
    void taken(const lt::peer_request& block);

    // The peers that were found guilty since the last call, each of them once ever. Any thread.
    struct Verdict {
        Endpoint peer;
        bool is_web_seed = false;
        bool shares_address = false;        // with a connected peer that is not guilty
        std::optional<std::uint32_t> alone; // a wrong piece that came from this peer only
    };
    [[nodiscard]] std::vector<Verdict> take_verdicts();

  private:
    const std::shared_ptr<WrongBlocksState> m_state;
};

} // namespace ezio
