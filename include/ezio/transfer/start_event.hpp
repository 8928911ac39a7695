// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/net/addresses.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/torrent/torrent_file.hpp"

#include <string>
#include <vector>

namespace ezio {

// The first event of a command: `target` is the user's name for it, `listen` is empty without a network.
[[nodiscard]] StartEvent start_event(const std::string& command, const LoadedTorrent& torrent,
                                     const std::string& target, const std::vector<Endpoint>& listen = {});

} // namespace ezio
