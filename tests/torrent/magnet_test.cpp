// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/magnet.hpp"

#include "catch.hpp"
#include "expect_error.hpp"
#include "ezio/torrent/http_download.hpp"

#include <string>
#include <vector>

using namespace ezio;
using test::contains;

namespace {

const std::string info_hash = "0123456789abcdef0123456789abcdef01234567";

LoadedTorrent torrent_named(const std::string& name)
{
    LoadedTorrent torrent;
    torrent.image.name = name;
    torrent.info_hash = info_hash;
    return torrent;
}

TEST_CASE("magnet: a link has the info-hash and the name")
{
    CHECK(make_magnet(torrent_named("sda1")) == "magnet:?xt=urn:btih:" + info_hash + "&dn=sda1");
}

TEST_CASE("magnet: trackers and web seeds are in the link, escaped")
{
    LoadedTorrent torrent = torrent_named("lab 3/ü");
    torrent.trackers = {"http://a:1/announce?x=1&y=2", "udp://b:2/"};
    torrent.web_seeds = {"http://c/images/"};
    CHECK(make_magnet(torrent) ==
          "magnet:?xt=urn:btih:" + info_hash +
              "&dn=lab%203%2F%C3%BC&tr=http%3A%2F%2Fa%3A1%2Fannounce%3Fx%3D1%26y%3D2&tr=udp%3A%2F%2Fb%3A2%2F"
              "&ws=http%3A%2F%2Fc%2Fimages%2F");
}

TEST_CASE("magnet: what was put into a link comes out of it")
{
    LoadedTorrent torrent = torrent_named("lab 3");
    torrent.trackers = {"http://a:1/announce?x=1&y=2", "udp://b:2/"};
    torrent.web_seeds = {"http://c/images/"};
    const lt::add_torrent_params params = parse_magnet(make_magnet(torrent));
    CHECK(params.info_hashes.v1.to_string() ==
          "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67");
    CHECK(params.name == "lab 3");
    CHECK(std::vector<std::string>(params.trackers) == torrent.trackers);
    CHECK(std::vector<std::string>(params.url_seeds) == torrent.web_seeds);
}

TEST_CASE("magnet: base32, upper case, peers and unknown parameters are taken")
{
    const auto params =
        parse_magnet("magnet:?xl=10&xt=urn:btih:" + std::string(32, 'B') + "&x.pe=10.0.0.1:6881");
    CHECK(params.info_hashes.v1.is_all_zeros() == false);
    CHECK(params.peers.size() == 1);
}

TEST_CASE("magnet: what is malformed, or v2 alone, is refused with the reason")
{
    const auto refusal = [](const std::string& link) {
        const auto refused = test::refusal_of([&] { (void)parse_magnet(link); });
        CHECK(refused.status == ExitStatus::torrent);
        return refused.message;
    };
    CHECK_THAT(refusal("magnet:?dn=sda1"), contains("is not a usable magnet link"));
    CHECK_THAT(refusal("magnet:?xt=urn:btih:0123"), contains("is not a usable magnet link"));
    CHECK_THAT(refusal("magnet:?xt=urn:btmh:1220" + std::string(64, 'a')), contains("BitTorrent v2"));
}

TEST_CASE("torrents: magnet links and URLs are told from paths by how they begin")
{
    CHECK(is_magnet("magnet:?xt=urn:btih:" + info_hash));
    CHECK_FALSE(is_magnet("./magnet:"));
    CHECK(is_http_url("http://server/sda1.torrent"));
    CHECK(is_http_url("https://server/sda1.torrent"));
    CHECK_FALSE(is_http_url("ftp://server/sda1.torrent"));
    CHECK_FALSE(is_http_url("sda1.torrent"));
}

} // namespace
