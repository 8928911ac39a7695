// SPDX-License-Identifier: GPL-2.0-or-later
//
// One torrent, one target, from the first peer to the end: phases, waiting, leaving, reporting. A fetch is
// complete when the disk engine has written every verified piece and a sync of the same descriptors has
// succeeded, not when libtorrent says finished (which means "hash passed").
#pragma once

#include "ezio/disk/clear_signatures.hpp"
#include "ezio/disk/move_gpt.hpp"
#include "ezio/disk/other_disks.hpp"
#include "ezio/disk/partition_rescan.hpp"
#include "ezio/disk/volume_scan.hpp"
#include "ezio/net/addresses.hpp"
#include "ezio/net/network_options.hpp"
#include "ezio/net/tls_credentials.hpp"
#include "ezio/process/deadline.hpp"
#include "ezio/process/stop_signal.hpp"
#include "ezio/report/client_status.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/target/target.hpp"
#include "ezio/torrent/torrent_file.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/units.hpp"
#include "ezio/util/wakeup.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace ezio {

enum class Role { fetch, seed };

struct TransferOptions {
    Role role = Role::fetch;
    NetworkOptions network;
    NetworkEndpoints endpoints;                               // the names in `network`, resolved
    std::optional<TlsCredentials> tls;                        // set exactly when the torrent names a CA
    std::uint64_t memory = 256_MiB;                           // bytes for received and cached data
    bool check = false;                                       // hash the target first; see run_transfer
    StaleSignatures stale_signatures = StaleSignatures::keep; // of a fetch's target
    GptCopy gpt_copy = GptCopy::leave;                        // of an image of a smaller disk
    OtherDisks* other_disks = nullptr;      // if the target is a block device; outlives the transfer
    PartitionRescan* rescan = nullptr;      // if the target is a whole disk; outlives the transfer
    VolumeScan* volume_scan = nullptr;      // if the target is a block device; outlives the transfer
    bool verify = false;                    // after the sync, hash the contents of the medium
    std::optional<ClientReport> reports_as; // host, target and serial number for reports to seeders;
                                            // none: no reports
    std::optional<std::chrono::milliseconds> seed_time;     // at most; none: no limit (seed)
    std::optional<std::chrono::milliseconds> stall_timeout; // while nothing is received or written
    std::optional<std::chrono::milliseconds> timeout;       // from timed_since until complete
    Clock::time_point timed_since = Clock::now();           // before earlier steps than the transfer
    std::optional<std::chrono::milliseconds> idle_timeout;  // of a seed: while nothing is sent
    std::optional<unsigned> clients;                        // of a seed: leave when this many are complete
    std::function<void(const ClientList&)> clients_known;   // of a seed: called several times a second
};

// With TransferOptions::check the target is hashed first. A fetch then keeps every piece that is right and
// fetches the others, from the first missing one on (for hybrid and padded torrents after the check); a seed
// does not serve a target without the image.
//
// Runs to the end and reports everything except the final error. Returns when the work is done; otherwise
// throws Error with the status: ExitStatus::stalled for a seed that leaves before TransferOptions::clients
// are complete. `wakeup` is the one that `stop` notifies. `deadline` enforces the limits while the session
// does not answer, and ends the process when the session or a sync does not end.
void run_transfer(const LoadedTorrent& torrent, Target& target, const TransferOptions& options,
                  Reporter& reporter, Wakeup& wakeup, const StopSignal& stop, Deadline& deadline);

} // namespace ezio
