// SPDX-License-Identifier: GPL-2.0-or-later
//
// Parses and resolves the addresses that users give, before anything else happens: a name that does not
// resolve, or a port that is taken, is reported here and not by a running session.
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

// The ports to try, in order, if the user names none.
inline constexpr std::uint16_t first_port = 6881;
inline constexpr std::uint16_t last_port = 6999;

struct HostPort {
    std::string host; // without brackets
    std::optional<std::uint16_t> port;
    bool operator==(const HostPort&) const = default;
};

// "host", "host:port", "[v6]", "[v6]:port", ":port", "v6". Empty when malformed; a port is 1 to 65535.
[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text);

// Resolves the address of a --peer. Throws Error: ExitStatus::usage when it is malformed or without a port,
// ExitStatus::network when the name is not found.
[[nodiscard]] std::vector<Endpoint> resolve_peer(const std::string& text);

// Where to listen. All endpoints share one port, because local discovery announces only one.
struct ListenPlace {
    std::vector<Endpoint> endpoints; // without duplicates
    Fd reservation;                  // reserves the port while this lives, if it was chosen here
    std::uint16_t ports_taken = 0;   // ports tried before it, if it was chosen here
};

// Resolves `texts` (as in NetworkOptions::listen) and tries the result: every endpoint could just be bound,
// by TCP and by UDP. Throws Error: ExitStatus::usage when one is malformed, or two name different ports;
// ExitStatus::network with the reason when an address is not this machine's, an interface has none, or the
// port is taken.
[[nodiscard]] ListenPlace resolve_listen(const std::vector<std::string>& texts);

// Throws Error (ExitStatus::usage) when one is malformed.
[[nodiscard]] std::vector<AddressRange> resolve_allowed(const std::vector<std::string>& texts);

// The options' names, resolved.
struct NetworkEndpoints {
    ListenPlace listen;
    std::vector<Endpoint> peers;
    std::vector<AddressRange> allowed;
};

// Resolves what needs no name server: where to listen, and the allowed networks. Also checks the syntax of
// --peer.
[[nodiscard]] NetworkEndpoints resolve_here(const NetworkOptions& options);

// Resolves the options' peers; may ask name servers. Throws like resolve_peer, and ExitStatus::usage when a
// peer is not in `allowed`.
[[nodiscard]] std::vector<Endpoint> resolve_peers(const NetworkOptions& options,
                                                  const std::vector<AddressRange>& allowed);

// Both of the above.
[[nodiscard]] NetworkEndpoints resolve(const NetworkOptions& options);

// "10.0.0.1:6881", "[fe80::1]:6881".
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

} // namespace ezio
