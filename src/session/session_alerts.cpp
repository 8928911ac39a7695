// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/session/session_alerts.hpp"

#include "ezio/peers/peer_faults.hpp"

#include <boost/asio/ssl/error.hpp>

#include <libtorrent/alert_types.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/operations.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/version.hpp>

#include <algorithm>

namespace ezio {

namespace {

// If a UDP socket is not available, libtorrent does not listen by TCP either.
std::optional<SessionEvent> event_of(const lt::listen_failed_alert& alert)
{
    using lt::socket_type_t;
    const bool tcp = alert.socket_type == socket_type_t::tcp || alert.socket_type == socket_type_t::tcp_ssl;
    const bool udp = alert.socket_type == socket_type_t::utp || alert.socket_type == socket_type_t::utp_ssl;
    if (!tcp && !udp) {
        return std::nullopt;
    }
    if (alert.op == lt::operation_t::sock_accept) {
        return ListenTroubled{alert.error.message()};
    }
    return ListenFailed{to_string(Endpoint(alert.address, static_cast<std::uint16_t>(alert.port))) +
                            (udp ? " (UDP)" : ""),
                        alert.error.message()};
}

// A meaningful reason for the end of a connection.
std::string reason_of(const lt::error_code& error)
{
    if (error == boost::asio::error::eof) {
        return "it closed the connection";
    }
    if (error == lt::errors::timed_out || error == lt::errors::timed_out_no_interest ||
        error == lt::errors::timed_out_inactivity || error == lt::errors::timed_out_no_request ||
        error == lt::errors::timed_out_no_handshake) {
        return "it was silent for too long";
    }
    if (error == lt::errors::duplicate_peer_id) {
        return "it has another connection";
    }
    if (error == lt::errors::too_many_corrupt_pieces || error == lt::errors::peer_banned) {
        return "it has sent wrong data"; // a separate event names the peer
    }
    if (error == lt::errors::invalid_info_hash || error == lt::errors::torrent_removed) {
        return "it has another image";
    }
    return error.message();
}

// For a connection that has ended or failed.
std::optional<SessionEvent> event_of(const Endpoint& peer, lt::operation_t operation,
                                     const lt::error_code& error)
{
    if (error == lt::errors::self_connection) {
        return std::nullopt; // named by local service discovery, a tracker or another peer
    }
    if (is_peer_fault(error)) {
        return PeerMisbehaved{peer, error.message()};
    }
    const bool handshake = operation == lt::operation_t::ssl_handshake && error != boost::asio::error::eof;
    if (handshake || error.category() == boost::asio::error::get_ssl_category()) {
        return PeerRefused{peer.address().to_string(), error.message()};
    }
    if (operation == lt::operation_t::connect || operation == lt::operation_t::sock_open ||
        operation == lt::operation_t::sock_bind) {
        return PeerUnreachable{peer, error.message()};
    }
    return PeerGone{peer, reason_of(error)};
}

// A listening IPv6 address cannot be announced to an IPv4 tracker, and vice versa.
bool is_of_no_interest(const lt::tracker_error_alert& alert)
{
    return alert.error == lt::errors::announce_skipped;
}

std::string reason_of(const lt::tracker_error_alert& alert)
{
    const std::string told = alert.failure_reason();
    return told.empty() ? alert.error.message() : told;
}

} // namespace

Endpoint address_of(const lt::peer_info& peer)
{
#if LIBTORRENT_VERSION_NUM >= 20100
    return peer.remote_endpoint();
#else
    return peer.ip;
#endif
}

std::optional<SessionEvent> to_event(const lt::alert& alert)
{
    if (const auto* listen = lt::alert_cast<lt::listen_failed_alert>(&alert)) {
        return event_of(*listen);
    }
    if (lt::alert_cast<lt::listen_succeeded_alert>(&alert) != nullptr) {
        return Listening{};
    }
    if (const auto* tracker = lt::alert_cast<lt::tracker_error_alert>(&alert)) {
        return is_of_no_interest(*tracker)
                   ? std::nullopt
                   : std::optional<SessionEvent>(TrackerFailed{tracker->tracker_url(), reason_of(*tracker)});
    }
    if (const auto* reply = lt::alert_cast<lt::tracker_reply_alert>(&alert)) {
        return TrackerAnswered{reply->tracker_url(), static_cast<unsigned>(std::max(reply->num_peers, 0))};
    }
    if (const auto* gone = lt::alert_cast<lt::peer_disconnected_alert>(&alert)) {
        return event_of(gone->endpoint, gone->op, gone->error);
    }
    if (const auto* failed = lt::alert_cast<lt::peer_error_alert>(&alert)) {
        return event_of(failed->endpoint, failed->op, failed->error);
    }
    if (const auto* blocked = lt::alert_cast<lt::peer_blocked_alert>(&alert)) {
        return blocked->reason == lt::peer_blocked_alert::ip_filter
                   ? std::optional<SessionEvent>(PeerBlocked{blocked->endpoint.address()})
                   : std::nullopt;
    }
    if (const auto* hash = lt::alert_cast<lt::hash_failed_alert>(&alert)) {
        return PieceRejected{static_cast<std::uint32_t>(static_cast<int>(hash->piece_index))};
    }
    if (const auto* failed = lt::alert_cast<lt::torrent_error_alert>(&alert)) {
        return TorrentFailed{alert.message(), failed->error == lt::errors::torrent_inconsistent_hashes};
    }
    return std::nullopt;
}

std::vector<ConnectedPeer> connected_peers(const lt::torrent_handle& torrent)
{
    std::vector<lt::peer_info> infos;
    torrent.get_peer_info(infos);
    std::vector<ConnectedPeer> peers;
    for (const lt::peer_info& info : infos) {
        if (!(info.flags & (lt::peer_info::connecting | lt::peer_info::handshake))) {
            peers.push_back({to_string(address_of(info)), bool(info.flags & lt::peer_info::seed),
                             info.num_pieces > 0, bool(info.flags & lt::peer_info::interesting)});
        }
    }
    return peers;
}

} // namespace ezio
