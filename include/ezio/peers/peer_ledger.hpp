// SPDX-License-Identifier: GPL-2.0-or-later
//
// Counts what was exchanged with each peer, over all its connections, including closed ones. It is a
// libtorrent plugin, because polling the connected peers would miss the last bytes of those that leave.
#pragma once

#include "ezio/report/reporter.hpp"

#include <libtorrent/fwd.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ezio {

class PeerLedger {
  public:
    PeerLedger();
    ~PeerLedger();

    // Adds the plugin to the torrent that is about to be added. The plugin may outlive this object.
    void extend(lt::add_torrent_params& params);

    // The peers with whom anything was exchanged, largest sources first. Any thread.
    [[nodiscard]] std::vector<PeerTotals> totals() const;

    // The peers that sent part of a piece with a wrong hash since the last call. Any thread.
    struct Failure {
        std::uint32_t piece = 0;
        std::string address;
    };
    [[nodiscard]] std::vector<Failure> take_failures();

    class Book;

  private:
    std::shared_ptr<Book> m_book;
};

} // namespace ezio
