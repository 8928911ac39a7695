// SPDX-License-Identifier: GPL-2.0-or-later
//
// A seeder's part in the exchange of client_report.hpp: takes reports, and answers the last ones. A peer that
// sends a report that is too long, makes no sense, or comes more often than any fetch reports, is hung up on.
#pragma once

#include "ezio/swarm/client_report.hpp"
#include "reporting_clients.hpp"

#include <libtorrent/add_torrent_params.hpp>

#include <memory>
#include <string>

namespace ezio {

// Receives the reports, on the network thread.
class ReportListener {
  public:
    virtual ~ReportListener() = default;

    // Over a connection that `is_first` to say so; left() is called once for it.
    virtual void reported(const IdentifiedReport& report, const ReportOrigin& origin, bool is_first) = 0;
    virtual void left(const std::string& id) = 0;
};

// Makes that part of the torrent that is about to be added, before share_addresses(), which hides ports.
void take_reports(lt::add_torrent_params& params, std::shared_ptr<ReportListener> listener);

} // namespace ezio
