// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/session/network_session.hpp"

#include "ezio/net/device_binding.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/torrent_flags.hpp>

#include <utility>

namespace ezio {

lt::session_params session_params(const NetworkOptions& network, const NetworkEndpoints& endpoints,
                                  Transport transport)
{
    lt::session_params params;
    params.settings = session_settings(network, endpoints.listen.endpoints, transport);
    params.ip_filter = nobody_but(endpoints.allowed);
    return params;
}

void prepare_torrent(lt::add_torrent_params& params, const NetworkOptions& network)
{
    params.save_path = "/"; // must not be empty; not used
    params.flags &= ~lt::torrent_flags::auto_managed;
    params.flags |= lt::torrent_flags::disable_dht | lt::torrent_flags::disable_lsd;
    if (!network.torrent_trackers) {
        params.trackers.clear();
        params.tracker_tiers.clear();
    }
    params.trackers.insert(params.trackers.end(), network.trackers.begin(), network.trackers.end());
}

NetworkSession::NetworkSession(lt::session_params params, std::function<void()> wake)
    : m_thread(wake), m_filter(params.ip_filter)
{
    leave_out_device_binding();
    m_session.emplace(std::move(params), m_thread.context());
    m_session->set_alert_notify(std::move(wake));
}

NetworkSession::~NetworkSession()
{
    end();
    m_thread.join();
}

void NetworkSession::end()
{
    if (m_session) {
        m_ending = m_session->abort();
        m_session.reset();
    }
}

void NetworkSession::add_torrent(lt::add_torrent_params params)
{
    m_torrent = m_session->add_torrent(std::move(params));
}

void NetworkSession::discover_locally(std::string info_hash, const NetworkEndpoints& endpoints)
{
    m_discovery.emplace(std::move(info_hash), endpoints.listen.endpoints, endpoints.allowed);
}

void NetworkSession::connect(const std::vector<Endpoint>& peers)
{
    for (const Endpoint& peer : peers) {
        m_torrent.connect_peer(peer, lasting_source);
    }
}

void NetworkSession::keep_out(const boost::asio::ip::address& host)
{
    m_filter.add_rule(host, host, lt::ip_filter::blocked);
    m_session->set_ip_filter(m_filter);
}

void NetworkSession::announce_locally()
{
    if (m_discovery) {
        m_discovery->announce();
    }
}

void NetworkSession::announce_to_trackers()
{
    constexpr int all = -1;
    m_torrent.force_reannounce(0, all, lt::torrent_handle::ignore_min_interval);
}

std::vector<SessionEvent> NetworkSession::take_found(LocalDiscovery::Reach reach)
{
    std::vector<SessionEvent> events;
    if (m_discovery) {
        const std::vector<Endpoint> found = m_discovery->take_found(reach);
        connect(found); // they were heard a moment ago
        for (const Endpoint& peer : found) {
            events.emplace_back(PeerFound{peer});
        }
        if (!m_discovery->trouble().empty()) {
            events.emplace_back(DiscoveryFailed{m_discovery->trouble()});
        }
    }
    return events;
}

std::vector<lt::alert*> NetworkSession::take_alerts()
{
    m_thread.throw_if_failed();
    std::vector<lt::alert*> alerts;
    m_session->pop_alerts(&alerts);
    return alerts;
}

} // namespace ezio
