// SPDX-License-Identifier: GPL-2.0-or-later
#include "session_driver.hpp"

#include "ezio/session/session_settings.hpp"
#include "ezio/verify/digest_comparison.hpp"

#include <fmt/format.h>

#include <variant>

namespace ezio {

namespace {

constexpr milliseconds look_interval{1000};      // how often all peers are listed
constexpr milliseconds eager_look_interval{250}; // the same until the first byte arrives

// At the start peers have little to send, however fast the links are.
constexpr milliseconds rate_settles{10'000};

} // namespace

SessionDriver::SessionDriver(const LoadedTorrent& torrent, Target& target,
                             const TorrentSession::Options& options, Reporter& reporter,
                             Clock::time_point now)
    : m_torrent(torrent), m_session(torrent, target, options), m_watch(options.endpoints, reporter),
      m_now(now)
{
    m_watch.begin(options.network.peers.size(), m_session.tracker_count(),
                  m_session.network().discovers_locally(), now);
}

void SessionDriver::observe(Phase phase, Clock::time_point now)
{
    m_now = now;
    for (const SessionEvent& event : m_session.take_events(m_watch.reach(now))) {
        std::visit([this](const auto& what) { handle(what); }, event);
    }
    m_disk = m_session.engine().facts();
    if (m_disk.hashes_disagree) {
        refuse_disagreeing_hashes();
    }
    m_counts = m_session.counts();
    m_clients = m_session.clients(); // up to date: a stop may come before the next look
    look_at_peers(phase);
    look_for_peers();
    m_wrong_data.observe(m_disk.right_pieces, m_watch.has_source(), m_now);
    if (!disk_failure()) {
        m_session.engine().throw_if_failed(); // rethrows an exception of a worker
    }
}

void SessionDriver::refuse_disagreeing_hashes() const
{
    throw Error(ExitStatus::torrent,
                fmt::format("{}: its v1 and v2 hashes are not of the same data; make the torrent again",
                            m_torrent.path));
}

void SessionDriver::handle(const TorrentFailed& event)
{
    if (event.hashes_disagree) {
        refuse_disagreeing_hashes();
    }
    if (!m_session.engine().has_failed()) { // otherwise that is the reason, and more specific
        throw Error(ExitStatus::internal, "libtorrent has stopped the torrent: " + event.reason);
    }
}

void SessionDriver::handle(const PeerBanned& event)
{
    if (event.alone) {
        m_wrong_data.given_alone(*event.alone, m_now);
    }
    if (const auto host = m_watch.handle(event)) {
        m_session.network().keep_out(*host);
    }
}

void SessionDriver::handle(const PeerMisbehaved& event)
{
    if (const auto host = m_watch.handle(event)) {
        m_session.network().keep_out(*host);
    }
}

void SessionDriver::look_at_peers(Phase phase)
{
    if (m_now - m_last_look < (phase == Phase::connecting ? eager_look_interval : look_interval)) {
        return;
    }
    m_last_look = m_now;
    m_watch.look(m_session.peers(), m_now);
    look_at_rate();
    m_session.network().connect(m_watch.missing_peers()); // even if all is here: they may know no other peer
}

void SessionDriver::look_at_rate()
{
    m_receiving.observe(m_counts.received_bytes, m_now);
    if (!m_first_data && m_counts.received_bytes != 0) {
        m_first_data = m_now;
    }
    if (m_first_data && m_now - *m_first_data > rate_settles) {
        m_session.ask_in_advance(request_seconds(m_receiving.per_second(), m_watch.peers()));
    }
}

void SessionDriver::look_for_peers()
{
    const PeerWatch::Search search = m_watch.search(m_now);
    if (search != PeerWatch::Search::none) {
        m_session.network().announce_locally();
    }
    if (search == PeerWatch::Search::everywhere) {
        m_session.network().announce_to_trackers();
    }
}

void SessionDriver::refuse_wrong_source(Clock::time_point now) const
{
    if (const auto piece = m_wrong_data.hopeless(now)) {
        throw Error(ExitStatus::verification,
                    fmt::format("the source does not match the torrent: piece {} from it is wrong ({}), and "
                                "no other peer has it; has its disk changed since the torrent was made?",
                                *piece, describe_wrong(m_torrent.image, {*piece})));
    }
}

void SessionDriver::describe(ProgressEvent& event) const
{
    event.received_bytes = m_counts.received_bytes;
    event.received_wire_bytes = m_counts.received_wire_bytes;
    event.uploaded_wire_bytes = m_counts.uploaded_wire_bytes;
    event.uploaded_bytes = m_counts.uploaded_bytes;
    event.peers = m_watch.peers();
    event.peers_complete = m_watch.peers_complete();
    event.clients_complete = m_session.have_all() ? m_clients.complete : m_watch.became_complete();
    event.clients_in_progress = m_session.have_all() ? m_clients.in_progress : m_watch.peers_in_progress();
    event.clients_failed = m_clients.failed;
    if (const auto& slowest = m_clients.slowest) {
        event.slowest =
            SlowestClient{slowest->address, 100.0 * slowest->pieces / m_torrent.image.piece_count()};
    }
}

void SessionDriver::describe(SummaryEvent& event) const
{
    const SessionCounts counts = m_session.counts(); // up to date
    event.received_bytes = counts.received_bytes;
    event.received_wire_bytes = counts.received_wire_bytes;
    event.uploaded_wire_bytes = counts.uploaded_wire_bytes;
    event.written_bytes = m_disk.written_bytes;
    event.uploaded_bytes = counts.uploaded_bytes;
    event.redundant_bytes = counts.redundant_bytes;
    event.failed_pieces = m_disk.failed_pieces;
    event.peers = m_session.peer_totals();
}

std::string SessionDriver::describe_wait() const
{
    return ezio::describe_wait(m_watch.facts());
}

void SessionDriver::needed_from(Clock::time_point time)
{
    m_watch.needed_from(time);
    m_last_look = {}; // list them at once
}

} // namespace ezio
