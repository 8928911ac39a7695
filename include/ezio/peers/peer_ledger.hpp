// SPDX-License-Identifier: GPL-2.0-or-later
//
// Who gave and took how much, over all connections, those that are closed too. It is a libtorrent plugin that
// only counts: asking for the connected peers once in a while would miss what the leaving ones did last.
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

    // Makes the plugin part of the torrent that is about to be added. It may outlive this object.
    void extend(lt::add_torrent_params& params);

    // Those with whom anything was exchanged, the biggest sources first. Any thread.
    [[nodiscard]] std::vector<PeerTotals> totals() const;

    // Who has sent something of a piece whose hash was wrong, since it was last asked. Any thread.
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
