// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a session tells of peers, trackers and itself: plain facts, without libtorrent.
#pragma once

#include "ezio/net/addresses.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace ezio {

// What has happened since it was last asked.
struct Listening {}; // at one place at least; what could not be listened on at the start was told before
struct ListenFailed {
    std::string where;
    std::string reason;
};
struct DiscoveryFailed { // of the local network
    std::string reason;
};
struct TrackerFailed {
    std::string url;
    std::string reason;
};
struct TrackerAnswered {
    std::string url;
    unsigned peers = 0; // that it knows, this one perhaps among them
};
struct PeerFound { // by local discovery
    Endpoint peer;
};
struct PeerUnreachable { // no connection came about
    Endpoint peer;
    std::string reason;
};
struct PeerGone { // a connection has ended
    Endpoint peer;
    std::string reason;
};
struct WrongDataFrom { // it has sent blocks, not always the wrong ones, of a piece whose hash was wrong
    std::uint32_t piece = 0;
    std::string address;
};
struct PeerRefused { // by the TLS handshake or what it led to; `address` has no port
    std::string address;
    std::string reason;
};
// It has sent wrong data, and was hung up on.
struct PeerBanned {
    Endpoint peer;
    bool is_web_seed = false;
    bool shares_address = false;             // with another connected peer
    std::optional<std::uint32_t> alone = {}; // a wrong piece that came from this peer alone
};
// It was hung up on: it does what no peer does that wants the image; `reason` completes "10.0.0.1 ...".
struct PeerMisbehaved {
    Endpoint peer;
    std::string reason;
};
struct PeerBlocked { // not one of --allow, or kept out
    boost::asio::ip::address host;
};
struct ListenTroubled { // a connection could not be accepted: too many, for one
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
    bool hashes_disagree = false; // those of v1 and v2, in a hybrid torrent: one is right, the other is not
};
using SessionEvent =
    std::variant<Listening, ListenFailed, ListenTroubled, DiscoveryFailed, TrackerFailed, TrackerAnswered,
                 PeerFound, PeerUnreachable, PeerGone, PeerRefused, PeerBanned, PeerMisbehaved, PeerBlocked,
                 PieceRejected, WrongDataFrom, CompressionChanged, TorrentFailed>;

// A connected peer, past its handshake.
struct ConnectedPeer {
    std::string address;
    bool complete = false;
    bool has_data = false;  // a piece at least
    bool is_source = false; // has a piece that is missing here
};

// Bytes of the payload, but for what says "wire": what these took of the network, which is less when they
// were compressed.
struct SessionCounts {
    std::uint64_t received_bytes = 0;
    std::uint64_t received_wire_bytes = 0;
    std::uint64_t uploaded_bytes = 0;
    std::uint64_t uploaded_wire_bytes = 0;
    std::uint64_t redundant_bytes = 0;
    std::uint64_t failed_bytes = 0; // received, and the piece's hash was wrong
};

} // namespace ezio
