// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent_session.hpp"

#include "ezio/disk_io.hpp"
#include "ezio/session_settings.hpp"

#include <libtorrent/alert_types.hpp>
#include <libtorrent/ip_filter.hpp>
#include <libtorrent/peer_class.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_status.hpp>
#include <libtorrent/version.hpp>

#include <algorithm>
#include <thread>

namespace ezio {

namespace {

// One of them never writes. A rotating disk gets one writer, who goes from one end to the other.
unsigned disk_threads(const Target& target)
{
    return target.is_rotational() ? 2U : std::clamp(std::thread::hardware_concurrency(), 2U, 8U);
}

// Peers on a LAN count as "local" for libtorrent, to which rate limits do not apply: make them ordinary.
lt::ip_filter everybody_in_the_global_class()
{
    constexpr std::uint32_t global = 1U
                                     << static_cast<std::uint32_t>(lt::session_handle::global_peer_class_id);
    lt::ip_filter filter;
    filter.add_rule(lt::make_address("0.0.0.0"), lt::make_address("255.255.255.255"), global);
    filter.add_rule(lt::make_address("::"), lt::make_address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
                    global);
    return filter;
}

Endpoint address_of(const lt::peer_info& peer)
{
#if LIBTORRENT_VERSION_NUM >= 20100
    return peer.remote_endpoint();
#else
    return peer.ip;
#endif
}

// Empty for what is of no interest here.
std::optional<SessionEvent> to_event(const lt::alert& alert)
{
    if (const auto* listen = lt::alert_cast<lt::listen_failed_alert>(&alert)) {
        if (listen->socket_type == lt::socket_type_t::tcp) {
            return ListenFailed{listen->listen_interface(), listen->error.message()};
        }
    } else if (const auto* tracker = lt::alert_cast<lt::tracker_error_alert>(&alert)) {
        return TrackerFailed{tracker->tracker_url(), tracker->error.message()};
    } else if (const auto* hash = lt::alert_cast<lt::hash_failed_alert>(&alert)) {
        return PieceRejected{static_cast<std::uint32_t>(static_cast<int>(hash->piece_index))};
    } else if (lt::alert_cast<lt::torrent_error_alert>(&alert) != nullptr) {
        return TorrentFailed{alert.message()};
    }
    return std::nullopt;
}

} // namespace

TorrentSession::TorrentSession(const LoadedTorrent& torrent, Target& target, Options options)
    : m_torrent(torrent), m_target(target), m_options(std::move(options)),
      m_swarm(m_options.have_all ? Swarm::Steering::yes : Swarm::Steering::no, torrent.image.piece_count(),
              torrent.image.piece_length)
{
    m_session.emplace(session_params());
    m_session->set_alert_notify(m_options.wake);
    m_session->set_peer_class_filter(everybody_in_the_global_class());
    m_handle = m_session->add_torrent(torrent_params());
}

TorrentSession::~TorrentSession() = default;

lt::session_params TorrentSession::session_params()
{
    lt::session_params params;
    params.settings = session_settings(m_options.network, m_options.endpoints.listen);
    params.disk_io_constructor = [this](lt::io_context& context, const lt::settings_interface&,
                                        lt::counters&) {
        const std::vector<bool> on_disk(m_torrent.image.piece_count(), m_options.have_all);
        auto disk = std::make_unique<DiskIo>(
            context, m_torrent.image, m_target, on_disk,
            DiskIo::Options{m_options.memory, disk_threads(m_target), m_options.wake});
        m_engine = &disk->engine();
        return disk;
    };
    return params;
}

lt::add_torrent_params TorrentSession::torrent_params()
{
    const NetworkOptions& network = m_options.network;
    lt::add_torrent_params params = m_torrent.params;
    params.save_path = "/"; // must not be empty; DiskIo has no use for it
    params.flags &= ~lt::torrent_flags::auto_managed;
    params.flags |=
        lt::torrent_flags::paused | lt::torrent_flags::disable_dht | lt::torrent_flags::no_verify_files;
    if (!network.lsd) {
        params.flags |= lt::torrent_flags::disable_lsd;
    }
    params.url_seeds.clear(); // nothing is contacted that the user did not name
    if (!network.torrent_trackers) {
        params.trackers.clear();
        params.tracker_tiers.clear();
    }
    params.trackers.insert(params.trackers.end(), network.trackers.begin(), network.trackers.end());
    m_tracker_count = static_cast<unsigned>(params.trackers.size());
    if (m_options.have_all) {
        params.have_pieces.resize(static_cast<int>(m_torrent.image.piece_count()), true);
    }
    m_swarm.extend(params);
    return params;
}

void TorrentSession::start()
{
    connect_named_peers();
    m_handle.resume(); // it connects to those it knows at this moment; later ones wait for its next second
}

void TorrentSession::connect_named_peers()
{
    for (const Endpoint& peer : m_options.endpoints.peers) {
        m_handle.connect_peer(peer);
    }
}

std::vector<SessionEvent> TorrentSession::take_events()
{
    std::vector<lt::alert*> alerts;
    m_session->pop_alerts(&alerts);
    std::vector<SessionEvent> events;
    for (const lt::alert* alert : alerts) {
        if (auto event = to_event(*alert)) {
            events.push_back(std::move(*event));
        }
    }
    return events;
}

std::vector<ConnectedPeer> TorrentSession::peers() const
{
    std::vector<lt::peer_info> infos;
    m_handle.get_peer_info(infos);
    std::vector<ConnectedPeer> peers;
    for (const lt::peer_info& info : infos) {
        if (!(info.flags & (lt::peer_info::connecting | lt::peer_info::handshake))) {
            peers.push_back(
                {to_string(address_of(info)), bool(info.flags & lt::peer_info::seed), info.num_pieces > 0});
        }
    }
    return peers;
}

SessionCounts TorrentSession::counts() const
{
    const lt::torrent_status status = m_handle.status({});
    return {static_cast<std::uint64_t>(status.total_payload_download),
            static_cast<std::uint64_t>(status.total_payload_upload),
            static_cast<std::uint64_t>(status.total_redundant_bytes),
            static_cast<double>(status.download_payload_rate),
            static_cast<double>(status.upload_payload_rate)};
}

} // namespace ezio
