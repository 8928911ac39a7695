// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/session/torrent_session.hpp"

#include "disk_io.hpp"
#include "ezio/compression/availability.hpp"
#include "ezio/peers/duplicate_peers.hpp"
#include "ezio/peers/instant_pex.hpp"
#include "ezio/peers/reply_limits.hpp"
#include "ezio/peers/shared_addresses.hpp"
#include "ezio/peers/tcp_preference.hpp"
#include "ezio/session/session_alerts.hpp"
#include "web_certificates.hpp"

#include <libtorrent/extensions/ut_metadata.hpp>
#include <libtorrent/extensions/ut_pex.hpp>
#include <libtorrent/ip_filter.hpp>
#include <libtorrent/peer_class.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/settings_pack.hpp>
#include <libtorrent/torrent_status.hpp>
#include <libtorrent/version.hpp>

#include <algorithm>
#include <memory>
#include <set>
#include <thread>

namespace ezio {

namespace {

// One of these threads never writes. A rotating disk gets one writer, which moves across it in one direction.
unsigned disk_threads(const Target& target)
{
    return target.is_rotational() ? 2U : std::clamp(std::thread::hardware_concurrency(), 2U, 8U);
}

// libtorrent treats peers on a LAN as "local" and exempts them from rate limits: make them ordinary.
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

} // namespace

TorrentSession::TorrentSession(const LoadedTorrent& torrent, Target& target, Options options)
    : m_torrent(torrent), m_target(target), m_options(std::move(options)),
      m_have_all(std::find(m_options.on_disk.begin(), m_options.on_disk.end(), false) ==
                 m_options.on_disk.end()),
      m_not_yet_known(static_cast<std::size_t>(
          std::count(m_options.not_yet_known.begin(), m_options.not_yet_known.end(), true))),
      m_swarm(m_have_all ? Swarm::Steering::yes : Swarm::Steering::no, m_options.kind,
              torrent.image.piece_count(), torrent.image.piece_length, torrent.image.map.payload_size()),
      m_wrong_blocks(torrent.image)
{
    if (m_options.report) {
        m_sender.emplace(m_options.wake);
    }
    if (m_options.network.compression && why_no_compression().empty()) {
        m_exchange.emplace(torrent.image, UnitExchange::Options{m_options.on_disk, m_options.memory / 8,
                                                                m_options.network.max_upload != 0});
    }
    lt::add_torrent_params torrent_params = this->torrent_params();
    if (!needs_web_certificates(torrent_params)) {
        leave_out_web_certificates();
    }
    m_session.emplace(session_params(), m_options.wake);
    m_session->session().set_peer_class_filter(everybody_in_the_global_class());
    m_session->add_torrent(std::move(torrent_params));
    if (m_options.network.lsd && !torrent.params.ti->priv()) { // private torrents ask only their trackers
        m_session->discover_locally(torrent.info_hash, m_options.endpoints);
    }
    if (m_options.tls != nullptr) {
        m_session->torrent().set_ssl_certificate_buffer(m_options.tls->certificate, m_options.tls->key,
                                                        m_options.tls->dh);
        std::set<std::uint16_t> ports;
        for (const Endpoint& endpoint : m_options.endpoints.listen.endpoints) {
            ports.insert(endpoint.port());
        }
        m_handshakes.emplace(std::move(ports));
    }
}

TorrentSession::~TorrentSession()
{
    if (m_exchange) {
        m_exchange->stop();
    }
}

lt::session_params TorrentSession::session_params()
{
    lt::session_params params = ezio::session_params(
        m_options.network, m_options.endpoints, m_options.tls != nullptr ? Transport::tls : Transport::plain);
    params.disk_io_constructor = [this](lt::io_context& context, const lt::settings_interface&,
                                        lt::counters&) {
        auto disk = std::make_unique<DiskIo>(
            context, m_torrent.image, m_target, m_options.on_disk,
            DiskIo::Options{m_options.memory - (m_exchange ? m_exchange->memory() : 0),
                            disk_threads(m_target), m_options.wake,
                            [this](const lt::peer_request& block) { m_wrong_blocks.taken(block); }});
        m_engine = &disk->engine();
        attach(context);
        return disk;
    };
    params.extensions.clear(); // torrent_params() adds the wanted ones
    return params;
}

// Connects everything that uses the engine. On the session's thread.
void TorrentSession::attach(lt::io_context& context)
{
    if (m_exchange) {
        m_exchange->attach(context, *m_engine);
    }
    if (m_sender) {
        m_sender->attach(context);
    }
    m_wrong_blocks.attach(
        context, [engine = m_engine](std::uint64_t offset, std::uint64_t length, WrongBlocks::Done done) {
            engine->read(offset, length, [length, done = std::move(done)](int, const ReadBuffer& data) {
                done(data ? std::span<const std::byte>(data.get(), length) : std::span<const std::byte>());
            });
        });
}

lt::add_torrent_params TorrentSession::torrent_params()
{
    const NetworkOptions& network = m_options.network;
    lt::add_torrent_params params = m_torrent.params;
    prepare_torrent(params, network);
    params.flags |= lt::torrent_flags::paused | lt::torrent_flags::no_verify_files;
    if (m_have_all || !network.web_seeds) {
        params.url_seeds.clear();
    }
#if LIBTORRENT_VERSION_NUM < 20100
    params.http_seeds.clear(); // BEP 17, which no server supports any more
#endif
    m_tracker_count = static_cast<unsigned>(params.trackers.size());
    const auto& on_disk = m_options.on_disk;
    const bool has_any = std::find(on_disk.begin(), on_disk.end(), true) != on_disk.end();
    if (has_any) { // all of them: a shorter list would start a check
        params.have_pieces.resize(static_cast<int>(on_disk.size()));
    }
    for (std::size_t piece = 0; piece < on_disk.size(); ++piece) {
        if (on_disk[piece]) {
            params.have_pieces.set_bit(lt::piece_index_t(static_cast<int>(piece)));
        }
    }
    params.piece_priorities.reserve(m_options.not_yet_known.size());
    for (const bool unknown : m_options.not_yet_known) {
        params.piece_priorities.push_back(unknown ? lt::dont_download : lt::default_priority);
    }
    params.max_connections = network.max_peers;
    if (params.ti) {
        limit_replies(params, static_cast<std::uint64_t>(params.ti->info_section().size()),
                      m_torrent.image.piece_count(), m_exchange ? DataComes::as_units : DataComes::as_blocks);
    }
    const std::string process = make_process_id();
    refuse_duplicates(params, process);
    prefer_tcp(params, // before any peer has something to send
               [this](const std::string& address) { m_swarm.sent_away(address); });
    m_swarm.extend(params, process);
    m_ledger.extend(params);
    m_wrong_blocks.extend(params);
    if (m_sender) {
        m_sender->extend(params);
    }
    share_addresses(params);
    if (m_exchange) {
        m_exchange->extend(params);
    }
    if (!m_torrent.params.ti->priv()) {
        add_instant_pex(params);
    }
    params.extensions.emplace_back(lt::create_ut_pex_plugin);
    params.extensions.emplace_back(lt::create_ut_metadata_plugin);
    return params;
}

void TorrentSession::start()
{
    m_session->connect(m_options.endpoints.peers);
    m_session->announce_locally();
    m_session->torrent().resume(); // connects now to peers known so far, and to later ones in its next second
}

// After the start libtorrent only learns of a piece by getting it, block by block, and asking for its hash.
// The engine ignores these blocks, so they need no contents. One piece is in progress at a time: the call
// returns when libtorrent has handed over the blocks, and the answers run before the next call.
void TorrentSession::learn(const std::vector<std::uint32_t>& right, const std::vector<std::uint32_t>& missing)
{
    m_not_yet_known -= right.size() + missing.size();
    want(missing);
    if (right.empty()) {
        return;
    }
    const auto blank = std::make_unique_for_overwrite<char[]>(m_torrent.image.piece_length);
    for (const std::uint32_t piece : right) {
        m_engine->keep(piece);
        if (m_not_yet_known == 0 && piece == right.back()) {
            want({piece}); // libtorrent notices that all is there only for pieces that it wants
        }
        m_session->torrent().add_piece(lt::piece_index_t(static_cast<int>(piece)), blank.get());
    }
}

void TorrentSession::want(const std::vector<std::uint32_t>& pieces)
{
    std::vector<std::pair<lt::piece_index_t, lt::download_priority_t>> priorities;
    priorities.reserve(pieces.size());
    for (const std::uint32_t piece : pieces) {
        priorities.emplace_back(static_cast<int>(piece), lt::default_priority);
    }
    if (!priorities.empty()) {
        m_session->torrent().prioritize_pieces(priorities);
    }
}

void TorrentSession::say(const ClientReport& report, Clock::time_point now)
{
    if (!m_sender) {
        return;
    }
    m_sender->say(report, now);
    if (is_final(report.state) && !std::exchange(m_is_unlimited, true)) {
        lt::settings_pack pack;
        pack.set_int(lt::settings_pack::download_rate_limit, 0);
        m_session->session().apply_settings(std::move(pack));
    }
}

void TorrentSession::ask_in_advance(int seconds)
{
    if (seconds != m_request_seconds) {
        m_request_seconds = seconds;
        lt::settings_pack pack;
        pack.set_int(lt::settings_pack::request_queue_time, seconds);
        m_session->session().apply_settings(std::move(pack));
    }
}

std::vector<SessionEvent> TorrentSession::take_events(LocalDiscovery::Reach reach)
{
    look_at_handshakes();
    const std::vector<lt::alert*> alerts = m_session->take_alerts();
    std::vector<SessionEvent> events = m_session->take_found(reach);
    for (const PeerLedger::Failure& failure : m_ledger.take_failures()) {
        events.emplace_back(WrongDataFrom{failure.piece, failure.address});
    }
    for (const WrongBlocks::Verdict& verdict : m_wrong_blocks.take_verdicts()) {
        events.emplace_back(
            PeerBanned{verdict.peer, verdict.is_web_seed, verdict.shares_address, verdict.alone});
    }
    if (m_exchange) {
        for (std::string& reason : m_exchange->take_reasons()) {
            events.emplace_back(CompressionChanged{std::move(reason)});
        }
    }
    for (const lt::alert* alert : alerts) {
        if (auto event = to_event(*alert)) {
            events.push_back(std::move(*event));
        }
    }
    return events;
}

void TorrentSession::look_at_handshakes()
{
    const auto now = Clock::now();
    if (!m_handshakes || !m_handshakes->is_time(now)) {
        return;
    }
    std::vector<lt::peer_info> infos;
    m_session->torrent().get_peer_info(infos);
    std::set<Endpoint> peers;
    for (const lt::peer_info& info : infos) {
        peers.insert(address_of(info));
    }
    m_handshakes->look(now, peers);
}

std::vector<ConnectedPeer> TorrentSession::peers() const
{
    return connected_peers(m_session->torrent());
}

UnitExchange::Counts TorrentSession::unit_counts() const
{
    return m_exchange ? m_exchange->counts() : UnitExchange::Counts();
}

SessionCounts TorrentSession::counts() const
{
    const lt::torrent_status status = m_session->torrent().status({});
    // libtorrent counts the blocks of received units, but does not count sent units as payload.
    const UnitExchange::Counts units = unit_counts();
    const auto received = static_cast<std::uint64_t>(status.total_payload_download);
    const auto sent = static_cast<std::uint64_t>(status.total_payload_upload);
    SessionCounts counts;
    counts.received_bytes = received;
    counts.received_wire_bytes = received - std::min(received, units.received_payload) + units.received_bytes;
    counts.uploaded_bytes = sent + units.sent_payload;
    counts.uploaded_wire_bytes = sent + units.sent_bytes;
    counts.redundant_bytes = static_cast<std::uint64_t>(status.total_redundant_bytes);
    counts.failed_bytes = static_cast<std::uint64_t>(status.total_failed_bytes);
    return counts;
}

} // namespace ezio
