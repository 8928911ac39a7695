// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/net/tls_credentials.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ezio {

// The user's network options, the same for seed and fetch.
struct NetworkOptions {
    std::vector<std::string> peers;    // HOST:PORT
    std::vector<std::string> trackers; // URLs, in addition to the torrent's
    bool torrent_trackers = true;      // use the torrent's own trackers
    bool web_seeds = false;            // use the torrent's web seeds
    bool lsd = true;                   // local service discovery, by multicast
    bool compression = true;           // between peers that both support it
    std::vector<std::string>
        listen; // ADDR|IFACE[:PORT]; none: all addresses, the first free port of the range
    std::vector<std::string> allow; // allowed networks; none: all
    std::uint64_t max_upload = 0;   // bytes per second; 0: no limit
    std::uint64_t max_download = 0;
    int max_peers = 256;
    TlsFiles tls;     // for a private image
    std::string user; // the user to run as once the target is open; empty: unchanged

    bool operator==(const NetworkOptions&) const = default;
};

} // namespace ezio
