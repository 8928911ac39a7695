// SPDX-License-Identifier: GPL-2.0-or-later
//
// The options of each command, with their defaults.
#pragma once

#include "ezio/net/network_options.hpp"
#include "ezio/source/source_options.hpp"
#include "ezio/util/units.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ezio {

struct CreateOptions : SourceOptions {
    std::string output; // the torrent to write
    std::string name;   // info.name; empty: from the source
    std::vector<std::string> trackers;
    std::string comment;
    std::string ssl_ca;                        // file with the CA's certificate, PEM; empty: no SSL torrent
    bool date = false;                         // record the time of creation
    std::optional<std::uint64_t> piece_length; // none: chosen by the payload

    bool operator==(const CreateOptions&) const = default;
};

struct SeedOptions {
    std::string torrent;
    std::string source;
    NetworkOptions network;
    std::uint64_t memory = 256_MiB;
    bool check = false;                                 // hash the source first
    std::optional<std::chrono::milliseconds> seed_time; // none: until a signal
    std::optional<std::chrono::milliseconds> idle_timeout;
    std::optional<int> clients; // leave when this many are complete
    std::string report;         // keep the list of clients in this file; empty: do not

    bool operator==(const SeedOptions&) const = default;
};

struct FetchOptions {
    std::string torrent;
    std::string target;
    std::string save_torrent; // also write the torrent here; empty: do not
    NetworkOptions network;
    std::uint64_t memory = 256_MiB;
    bool resume = false;          // keep pieces that are already right
    bool discard = false;         // the blocks that the image does not use
    bool expand_gpt = false;      // to the end of a larger disk
    bool keep_signatures = false; // of earlier contents
    std::string serial;           // the disk's; empty: any
    bool verify = false;          // read everything back from the medium before completing
    bool report = true;           // report to seeders
    std::string report_as;        // under this name; empty: the host's
    std::chrono::milliseconds seed_time = std::chrono::minutes(2);
    std::optional<std::chrono::milliseconds> stall_timeout;
    std::optional<std::chrono::milliseconds> timeout;

    bool operator==(const FetchOptions&) const = default;
};

struct VerifyOptions {
    std::string torrent;
    std::string target;

    bool operator==(const VerifyOptions&) const = default;
};

struct InfoOptions {
    std::string torrent;
    bool magnet = false; // print a magnet link instead

    bool operator==(const InfoOptions&) const = default;
};

using Command = std::variant<CreateOptions, SeedOptions, FetchOptions, VerifyOptions, InfoOptions>;

} // namespace ezio
