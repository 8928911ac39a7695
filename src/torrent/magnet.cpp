// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/magnet.hpp"

#include "ezio/util/error.hpp"

#include <fmt/format.h>
#include <libtorrent/magnet_uri.hpp>

#include <cctype>

namespace ezio {

namespace {

// Escapes everything except RFC 3986's unreserved characters.
std::string escape(std::string_view text)
{
    std::string escaped;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = byte < 0x80 && (std::isalnum(byte) != 0 ||
                                           std::string_view("-._~").find(c) != std::string_view::npos);
        escaped += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
    }
    return escaped;
}

} // namespace

bool is_magnet(std::string_view text)
{
    return text.starts_with("magnet:");
}

lt::add_torrent_params parse_magnet(const std::string& link)
{
    lt::error_code error;
    lt::add_torrent_params params = lt::parse_magnet_uri(link, error);
    if (error) {
        throw Error(ExitStatus::torrent,
                    fmt::format("{} is not a usable magnet link: {}", link, error.message()));
    }
    if (!params.info_hashes.has_v1()) {
        throw Error(
            ExitStatus::torrent,
            fmt::format("{} names a BitTorrent v2 torrent; a v1 info-hash (xt=urn:btih:...) is needed, "
                        "because v2 cannot describe extents that share pieces",
                        link));
    }
    return params;
}

std::string make_magnet(const LoadedTorrent& torrent)
{
    std::string link =
        fmt::format("magnet:?xt=urn:btih:{}&dn={}", torrent.info_hash, escape(torrent.image.name));
    for (const std::string& tracker : torrent.trackers) {
        link += "&tr=" + escape(tracker);
    }
    for (const std::string& seed : torrent.web_seeds) {
        link += "&ws=" + escape(seed);
    }
    return link;
}

} // namespace ezio
