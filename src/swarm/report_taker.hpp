// SPDX-License-Identifier: GPL-2.0-or-later
//
// A seeder's side of client_report.hpp: accepts reports, and answers the last ones. A peer is disconnected if
// its report is too long or invalid, or if it reports more often than any fetch does.
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

    // A report arrived. `is_first`: it is the first one over its connection; left() is called once for that.
    virtual void reported(const IdentifiedReport& report, const ReportOrigin& origin, bool is_first) = 0;
    virtual void left(const std::string& id) = 0;
};

// Adds this to the torrent that is about to be added, before share_addresses(), which hides ports.
void take_reports(lt::add_torrent_params& params, std::shared_ptr<ReportListener> listener);

} // namespace ezio
