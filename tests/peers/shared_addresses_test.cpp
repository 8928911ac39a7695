// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peers/shared_addresses.hpp"

#include "catch.hpp"

#include <libtorrent/address.hpp>
#include <libtorrent/error_code.hpp>

#include <string>

namespace ezio {

namespace {

// Keeps the text that the node looks into.
class Handshake {
  public:
    explicit Handshake(std::string text) : m_text(std::move(text))
    {
        lt::error_code error;
        node = lt::bdecode(m_text, error);
        REQUIRE_FALSE(error);
    }
    lt::bdecode_node node;

  private:
    std::string m_text;
};

} // namespace

TEST_CASE("shared addresses: processes that say who they are differ when their ids do, whoever has connected")
{
    for (const bool outgoing : {false, true}) {
        CHECK(are_different({"one", false}, {"two", outgoing}));
        CHECK_FALSE(are_different({"one", false}, {"one", outgoing}));
    }
}

TEST_CASE("shared addresses: two that do not say who they are differ when both have come from there")
{
    CHECK(are_different({"", false}, {"", false}));
    CHECK(are_different({"one", false}, {"", false}));
    CHECK_FALSE(are_different({"", false}, {"", true})); // both have connected to each other at once
    CHECK_FALSE(are_different({"one", false}, {"", true}));
}

TEST_CASE("shared addresses: a hidden port is 0, and the rest of the handshake stays as it is")
{
    const Handshake handshake("d1:md6:ut_pexi1ee1:pi6881e4:reqqi500ee");
    hide_port(handshake.node);
    CHECK(handshake.node.dict_find_int_value("p", -1) == 0);
    CHECK(handshake.node.dict_find_int_value("reqq") == 500);
    CHECK(handshake.node.dict_find_dict("m").dict_find_int_value("ut_pex") == 1);
    const Handshake without("d1:p1:xe");
    hide_port(without.node);
    CHECK(without.node.dict_find_string_value("p") == "x");
}

TEST_CASE("shared addresses: who has another address than it is seen with is behind something")
{
    const auto seen = lt::make_address("172.17.0.1");
    CHECK(host_behind(Handshake("d9:ezio_host10:10.77.0.11e").node, seen) == "10.77.0.11");
    CHECK(host_behind(Handshake("d9:ezio_host10:172.17.0.1e").node, seen).empty());
    CHECK(host_behind(Handshake("d9:ezio_host4:\n\033[2e").node, seen).empty());
    CHECK(host_behind(Handshake("d9:ezio_hosti1ee").node, seen).empty());
    CHECK(host_behind(Handshake("de").node, seen).empty());
}

} // namespace ezio
