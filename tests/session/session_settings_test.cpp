// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/session/session_settings.hpp"

#include "catch.hpp"

#include "ezio/net/allowed_networks.hpp"
#include "ezio/process/descriptor_limit.hpp"
#include "ezio/util/units.hpp"

#include <libtorrent/alert.hpp>

namespace ezio {

using lt::settings_pack;

namespace {

lt::settings_pack settings(const NetworkOptions& options = {})
{
    return session_settings(options, {}, Transport::plain);
}

Endpoint endpoint(const char* address, std::uint16_t port)
{
    return {boost::asio::ip::make_address(address), port};
}

} // namespace

TEST_CASE("session: nothing leaves the LAN unasked")
{
    const lt::settings_pack pack = settings();
    for (const int setting : {settings_pack::enable_dht, settings_pack::enable_upnp,
                              settings_pack::enable_natpmp, settings_pack::enable_lsd}) {
        CAPTURE(lt::name_for_setting(setting));
        REQUIRE(pack.has_val(setting));
        CHECK_FALSE(pack.get_bool(setting));
    }
}

TEST_CASE("session: TCP in plain text, but who comes by uTP or encrypted is let in")
{
    const lt::settings_pack pack = settings();
    REQUIRE(pack.has_val(settings_pack::enable_outgoing_utp));
    REQUIRE(pack.has_val(settings_pack::enable_incoming_utp));
    CHECK_FALSE(pack.get_bool(settings_pack::enable_outgoing_utp));
    CHECK(pack.get_bool(settings_pack::enable_incoming_utp));
    CHECK_FALSE(session_settings({}, {}, Transport::tls).get_bool(settings_pack::enable_incoming_utp));
    CHECK(pack.get_bool(settings_pack::enable_outgoing_tcp));
    CHECK(pack.get_bool(settings_pack::enable_incoming_tcp));
    CHECK(pack.get_int(settings_pack::out_enc_policy) == settings_pack::pe_disabled);
    CHECK(pack.get_int(settings_pack::in_enc_policy) == settings_pack::pe_enabled);
}

TEST_CASE("session: what a limit allows is given out ten times a second, and headers are not counted")
{
    NetworkOptions up;
    up.max_upload = 6_MiB;
    NetworkOptions down;
    down.max_download = 6_MiB;
    for (const NetworkOptions& limited : {up, down}) {
        CHECK(settings(limited).get_int(settings_pack::tick_interval) == 20);
        CHECK_FALSE(settings(limited).get_bool(settings_pack::rate_limit_ip_overhead));
    }
    CHECK_FALSE(settings().has_val(settings_pack::tick_interval));
}

TEST_CASE("session: rates have no limit unless one is named")
{
    CHECK(settings().get_int(settings_pack::upload_rate_limit) == 0);
    CHECK(settings().get_int(settings_pack::download_rate_limit) == 0);
    NetworkOptions options;
    options.max_upload = 10_MiB;
    options.max_download = 20_MiB;
    CHECK(settings(options).get_int(settings_pack::upload_rate_limit) == 10 * 1024 * 1024);
    CHECK(settings(options).get_int(settings_pack::download_rate_limit) == 20 * 1024 * 1024);
}

TEST_CASE("session: a rate over what libtorrent can count to is a high limit, not a wrong one")
{
    NetworkOptions options;
    options.max_upload = 4_GiB; // 0 in 32 bits, which would be no limit
    options.max_download = ~0ULL;
    CHECK(settings(options).get_int(settings_pack::upload_rate_limit) == 1024 * 1024 * 1024);
    CHECK(settings(options).get_int(settings_pack::download_rate_limit) == 1024 * 1024 * 1024);
}

TEST_CASE("session: as many connections as the options say")
{
    CHECK(settings().get_int(settings_pack::connections_limit) == 256 + spare_connections);
    NetworkOptions options;
    options.max_peers = 3;
    CHECK(settings(options).get_int(settings_pack::connections_limit) == 3 + spare_connections);
}

TEST_CASE("session: it listens on exactly the endpoints that were found free")
{
    const auto listen = [](const std::vector<Endpoint>& endpoints) {
        return session_settings({}, endpoints, Transport::plain).get_str(settings_pack::listen_interfaces);
    };
    CHECK(listen({endpoint("10.0.0.1", 6881)}) == "10.0.0.1:6881");
    CHECK(listen({endpoint("0.0.0.0", 6882), endpoint("::", 6882)}) == "0.0.0.0:6882,[::]:6882");
    const std::vector<Endpoint> both{endpoint("0.0.0.0", 6882), endpoint("::", 6882)};
    CHECK(session_settings({}, both, Transport::tls).get_str(settings_pack::listen_interfaces) ==
          "0.0.0.0:6882s,[::]:6882s");                                  // and no plain one
    CHECK(settings().get_int(settings_pack::max_retry_port_bind) == 0); // no other port behind our back
    CHECK_FALSE(settings().get_bool(settings_pack::listen_system_port_fallback));
}

TEST_CASE("session: peers are told which program this is")
{
    CHECK(settings().get_str(settings_pack::user_agent) == "ezio-cli/" EZIO_VERSION);
}

TEST_CASE("session: the alerts that are acted on are asked for")
{
    const auto mask = static_cast<std::uint32_t>(settings().get_int(settings_pack::alert_mask));
    const auto wanted = lt::alert_category::error | lt::alert_category::status | lt::alert_category::tracker;
    CHECK((mask & static_cast<std::uint32_t>(wanted)) == static_cast<std::uint32_t>(wanted));
}

TEST_CASE("session: blocks are asked for one second in advance, or longer where that would be a handful")
{
    constexpr double mbit = 1e6 / 8;
    CHECK(request_seconds(0, 0) == 1);
    CHECK(request_seconds(0, 32) == 1); // nothing is known yet
    CHECK(request_seconds(950 * mbit, 1) == 1);
    CHECK(request_seconds(950 * mbit, 200) == 1);
    CHECK(request_seconds(47 * mbit, 16) == 1);
    CHECK(request_seconds(23 * mbit, 32) == 2);
    CHECK(request_seconds(95 * mbit, 200) == 3);
    CHECK(request_seconds(1, 32) == 4);
}

TEST_CASE("session: where networks are named, nobody else of either family is let in")
{
    const auto is_blocked = [](const lt::ip_filter& filter, const char* address) {
        return (filter.access(lt::make_address(address)) & lt::ip_filter::blocked) != 0;
    };
    const lt::ip_filter one = nobody_but({*parse_network("10.1.0.0/16")});
    CHECK_FALSE(is_blocked(one, "10.1.2.3"));
    for (const char* address : {"10.0.255.255", "10.2.0.0", "0.0.0.0", "255.255.255.255", "::", "fe80::1",
                                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
        CAPTURE(address);
        CHECK(is_blocked(one, address));
    }
    const lt::ip_filter other = nobody_but({*parse_network("fd00::/64")});
    CHECK_FALSE(is_blocked(other, "fd00::7"));
    CHECK(is_blocked(other, "fd00:0:0:1::7"));
    CHECK(is_blocked(other, "10.1.2.3"));
    CHECK_FALSE(is_blocked(nobody_but({}), "10.1.2.3"));
}

} // namespace ezio
