// SPDX-License-Identifier: GPL-2.0-or-later
//
// A session's events about peers, trackers and itself: plain facts, without libtorrent.
#pragma once

#include "ezio/net/addresses.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace ezio {

// Events since the last call.
struct Listening {}; // at one place at least; failures at the start were reported before
struct ListenFailed {
    std::string where;
    std::string reason;
};
struct DiscoveryFailed { // local discovery failed
    std::string reason;
};
struct TrackerFailed {
    std::string url;
    std::string reason;
};
struct TrackerAnswered {
    std::string url;
    unsigned peers = 0; // peers that it knows, possibly including this one
};
struct PeerFound { // by local discovery
    Endpoint peer;
};
struct PeerUnreachable { // the connection failed
    Endpoint peer;
    std::string reason;
};
struct PeerGone { // a connection has ended
    Endpoint peer;
    std::string reason;
};
struct WrongDataFrom { // it sent blocks, not necessarily wrong ones, of a piece with a wrong hash
    std::uint32_t piece = 0;
    std::string address;
};
struct PeerRefused { // during or after the TLS handshake; `address` has no port
    std::string address;
    std::string reason;
};
// It sent wrong data and was disconnected.
struct PeerBanned {
    Endpoint peer;
    bool is_web_seed = false;
    bool shares_address = false;             // with another connected peer
    std::optional<std::uint32_t> alone = {}; // a wrong piece that came only from this peer
};
// It was disconnected for behaving like no peer that wants the image; `reason` completes "10.0.0.1 ...".
struct PeerMisbehaved {
    Endpoint peer;
    std::string reason;
};
struct PeerBlocked { // not allowed by --allow, or banned
    boost::asio::ip::address host;
};
struct ListenTroubled { // a connection could not be accepted: too many, for example
    std::string reason;
};
struct PieceRejected { // its hash was wrong; it is fetched again
    std::uint32_t piece = 0;
};
struct CompressionChanged { // on the network
    std::string reason;
};
struct TorrentFailed { // libtorrent has stopped the torrent
    std::string reason;
    bool hashes_disagree = false; // the v1 and v2 hashes of a hybrid torrent: one is right, the other wrong
};
using SessionEvent =
    std::variant<Listening, ListenFailed, ListenTroubled, DiscoveryFailed, TrackerFailed, TrackerAnswered,
                 PeerFound, PeerUnreachable, PeerGone, PeerRefused, PeerBanned, PeerMisbehaved, PeerBlocked,
                 PieceRejected, WrongDataFrom, CompressionChanged, TorrentFailed>;

// A connected peer whose handshake is complete.
struct ConnectedPeer {
    std::string address;
    bool complete = false;
    bool has_data = false;  // at least one piece
    bool is_source = false; // has a piece that is missing here
};

// Bytes of the payload, except "wire": bytes on the network, which are fewer if they were compressed.
struct SessionCounts {
    std::uint64_t received_bytes = 0;
    std::uint64_t received_wire_bytes = 0;
    std::uint64_t uploaded_bytes = 0;
    std::uint64_t uploaded_wire_bytes = 0;
    std::uint64_t redundant_bytes = 0;
    std::uint64_t failed_bytes = 0; // received in pieces with a wrong hash
};

} // namespace ezio
