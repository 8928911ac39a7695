// SPDX-License-Identifier: GPL-2.0-or-later
//
// What seed, fetch, verify and info have in common before the transfer. The order of the steps, which fetch
// follows with a time limit for each (fetch_command.cpp):
//     1. the command line's files, and a torrent that is a file: read, checked, refused
//     2. with privileges, and without the network: listening addresses, credentials, the target opened
//     3. privileges given up; from here on the network may be used
//     4. names resolved; a torrent from a URL or a magnet link fetched, and checked like one from a file
//     5. the target checked against the image; --discard
//     6. the transfer, which listens, connects and writes. A port that is taken is refused only here.
#pragma once

#include "context.hpp"
#include "ezio/disk/other_disks.hpp"
#include "ezio/disk/partition_rescan.hpp"
#include "ezio/disk/volume_scan.hpp"
#include "ezio/net/network_options.hpp"
#include "ezio/target/target_place.hpp"
#include "ezio/torrent/torrent_file.hpp"
#include "ezio/torrent/torrent_memory.hpp"
#include "ezio/transfer/transfer.hpp"
#include "file_roles.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ezio {

// Whether it is a magnet link or a URL.
[[nodiscard]] bool comes_by_network(const std::string& torrent);

[[nodiscard]] LoadedTorrent torrent_from(const std::string& path_or_url, const Context& context,
                                         const std::optional<TorrentMemory>& memory = {});

// The files that a command reads in addition to the image.
[[nodiscard]] std::vector<InputFile> inputs_of(const std::string& torrent, const TlsFiles& tls);
[[nodiscard]] std::vector<std::string> with_paths_of(const std::vector<InputFile>& inputs,
                                                     const std::string& other);

[[nodiscard]] TargetPlace open_place_of(const std::string& path, Access access, const Context& context,
                                        const std::string& serial = {});
[[nodiscard]] std::unique_ptr<Target> open_for(const Image& image, TargetPlace place, const Context& context);

// To be called once the target is open, before the first packet.
void give_up_privileges_for(const std::optional<User>& user, const std::vector<Endpoint>& listen,
                            const std::string& target, const Context& context);

// The first steps of seed and fetch.
struct Start {
    NetworkEndpoints endpoints;                // without those that need a name server
    std::optional<TlsCredentials> credentials; // checked once the torrent is known
    TargetPlace place;
    std::unique_ptr<PartitionRescan> rescan{}; // this and the next: for a fetch's target, with privileges
    std::unique_ptr<OtherDisks> other_disks{};
    std::unique_ptr<VolumeScan> volume_scan{};
};

// Does everything that may need privileges, and nothing that uses the network; then gives them up. `torrent`
// is null if it is not known yet.
[[nodiscard]] Start start_with_privileges(const LoadedTorrent* torrent, const NetworkOptions& network,
                                          const std::string& target, Access access, const std::string& serial,
                                          const Context& context);

// The checks for a torrent that came over the network.
void check_credentials_for(const LoadedTorrent& torrent, const TlsFiles& files,
                           std::optional<TlsCredentials>& credentials);

[[nodiscard]] TransferOptions transfer_options(Role role, const NetworkOptions& network, Start& start);

} // namespace ezio
