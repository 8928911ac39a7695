// SPDX-License-Identifier: GPL-2.0-or-later
//
// Addresses as users write them, checked before anything else happens: a name that does not resolve and a
// port that is taken are found here, not by a session that is already running.
#pragma once

#include "ezio/net/allowed_networks.hpp"
#include "ezio/net/network_options.hpp"
#include "ezio/util/fd.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

using Endpoint = boost::asio::ip::tcp::endpoint;

// The ports tried, in order, when the user names none.
inline constexpr std::uint16_t first_port = 6881;
inline constexpr std::uint16_t last_port = 6999;

struct HostPort {
    std::string host; // without brackets
    std::optional<std::uint16_t> port;
    bool operator==(const HostPort&) const = default;
};

// "host", "host:port", "[v6]", "[v6]:port", ":port", "v6". Empty when malformed; a port is 1 to 65535.
[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text);

// The addresses of a --peer. Throws Error: ExitStatus::usage when malformed or without a port,
// ExitStatus::network when the name is not found.
[[nodiscard]] std::vector<Endpoint> resolve_peer(const std::string& text);

// Where to listen, all on one port: local discovery announces no more than one.
struct ListenPlace {
    std::vector<Endpoint> endpoints; // none twice
    Fd reservation;                  // of the port if it was chosen here, while this lives
    std::uint16_t ports_taken = 0;   // that were tried before it, if it was chosen here
};

// What `texts` (as in NetworkOptions::listen) mean, after trying it: every endpoint could be bound a moment
// ago, by TCP and by UDP. Throws Error: ExitStatus::usage when one is malformed, or two name different ports;
// ExitStatus::network with the reason when an address is not this machine's, an interface has none, or the
// port is taken.
[[nodiscard]] ListenPlace resolve_listen(const std::vector<std::string>& texts);

// Throws Error (ExitStatus::usage) when one is malformed.
[[nodiscard]] std::vector<AddressRange> resolve_allowed(const std::vector<std::string>& texts);

// What the names in the options mean.
struct NetworkEndpoints {
    ListenPlace listen;
    std::vector<Endpoint> peers;
    std::vector<AddressRange> allowed;
};

// Where to listen, and who is allowed: what needs nobody's answer. A --peer that is malformed is refused,
// too.
[[nodiscard]] NetworkEndpoints resolve_here(const NetworkOptions& options);

// The peers that the options name, which name servers may be asked for. Throws as resolve_peer does, and
// ExitStatus::usage when one is not in `allowed`.
[[nodiscard]] std::vector<Endpoint> resolve_peers(const NetworkOptions& options,
                                                  const std::vector<AddressRange>& allowed);

// All of it.
[[nodiscard]] NetworkEndpoints resolve(const NetworkOptions& options);

// "10.0.0.1:6881", "[fe80::1]:6881".
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

} // namespace ezio
