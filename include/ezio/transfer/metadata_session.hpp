// SPDX-License-Identifier: GPL-2.0-or-later
//
// Fetches the torrent for a magnet link: a session without a disk, which gets only the metadata from peers.
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
    const NetworkEndpoints& endpoints;                 // the names in `network`, resolved
    std::optional<std::chrono::milliseconds> patience; // in total; none: no limit
    std::uint64_t memory = 256_MiB; // bytes; the metadata, whose size a peer states, may take a quarter
};

// The rest of a session that is ending: its sockets are closed at once, but its threads may wait for a name
// server. Its destruction waits for them.
using EndingSession = std::shared_ptr<void>;

struct Metadata {
    std::string torrent; // the bytes of a torrent file
    EndingSession session;
};

// Returns the bytes of a torrent file with the link's trackers and web seeds. Its info-hash is the link's;
// the caller has to check whether it is an image.
// Throws Error: ExitStatus::torrent as parse_magnet does, ExitStatus::stalled when the patience is over,
// ExitStatus::network when it cannot listen, and the error of `stop`.
// `deadline` ends the process if the session hangs, so that an error could not be returned.
[[nodiscard]] Metadata fetch_metadata(const std::string& magnet, const MetadataOptions& options,
                                      Reporter& reporter, Wakeup& wakeup, const StopSignal& stop,
                                      Deadline& deadline);

} // namespace ezio
