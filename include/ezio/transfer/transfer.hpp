// SPDX-License-Identifier: GPL-2.0-or-later
//
// One torrent, one target, from the first peer to the end: phases, waiting, leaving, reporting. It decides
// when the work is done: a fetch is complete when the disk engine has written every verified piece and a sync
// of what it was written through has succeeded, not when libtorrent says finished (that means "hash passed").
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
    NetworkEndpoints endpoints;                               // what the names in `network` resolved to
    std::optional<TlsCredentials> tls;                        // exactly when the torrent names a CA
    std::uint64_t memory = 256_MiB;                           // bytes for received and cached data
    bool check = false;                                       // first hash the target; see run_transfer
    StaleSignatures stale_signatures = StaleSignatures::keep; // of a fetch's target
    GptCopy gpt_copy = GptCopy::leave;                        // of an image that is of a smaller disk
    OtherDisks* other_disks = nullptr; // of a target that is a block device; outlives the transfer
    PartitionRescan* rescan = nullptr; // of a target that is a whole disk; outlives the transfer
    VolumeScan* volume_scan = nullptr; // of a target that is a block device, for LVM2; outlives the transfer
    bool verify = false;               // after the sync, hash what the medium holds
    std::optional<ClientReport> reports_as; // a fetch's host, target and serial number, for the seeders;
                                            // none: they are told nothing
    std::optional<std::chrono::milliseconds> seed_time;     // at most; none: no limit (seed)
    std::optional<std::chrono::milliseconds> stall_timeout; // without anything received or written
    std::optional<std::chrono::milliseconds> timeout;       // from timed_since until complete
    Clock::time_point timed_since = Clock::now();           // before what came before the transfer
    std::optional<std::chrono::milliseconds> idle_timeout;  // of a seed: without anything sent
    std::optional<unsigned> clients;                        // of a seed: leave when so many are complete
    std::function<void(const ClientList&)> clients_known; // of a seed, if given: told several times a second
};

// With TransferOptions::check the target is hashed first. A fetch keeps every piece that is right and fetches
// the rest, from the first one on that is found missing (of hybrid and padded torrents after the check); a
// seed does not serve an image that is not there.
//
// Runs to the end and reports it all but the final error. Returns when the work is done; throws Error with
// the status otherwise: ExitStatus::stalled for a seed that leaves before TransferOptions::clients are
// complete. `wakeup` is the one that `stop` notifies. `deadline` keeps the limits when the session does not
// answer, and ends the process when what was started does not end.
void run_transfer(const LoadedTorrent& torrent, Target& target, const TransferOptions& options,
                  Reporter& reporter, Wakeup& wakeup, const StopSignal& stop, Deadline& deadline);

} // namespace ezio
