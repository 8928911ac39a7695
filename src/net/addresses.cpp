// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/net/addresses.hpp"

#include "ezio/util/error.hpp"
#include "ezio/util/text.hpp"
#include "interfaces.hpp"
#include "port_reservation.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <fmt/format.h>

#include <algorithm>

#include <net/if.h>

namespace ezio {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

std::optional<std::uint16_t> parse_port(std::string_view text)
{
    const auto port = parse_number<std::uint16_t>(text);
    return port != 0 ? port : std::nullopt;
}

std::vector<asio::ip::address> addresses_of_interface(const std::string& name)
{
    std::vector<asio::ip::address> found;
    for (const InterfaceAddress& it : interface_addresses()) {
        if (it.interface == name) {
            found.push_back(it.address);
        }
    }
    return found;
}

template <typename Socket>
void open_socket(Socket& socket, const typename Socket::endpoint_type& endpoint, error_code& error)
{
    socket.open(endpoint.protocol(), error);
    if (!error && endpoint.address().is_v6()) {
        socket.set_option(asio::ip::v6_only(true), error);
    }
}

error_code try_tcp(const Endpoint& endpoint)
{
    asio::io_context context;
    asio::ip::tcp::acceptor acceptor(context);
    error_code error;
    open_socket(acceptor, endpoint, error);
    if (!error) {
        acceptor.set_option(asio::socket_base::reuse_address(true), error);
    }
    if (!error) {
        acceptor.bind(endpoint, error);
    }
    if (!error) {
        acceptor.listen(1, error);
    }
    return error;
}

error_code try_udp(const asio::ip::udp::endpoint& endpoint)
{
    asio::io_context context;
    asio::ip::udp::socket socket(context);
    error_code error;
    open_socket(socket, endpoint, error);
    if (!error) {
        socket.bind(endpoint, error);
    }
    return error;
}

// Why it is impossible to listen.
struct Obstacle {
    Endpoint endpoint;
    error_code error;
    bool is_udp = false;
};

// A session needs each port for both TCP and UDP.
std::optional<Obstacle> try_to_bind(const Endpoint& endpoint)
{
    if (const auto error = try_tcp(endpoint)) {
        return Obstacle{endpoint, error, false};
    }
    if (const auto error = try_udp({endpoint.address(), endpoint.port()})) {
        return Obstacle{endpoint, error, true};
    }
    return std::nullopt;
}

Error cannot_listen(const Obstacle& obstacle)
{
    std::string why = obstacle.error.message();
    if (obstacle.error == asio::error::address_in_use) {
        why = fmt::format("the {} is taken; choose another one with --listen",
                          obstacle.is_udp ? "UDP port" : "port");
    } else if (obstacle.error == boost::system::errc::address_not_available) {
        why = "that is not an address of this machine";
    }
    return {ExitStatus::network, fmt::format("cannot listen on {}: {}", to_string(obstacle.endpoint), why)};
}

// A tentative address, which the kernel has not yet found to be unique, cannot be bound; libtorrent skips it,
// too.
bool is_tentative(const asio::ip::address& address)
{
    return address.is_v6() && try_tcp({address, 0}) == boost::system::errc::address_not_available;
}

// The addresses of `host`: an address of this machine, an interface's addresses, or all if it is empty.
std::vector<asio::ip::address> listen_addresses(const std::string& host)
{
    if (host.empty()) {
        return {asio::ip::address_v4::any(), asio::ip::address_v6::any()};
    }
    error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (!error) {
        return {address};
    }
    if (::if_nametoindex(host.c_str()) == 0) {
        throw Error(
            ExitStatus::network,
            fmt::format("cannot listen on {}: it is neither an address nor an interface of this machine",
                        host));
    }
    const auto addresses = addresses_of_interface(host);
    if (addresses.empty()) {
        throw Error(ExitStatus::network,
                    fmt::format("cannot listen on {}: the interface has no address", host));
    }
    std::vector<asio::ip::address> ready;
    std::remove_copy_if(addresses.begin(), addresses.end(), std::back_inserter(ready), is_tentative);
    return ready.empty() ? addresses : ready;
}

struct ListenRequest {
    std::vector<asio::ip::address> addresses;
    std::optional<std::uint16_t> port;
};

HostPort parse_listen_place(const std::string& text)
{
    const bool port_alone = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    const auto place = parse_host_port(port_alone ? ":" + text : text);
    if (!place) {
        throw Error(
            ExitStatus::usage,
            fmt::format("--listen {}: expected an address or interface, a port, or both, as in eth0:6881",
                        text));
    }
    return *place;
}

ListenRequest parse_listen(const std::vector<std::string>& texts)
{
    ListenRequest request;
    for (const std::string& text : texts) {
        const HostPort place = parse_listen_place(text);
        if (place.port && request.port.value_or(*place.port) != *place.port) {
            throw Error(
                ExitStatus::usage,
                fmt::format("--listen {}: all addresses share one port, and another --listen names {}", text,
                            *request.port));
        }
        request.port = place.port ? place.port : request.port;
        for (const auto& address : listen_addresses(place.host)) {
            if (std::find(request.addresses.begin(), request.addresses.end(), address) ==
                request.addresses.end()) {
                request.addresses.push_back(address);
            }
        }
    }
    if (texts.empty()) {
        request.addresses = listen_addresses("");
    }
    return request;
}

// The endpoints at `port`, all of which can be bound; none if there is an obstacle. If all addresses are
// requested, a family that the machine does not have is left out.
std::vector<Endpoint> bindable(const std::vector<asio::ip::address>& addresses, std::uint16_t port,
                               Obstacle& obstacle)
{
    std::vector<Endpoint> endpoints;
    for (const auto& address : addresses) {
        const Endpoint endpoint(address, port);
        const auto found = try_to_bind(endpoint);
        const bool no_such_family = address.is_v6() && address.is_unspecified() && !endpoints.empty() &&
                                    found && found->error != asio::error::address_in_use;
        if (no_such_family) {
            continue;
        }
        if (found) {
            obstacle = *found;
            return {};
        }
        endpoints.push_back(endpoint);
    }
    return endpoints;
}

} // namespace

std::string to_string(const Endpoint& endpoint)
{
    const std::string address = endpoint.address().to_string();
    return endpoint.address().is_v6() ? fmt::format("[{}]:{}", address, endpoint.port())
                                      : fmt::format("{}:{}", address, endpoint.port());
}

std::optional<HostPort> parse_host_port(std::string_view text)
{
    std::string_view host = text;
    std::string_view after;
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos || close == 1) {
            return std::nullopt;
        }
        host = text.substr(1, close - 1);
        after = text.substr(close + 1);
    } else if (std::count(text.begin(), text.end(), ':') == 1) { // more: an IPv6 address without a port
        host = text.substr(0, text.find(':'));
        after = text.substr(text.find(':'));
    }
    if (after.empty()) {
        return host.empty() ? std::nullopt : std::optional(HostPort{std::string(host), std::nullopt});
    }
    const auto port = after[0] == ':' ? parse_port(after.substr(1)) : std::nullopt;
    return port ? std::optional(HostPort{std::string(host), port}) : std::nullopt;
}

namespace {

HostPort parse_peer(const std::string& text)
{
    auto peer = parse_host_port(text);
    if (!peer || !peer->port || peer->host.empty()) {
        throw Error(ExitStatus::usage,
                    fmt::format("--peer {}: expected HOST:PORT, as in 10.0.0.1:6881", text));
    }
    return std::move(*peer);
}

} // namespace

std::vector<Endpoint> resolve_peer(const std::string& text)
{
    const HostPort peer = parse_peer(text);
    asio::io_context context;
    asio::ip::tcp::resolver resolver(context);
    error_code error;
    const auto results = resolver.resolve(peer.host, std::to_string(*peer.port),
                                          asio::ip::resolver_base::numeric_service, error);
    if (error) {
        throw Error(ExitStatus::network, fmt::format("--peer {}: {}: {}", text, peer.host, error.message()));
    }
    std::vector<Endpoint> endpoints;
    for (const auto& result : results) {
        const auto address = result.endpoint().address();
        if (!address.is_v6() || !address.to_v6().is_link_local()) {
            endpoints.push_back(result.endpoint());
        }
    }
    if (endpoints.empty()) { // libtorrent drops the scope
        throw Error(
            ExitStatus::usage,
            fmt::format(
                "--peer {}: a link-local IPv6 address cannot be used; name another address of that host",
                text));
    }
    return endpoints;
}

ListenPlace resolve_listen(const std::vector<std::string>& texts)
{
    const ListenRequest request = parse_listen(texts);
    Obstacle obstacle;
    if (request.port) {
        auto endpoints = bindable(request.addresses, *request.port, obstacle);
        if (endpoints.empty()) {
            throw cannot_listen(obstacle);
        }
        return {std::move(endpoints), {}, 0};
    }
    for (std::uint16_t port = first_port; port <= last_port; ++port) {
        auto reservation = reserve_port(port);
        if (!reservation) {
            continue;
        }
        auto endpoints = bindable(request.addresses, port, obstacle);
        if (!endpoints.empty()) {
            return {std::move(endpoints), std::move(*reservation),
                    static_cast<std::uint16_t>(port - first_port)};
        }
        if (obstacle.error != asio::error::address_in_use) {
            throw cannot_listen(obstacle);
        }
    }
    throw Error(
        ExitStatus::network,
        fmt::format("cannot listen: all ports from {} to {} are taken; choose another one with --listen",
                    first_port, last_port));
}

std::vector<AddressRange> resolve_allowed(const std::vector<std::string>& texts)
{
    std::vector<AddressRange> ranges;
    for (const std::string& text : texts) {
        const auto range = parse_network(text);
        if (!range) {
            throw Error(
                ExitStatus::usage,
                fmt::format("--allow {}: expected an address or a network, as in 10.0.0.0/8 or fd00::/8",
                            text));
        }
        ranges.push_back(*range);
    }
    return ranges;
}

NetworkEndpoints resolve_here(const NetworkOptions& options)
{
    NetworkEndpoints endpoints;
    endpoints.allowed = resolve_allowed(options.allow);
    for (const std::string& peer : options.peers) {
        (void)parse_peer(peer);
    }
    endpoints.listen = resolve_listen(options.listen);
    return endpoints;
}

std::vector<Endpoint> resolve_peers(const NetworkOptions& options, const std::vector<AddressRange>& allowed)
{
    std::vector<Endpoint> peers;
    for (const std::string& peer : options.peers) {
        auto found = resolve_peer(peer);
        std::erase_if(found, [&](const Endpoint& it) { return !allows(allowed, it.address()); });
        if (found.empty()) {
            throw Error(ExitStatus::usage,
                        fmt::format("--peer {}: it is in none of the networks of --allow", peer));
        }
        peers.insert(peers.end(), found.begin(), found.end());
    }
    return peers;
}

NetworkEndpoints resolve(const NetworkOptions& options)
{
    NetworkEndpoints endpoints = resolve_here(options);
    endpoints.peers = resolve_peers(options, endpoints.allowed);
    return endpoints;
}

} // namespace ezio
