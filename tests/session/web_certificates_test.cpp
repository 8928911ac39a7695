// SPDX-License-Identifier: GPL-2.0-or-later
#include "session/web_certificates.hpp"

#include "catch.hpp"

using namespace ezio;

namespace {

TEST_CASE("web certificates: a swarm without trackers, or with trackers over UDP, needs none")
{
    lt::add_torrent_params params;
    CHECK_FALSE(needs_web_certificates(params));
    params.trackers = {"udp://tracker.lan:6969/announce"};
    CHECK_FALSE(needs_web_certificates(params));
}

TEST_CASE("web certificates: trackers and web seeds over HTTP need them, for it may redirect to HTTPS")
{
    lt::add_torrent_params params;
    params.trackers = {"udp://tracker.lan:6969/announce", "HTTPS://tracker.lan/announce"};
    CHECK(needs_web_certificates(params));
    params.trackers.clear();
    params.url_seeds = {"http://images.lan/"};
    CHECK(needs_web_certificates(params));
}

} // namespace
