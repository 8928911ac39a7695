// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/session/tls_handshake_guard.hpp"

#include "catch.hpp"

namespace ezio {

namespace {

using Connection = TlsHandshakeGuard::Connection;
using std::chrono::seconds;

const Clock::time_point start{};

Endpoint peer(std::uint16_t port)
{
    return {boost::asio::ip::make_address("10.0.0.1"), port};
}

} // namespace

TEST_CASE("handshake guard: who takes too long is hung up on, peers are not")
{
    TlsHandshakeGuard guard({6881});
    const std::vector<Connection> both{{7, peer(1)}, {8, peer(2)}};
    CHECK(guard.choose(start, both, {peer(2)}).empty());
    CHECK(guard.choose(start + seconds(14), both, {peer(2)}).empty());
    CHECK(guard.choose(start + seconds(15), both, {peer(2)}) == std::vector{7});
}

TEST_CASE("handshake guard: one that was gone starts anew")
{
    TlsHandshakeGuard guard({6881});
    CHECK(guard.choose(start, {{7, peer(1)}}, {}).empty());
    CHECK(guard.choose(start + seconds(10), {}, {}).empty());
    CHECK(guard.choose(start + seconds(20), {{7, peer(1)}}, {}).empty());
    CHECK(guard.choose(start + seconds(35), {{7, peer(1)}}, {}) == std::vector{7});
}

TEST_CASE("handshake guard: of too many the oldest go, however patient it is")
{
    TlsHandshakeGuard guard({6881});
    std::vector<Connection> connections{{3, peer(1)}, {4, peer(2)}};
    CHECK(guard.choose(start, connections, {}).empty());
    for (std::size_t i = 0; i < TlsHandshakeGuard::most_waiting; ++i) {
        connections.push_back({static_cast<int>(i) + 5, peer(static_cast<std::uint16_t>(i + 3))});
    }
    CHECK(guard.choose(start + seconds(1), connections, {}) == std::vector{3, 4});
}

} // namespace ezio
