// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/net/addresses.hpp"

#include "expect_error.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>

namespace ezio {

using test::contains;
using test::refusal_of;

namespace {

namespace asio = boost::asio;

const asio::ip::address loopback = asio::ip::address_v4::loopback();

// A port that somebody listens on.
class TakenPort {
  public:
    // Throws if it is taken already; 0: any.
    explicit TakenPort(std::uint16_t port, const asio::ip::address& address = loopback)
        : m_acceptor(m_context, Endpoint(address, port), false)
    {}

    [[nodiscard]] std::uint16_t port() const { return m_acceptor.local_endpoint().port(); }

  private:
    asio::io_context m_context;
    asio::ip::tcp::acceptor m_acceptor;
};

// One that only UDP has; 0: any.
class TakenUdpPort {
  public:
    explicit TakenUdpPort(std::uint16_t port) : m_socket(m_context, asio::ip::udp::endpoint(loopback, port))
    {}

    [[nodiscard]] std::uint16_t port() const { return m_socket.local_endpoint().port(); }

  private:
    asio::io_context m_context;
    asio::ip::udp::socket m_socket;
};

std::uint16_t free_port()
{
    return TakenPort(0).port();
}

bool has_ipv6()
{
    try {
        return TakenPort(0, asio::ip::address_v6::loopback()).port() != 0;
    } catch (const boost::system::system_error&) {
        return false;
    }
}

std::string with_port(const std::string& host, std::uint16_t port)
{
    return fmt::format("{}:{}", host, port);
}

std::vector<std::string> texts(const std::vector<Endpoint>& endpoints)
{
    std::vector<std::string> found;
    for (const Endpoint& endpoint : endpoints) {
        found.push_back(to_string(endpoint));
    }
    return found;
}

void check_listen_refused(const std::string& text, ExitStatus status, const std::string& message)
{
    CAPTURE(text);
    const auto refusal = refusal_of([&] { (void)resolve_listen({text}); });
    CHECK(refusal.status == status);
    CHECK(refusal.message == message);
}

} // namespace

TEST_CASE("addresses: host and port are told apart, with and without brackets")
{
    const std::vector<std::pair<const char*, HostPort>> table{
        {"host", {"host", {}}},
        {"host:6881", {"host", 6881}},
        {"lab-3.example.org:1", {"lab-3.example.org", 1}},
        {"10.0.0.1", {"10.0.0.1", {}}},
        {"10.0.0.1:65535", {"10.0.0.1", 65535}},
        {":6881", {"", 6881}},
        {"::1", {"::1", {}}},
        {"fe80::1%eth0", {"fe80::1%eth0", {}}},
        {"[::1]", {"::1", {}}},
        {"[::1]:6881", {"::1", 6881}},
        {"[fe80::1%eth0]:6881", {"fe80::1%eth0", 6881}},
    };
    for (const auto& [text, expected] : table) {
        CAPTURE(text);
        CHECK(parse_host_port(text) == expected);
    }
}

TEST_CASE("addresses: what is neither host nor port is malformed")
{
    for (const char* text : {"", ":", "host:", "host:0", "host:65536", "host:99999999999", "host:-1",
                             "host:+80", "host: 80", "host:80 ", "host:http", ":0", "[]", "[]:1", "[::1",
                             "[::1]6881", "[::1]:", "[::1]:x", "[::1] :1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_host_port(text));
    }
}

TEST_CASE("addresses: an endpoint is shown as it is written")
{
    CHECK(to_string(Endpoint(asio::ip::make_address("10.0.0.1"), 6881)) == "10.0.0.1:6881");
    CHECK(to_string(Endpoint(asio::ip::make_address("fe80::1"), 80)) == "[fe80::1]:80");
}

TEST_CASE("addresses: a peer of numbers is taken as it is")
{
    CHECK(texts(resolve_peer("10.0.0.1:6881")) == std::vector<std::string>{"10.0.0.1:6881"});
    CHECK(texts(resolve_peer("[fd00::1]:6882")) == std::vector<std::string>{"[fd00::1]:6882"});
}

TEST_CASE("addresses: a peer without a host or a port, or malformed, is a usage error")
{
    for (const std::string text :
         {"", "nowhere", "10.0.0.1", ":6881", "10.0.0.1:0", "10.0.0.1:65536", "::1", "[::1]"}) {
        CAPTURE(text);
        const auto refusal = refusal_of([&] { (void)resolve_peer(text); });
        CHECK(refusal.status == ExitStatus::usage);
        CHECK(refusal.message == "--peer " + text + ": expected HOST:PORT, as in 10.0.0.1:6881");
    }
}

TEST_CASE("addresses: a peer whose name is not found is a network error that names it")
{
    const auto refusal =
        refusal_of([] { (void)resolve_peer("no..name:6881"); }); // no name server is asked for that
    CHECK(refusal.status == ExitStatus::network);
    CHECK_THAT(refusal.message, contains("--peer no..name:6881: no..name: "));
}

TEST_CASE("addresses: listening on an address and a port that is free is what was asked for")
{
    const std::uint16_t port = free_port();
    CHECK(resolve_listen({with_port("127.0.0.1", port)}).endpoints == std::vector{Endpoint(loopback, port)});
    CHECK(resolve_listen({with_port("127.0.0.1", port)}).endpoints.size() == 1); // trying did not take it
}

TEST_CASE("addresses: a port that is taken is refused by its name")
{
    const TakenPort taken(0);
    const std::string address = with_port("127.0.0.1", taken.port());
    const std::string reason = ": the port is taken; choose another one with --listen";
    check_listen_refused(address, ExitStatus::network, "cannot listen on " + address + reason);
    check_listen_refused(with_port("", taken.port()), ExitStatus::network,
                         "cannot listen on " + with_port("0.0.0.0", taken.port()) + reason);
    check_listen_refused(std::to_string(taken.port()), ExitStatus::network,
                         "cannot listen on " + with_port("0.0.0.0", taken.port()) + reason);
}

TEST_CASE("addresses: a port that only UDP has taken is refused, too, for a session would not listen there")
{
    const TakenUdpPort taken(0);
    const std::string address = with_port("127.0.0.1", taken.port());
    const std::string reason = ": the UDP port is taken; choose another one with --listen";
    check_listen_refused(address, ExitStatus::network, "cannot listen on " + address + reason);
    check_listen_refused(with_port("", taken.port()), ExitStatus::network,
                         "cannot listen on " + with_port("0.0.0.0", taken.port()) + reason);
}

TEST_CASE("addresses: without a port, one that only UDP has taken is passed over")
{
    const std::uint16_t first = resolve_listen({"127.0.0.1"}).endpoints.at(0).port();
    const TakenUdpPort taken(first);
    const std::uint16_t second = resolve_listen({"127.0.0.1"}).endpoints.at(0).port();
    CHECK(second != first);
    CHECK(second >= first_port);
    CHECK(second <= last_port);
}

TEST_CASE("addresses: without a port, the first free one of the range is taken")
{
    const std::vector<Endpoint> first = resolve_listen({"127.0.0.1"}).endpoints;
    REQUIRE(first.size() == 1);
    CHECK(first[0].port() >= first_port);
    CHECK(first[0].port() <= last_port);

    const TakenPort taken(first[0].port());
    const std::vector<Endpoint> second = resolve_listen({"127.0.0.1"}).endpoints;
    REQUIRE(second.size() == 1);
    CHECK(second[0].port() != taken.port());
    CHECK(second[0].port() >= first_port);
    CHECK(second[0].port() <= last_port);
}

TEST_CASE("addresses: nothing named means all addresses, of IPv6 too where there is one")
{
    const std::vector<Endpoint> endpoints = resolve_listen({}).endpoints;
    REQUIRE(endpoints.size() == (has_ipv6() ? 2U : 1U));
    CHECK(endpoints[0].address() == asio::ip::address_v4::any());
    CHECK(endpoints.back().address().is_unspecified());
    CHECK(endpoints.back().port() == endpoints[0].port());
}

TEST_CASE("addresses: an IPv6 address is listened on with and without brackets")
{
    if (!has_ipv6()) {
        WARN("skipped: needs IPv6");
        return;
    }
    const std::uint16_t port = free_port();
    CHECK(texts(resolve_listen({with_port("[::1]", port)}).endpoints) ==
          std::vector{with_port("[::1]", port)});
    CHECK(resolve_listen({"::1"}).endpoints.size() == 1);
}

TEST_CASE("addresses: an interface means its addresses")
{
    const std::uint16_t port = free_port();
    const std::vector<std::string> endpoints = texts(resolve_listen({with_port("lo", port)}).endpoints);
    CHECK(std::count(endpoints.begin(), endpoints.end(), with_port("127.0.0.1", port)) == 1);
}

TEST_CASE("addresses: several places are listened on at one port, none of them twice")
{
    const std::uint16_t port = free_port();
    const auto one = texts(
        resolve_listen({with_port("127.0.0.1", port), "127.0.0.2", with_port("127.0.0.1", port)}).endpoints);
    CHECK(one == std::vector{with_port("127.0.0.1", port), with_port("127.0.0.2", port)});

    const auto chosen = resolve_listen({"127.0.0.1", "127.0.0.2"}).endpoints;
    REQUIRE(chosen.size() == 2);
    CHECK(chosen[0].port() == chosen[1].port());

    const auto refusal = refusal_of([] { (void)resolve_listen({"127.0.0.1:7001", "127.0.0.2:7002"}); });
    CHECK(refusal.status == ExitStatus::usage);
    CHECK(refusal.message ==
          "--listen 127.0.0.2:7002: all addresses share one port, and another --listen names 7001");
}

TEST_CASE("addresses: who chooses at the same time gets another port")
{
    const ListenPlace first = resolve_listen({"127.0.0.1"});
    const ListenPlace second = resolve_listen({"127.0.0.1"});
    CHECK(first.endpoints.at(0).port() != second.endpoints.at(0).port());
}

TEST_CASE("addresses: an address of another machine is refused")
{
    check_listen_refused("192.0.2.1:6881", ExitStatus::network,
                         "cannot listen on 192.0.2.1:6881: that is not an address of this machine");
}

TEST_CASE("addresses: a name that is neither address nor interface is refused")
{
    check_listen_refused(
        "no-such-if0:6881", ExitStatus::network,
        "cannot listen on no-such-if0: it is neither an address nor an interface of this machine");
}

TEST_CASE("addresses: where to listen that cannot be understood is a usage error")
{
    for (const std::string text :
         {":", "0", "65536", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "[::1"}) {
        check_listen_refused(text, ExitStatus::usage,
                             "--listen " + text +
                                 ": expected an address or interface, a port, or both, as in eth0:6881");
    }
}

TEST_CASE("addresses: all that the options name is resolved, several peers in their order")
{
    NetworkOptions options;
    options.peers = {"10.0.0.1:6881", "10.0.0.2:6882"};
    options.listen = {with_port("127.0.0.1", free_port())};
    options.allow = {"10.0.0.0/8", "127.0.0.1"};
    const NetworkEndpoints endpoints = resolve(options);
    CHECK(texts(endpoints.peers) == options.peers);
    CHECK(texts(endpoints.listen.endpoints) == options.listen);
    CHECK(endpoints.allowed.size() == 2);
}

TEST_CASE("addresses: a peer that is not allowed, and a malformed network, are usage errors")
{
    NetworkOptions options;
    options.listen = {"127.0.0.1"};
    options.peers = {"192.0.2.1:6881"};
    options.allow = {"10.0.0.0/8"};
    CHECK(refusal_of([&] { (void)resolve(options); }).message ==
          "--peer 192.0.2.1:6881: it is in none of the networks of --allow");
    options.allow = {"10.0.0.0/33"};
    const auto refusal = refusal_of([&] { (void)resolve(options); });
    CHECK(refusal.status == ExitStatus::usage);
    CHECK(refusal.message ==
          "--allow 10.0.0.0/33: expected an address or a network, as in 10.0.0.0/8 or fd00::/8");
}

} // namespace ezio
