// SPDX-License-Identifier: GPL-2.0-or-later
//
// From a magnet link to a torrent: a session that has no disk gets the metadata from peers, and nothing else.
#pragma once

#include "ezio/net/addresses.hpp"
#include "ezio/net/network_options.hpp"
#include "ezio/process/deadline.hpp"
#include "ezio/process/stop_signal.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/util/units.hpp"
#include "ezio/util/wakeup.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace ezio {

struct MetadataOptions {
    const NetworkOptions& network;
    const NetworkEndpoints& endpoints;                 // what the names in `network` resolved to
    std::optional<std::chrono::milliseconds> patience; // for all of it; none: no limit
    std::uint64_t memory = 256_MiB; // bytes; the metadata may take a quarter: a peer says how much they are
};

// What is left of a session: its sockets are closed at once, but its threads may wait for a name server. Its
// destruction waits for them.
using EndingSession = std::shared_ptr<void>;

struct Metadata {
    std::string torrent; // a torrent file's bytes
    EndingSession session;
};

// Returns a torrent file's bytes, with the trackers and web seeds of the link in it. Their info-hash is the
// link's; whether they are an image is the caller's to find out.
// Throws Error: ExitStatus::torrent as parse_magnet does, ExitStatus::stalled when the patience is over,
// ExitStatus::network when it cannot listen, and as `stop` says.
// `deadline` ends the process when an error cannot, because of what the session waits for.
[[nodiscard]] Metadata fetch_metadata(const std::string& magnet, const MetadataOptions& options,
                                      Reporter& reporter, Wakeup& wakeup, const StopSignal& stop,
                                      Deadline& deadline);

} // namespace ezio
