// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/swarm/swarm.hpp"

#include "ezio/image/image.hpp"
#include "ezio/peers/duplicate_peers.hpp"
#include "ezio/peers/peer_plugins.hpp"
#include "ezio/peers/piece_number.hpp"
#include "ezio/peers/shared_addresses.hpp"
#include "ezio/swarm/client_report.hpp"
#include "ezio/swarm/piece_assigner.hpp"
#include "link_use.hpp"
#include "piece_announcer.hpp"
#include "report_taker.hpp"
#include "send_window.hpp"
#include "swarm_clients.hpp"

#include <libtorrent/bdecode.hpp>
#include <libtorrent/bitfield.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/peer_request.hpp>
#include <libtorrent/span.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace ezio {

namespace {

// After so many seconds without a block requested or sent, a peer's pieces are given to others.
constexpr int patience_ticks = 3;

// The most rejected requests of a peer per second: as many as it can have on their way. A peer that sends
// more has not understood.
constexpr int most_rejected = most_requests;

} // namespace

class SwarmPeer;

// State shared by the connections of one torrent.
class SwarmState {
  public:
    SwarmState(Swarm::Steering steering, Swarm::Kind kind, std::uint32_t pieces, std::uint64_t piece_length,
               std::uint64_t total_bytes)
        : m_steering(steering == Swarm::Steering::yes), m_seed(kind == Swarm::Kind::seed), m_pieces(pieces),
          m_assigner(pieces, pieces_ahead(piece_length)), m_window(piece_length),
          m_clients(std::make_shared<SwarmClients>(pieces, piece_length, total_bytes))
    {}

    void add(SwarmPeer& peer, std::uint32_t pieces);
    void remove(SwarmPeer& peer);
    void take_from(SwarmPeer& peer);
    void feed(SwarmPeer& peer);
    void feed_all();
    void sent_block(const lt::peer_request& block, std::uint64_t wire_bytes);
    void has(SwarmPeer& peer, std::uint32_t piece);
    void after_have();
    void count(const SwarmPeer& peer);
    void other_seed(const std::string& process);
    void look_at_link();
    void set_own_id(const std::string& id)
    {
        m_own_id = id;
        m_seeds.insert(id);
    }

    [[nodiscard]] const std::shared_ptr<SwarmClients>& clients() const { return m_clients; }
    [[nodiscard]] bool is_seed() const { return m_seed; }
    [[nodiscard]] bool steers() const { return m_steering && !m_released; }

    // Whether this node has everything and hides nothing. For a fetch the answer is unknown: libtorrent
    // reports that it wants nothing when all pieces known to be missing are there, but more may turn out to
    // be missing. A complete fetch is recognized by its bitfield.
    [[nodiscard]] bool shows_all() const { return m_steering && m_released; }
    [[nodiscard]] std::uint32_t pieces() const { return m_pieces; }
    [[nodiscard]] PieceAssigner& assigner() { return m_assigner; }

  private:
    [[nodiscard]] std::string name_of(const SwarmPeer& peer, std::uint32_t pieces);
    void give_out(Clock::time_point now);
    void release();
    [[nodiscard]] bool has_incomplete_peers() const;

    const bool m_steering;
    const bool m_seed;
    const std::uint32_t m_pieces;
    bool m_released = false;
    PieceAssigner m_assigner;
    SendWindow m_window;
    LinkUse m_link{Clock::now()};
    std::string m_own_id;
    std::set<std::string> m_seeds; // processes that had everything from the start, including this one
    std::map<PieceAssigner::PeerId, SwarmPeer*> m_peers;
    PieceAssigner::PeerId m_next_id = 1;
    const std::shared_ptr<SwarmClients> m_clients;
};

class SwarmPeer final : public AnswerListener {
  public:
    SwarmPeer(std::shared_ptr<SwarmState> state, lt::peer_connection_handle connection)
        : m_state(std::move(state)), m_connection(std::move(connection)), m_announcer(m_connection)
    {}

    [[nodiscard]] lt::string_view type() const override { return swarm_plugin; }

    // --- steering ---

    bool on_handshake(lt::span<const char> reserved) override
    {
        m_can_reject = (reserved[7] & 0x04) != 0; // BEP 6
        return true;
    }

    void add_handshake(lt::entry& handshake) override
    {
        if (m_state->is_seed()) {
            handshake.dict()[seed_key] = 1;
        }
        if (!m_state->shows_all()) {
            handshake.dict().erase("upload_only"); // or seeds and uninterested peers disconnect
        }
    }

    bool on_extension_handshake(const lt::bdecode_node& handshake) override
    {
        m_listen_port = static_cast<std::uint16_t>(handshake.dict_find_int_value("p"));
        const bool reports = m_state->is_seed() && extension_id(handshake, report_key) != 0;
        m_is_client = handshake.dict_find_int_value(seed_key) == 0 && !reports;
        m_process = process_id(handshake);
        m_behind = host_behind(handshake, m_connection.remote().address());
        const int dont_have = extension_id(handshake, "lt_donthave");
        if (dont_have != 0 && m_state->steers() && !m_announcer.is_steered()) {
            m_announcer.steer(m_state->pieces(), dont_have);
        }
        return true;
    }

    // One of these two comes once, before all other messages.
    bool on_bitfield(const lt::bitfield& has) override
    {
        if (m_id != 0) {
            return false;
        }
        if (has.all_set()) {
            return on_have_all();
        }
        join(static_cast<std::uint32_t>(has.count()));
        for (int piece = 0; piece < has.size(); ++piece) {
            if (has.get_bit(piece)) {
                m_state->assigner().peer_has(m_id, static_cast<std::uint32_t>(piece));
            }
        }
        m_state->count(*this);
        m_state->after_have();
        admit();
        return false;
    }

    bool on_have_all() override
    {
        if (m_id == 0) {
            m_had_all = true;
            m_is_client = m_is_client && (!m_process.empty() || m_state->clients()->has_seen(address()));
            m_state->other_seed(m_process);
            join(m_state->pieces());
            m_announcer.show_all(); // it wants nothing, and has to know that we want nothing either
        }
        return false;
    }

    bool on_have_none() override
    {
        join();
        admit();
        return false;
    }

    bool on_have(lt::piece_index_t piece) override
    {
        if (m_had_all) { // and pieces that it announces come and go
            return false;
        }
        join();
        m_state->has(*this, to_number(piece));
        m_state->count(*this);
        m_state->after_have();
        m_state->feed(*this);
        return false;
    }

    void on_disconnect(const lt::error_code&) override { m_state->remove(*this); }

    // --- nudging ---

    bool on_request(const lt::peer_request& request) override
    {
        join();
        const std::uint32_t piece = to_number(request.piece);
        if (m_can_reject && m_announcer.is_hidden(piece) && m_rejected < most_rejected) {
            ++m_rejected;
            m_announcer.reject(request);
            return true;
        }
        m_idle_ticks = 0;
        m_announcer.requested();
        if (m_state->assigner().peer_began(m_id, piece)) {
            m_announcer.show({piece}); // requested before it was hidden, the rest could not be requested
        }
        m_state->feed(*this);
        return false;
    }

    void sent_piece(const lt::peer_request& request) override
    {
        sent_block(request, static_cast<std::uint64_t>(request.length));
    }
    void sent_block(const lt::peer_request& block, std::uint64_t wire_bytes) override
    {
        m_idle_ticks = 0;
        m_announcer.answered();
        m_announcer.tell_more();
        m_state->sent_block(block, wire_bytes);
    }
    void sent_reject_request(const lt::peer_request&) override { m_announcer.answered(); }
    void sent_rejection(const lt::peer_request&) override { m_announcer.answered(); }

    bool on_cancel(const lt::peer_request&) override
    {
        m_announcer.answered();
        return false;
    }

    void sent_have(lt::piece_index_t) override { m_announcer.nudge(); }

    bool on_not_interested() override
    {
        return true; // hidden from libtorrent, which would choke the peer
    }

    // Called once a second.
    void tick() override
    {
        m_rejected = 0;
        m_announcer.tell_more();
        m_state->look_at_link();
        if (++m_idle_ticks == patience_ticks) {
            m_state->take_from(*this);
        } else if (m_idle_ticks > patience_ticks) {
            m_idle_ticks = 0;
            admit(); // if others have left something, it may try again
        }
    }

  private:
    friend class SwarmState;

    void admit()
    {
        if (m_announcer.is_steered() && !m_had_all) {
            m_state->assigner().admit(m_id);
            m_state->feed(*this);
        }
    }

    // Takes part in the steering from now on, with this many pieces.
    void join(std::uint32_t pieces = 0)
    {
        if (m_id == 0) {
            m_state->add(*this, pieces);
        }
    }

    // See ClientRegistry.
    [[nodiscard]] std::string address() const { return listen_place(m_connection, m_listen_port); }

    const std::shared_ptr<SwarmState> m_state;
    lt::peer_connection_handle m_connection;
    PieceAnnouncer m_announcer;
    PieceAssigner::PeerId m_id = 0; // 0: takes no part at the moment
    bool m_can_reject = false;      // its requests, so that it asks another peer
    int m_rejected = 0;             // of its requests, since the last tick
    int m_idle_ticks = 0;
    std::uint16_t m_listen_port = 0;
    bool m_is_client = true; // counted by its pieces
    bool m_had_all = false;  // when it came
    std::string m_process;   // see process_id(); may have several addresses
    std::string m_behind;    // see host_behind()
    std::string m_client;    // its name while it is counted
};

void SwarmState::add(SwarmPeer& peer, std::uint32_t pieces)
{
    if (!m_steering) {
        return;
    }
    peer.m_id = m_next_id++;
    m_peers[peer.m_id] = &peer;
    m_assigner.add_peer(peer.m_id);
    if (peer.m_is_client) {
        peer.m_client = name_of(peer, pieces);
        count(peer);
    }
    if (m_released) { // possibly since it was told that there is nothing
        peer.m_announcer.show_all();
    }
}

std::string SwarmState::name_of(const SwarmPeer& peer, std::uint32_t pieces)
{
    if (!peer.m_process.empty()) {
        return m_clients->name_of(peer.m_process, peer.address(), peer.m_behind);
    }
    const std::string id = peer.m_connection.is_outgoing() ? "" : peer.m_connection.pid().to_string();
    return m_clients->name_of_other(id, peer.address(), pieces);
}

void SwarmState::count(const SwarmPeer& peer)
{
    if (!peer.m_client.empty()) {
        m_clients->has(peer.m_client, peer.m_had_all ? m_pieces : m_assigner.pieces_held(peer.m_id));
    }
}

void SwarmState::remove(SwarmPeer& peer)
{
    if (peer.m_id == 0) {
        return;
    }
    m_peers.erase(peer.m_id);
    for (const std::uint32_t piece : m_assigner.relinquish(peer.m_id)) {
        m_window.gone(piece);
    }
    m_assigner.remove_peer(peer.m_id);
    peer.m_id = 0;
    if (!peer.m_client.empty()) {
        m_clients->gone(peer.m_client);
    }
    if (m_released && !m_assigner.all_spread() && !has_incomplete_peers()) {
        m_released = false; // steering starts again for new peers
    }
    feed_all();
}

bool SwarmState::has_incomplete_peers() const
{
    return std::any_of(m_peers.begin(), m_peers.end(), [&](const auto& entry) {
        return !entry.second->m_had_all && m_assigner.pieces_held(entry.first) < m_pieces;
    });
}

// Several seeders should first give out different pieces.
void SwarmState::other_seed(const std::string& process)
{
    constexpr std::size_t most_seeds = 64; // beyond that it does not matter
    if (m_steering && !process.empty() && m_seeds.size() < most_seeds && m_seeds.insert(process).second) {
        const auto rank = std::distance(m_seeds.begin(), m_seeds.find(m_own_id));
        m_assigner.begin_at(
            static_cast<std::uint32_t>(static_cast<std::uint64_t>(rank) * m_pieces / m_seeds.size()));
    }
}

// Called at least once a second.
void SwarmState::look_at_link()
{
    if (steers()) {
        m_link.observe(Clock::now());
        if (m_link.is_little() && m_assigner.somebody_has_run_dry()) {
            release();
        }
    }
}

// After the release nothing is taken back: it would not be given again.
void SwarmState::take_from(SwarmPeer& peer)
{
    if (!steers()) {
        return;
    }
    const auto returned = m_assigner.relinquish(peer.m_id);
    for (const std::uint32_t piece : returned) {
        m_window.gone(piece);
        peer.m_announcer.hide(piece);
    }
    if (!returned.empty()) {
        feed_all();
    }
}

// Gives out what the window has room for.
void SwarmState::give_out(Clock::time_point now)
{
    while (m_window.has_room(now)) {
        const auto next = m_assigner.next_in_line();
        if (!next) {
            break;
        }
        const std::uint32_t piece = m_assigner.give(*next);
        m_window.given(piece, now);
        m_peers.at(*next)->m_announcer.show({piece});
    }
}

// Then finds more work for `peer`.
void SwarmState::feed(SwarmPeer& peer)
{
    if (!steers()) {
        return;
    }
    const auto now = Clock::now();
    give_out(now);
    const auto change = m_assigner.help_out(peer.m_id);
    for (const auto& taken : change.taken) {
        m_window.given(taken.piece, now);
        if (const auto from = m_peers.find(taken.from); from != m_peers.end()) {
            from->second->m_announcer.hide(taken.piece);
        }
    }
    peer.m_announcer.show(change.give);
}

void SwarmState::feed_all()
{
    for (const auto& [id, peer] : m_peers) {
        feed(*peer);
    }
}

// The link's load is measured in bytes on the wire: a stretch of zeros would otherwise set a maximum that the
// rest stays far below.
void SwarmState::sent_block(const lt::peer_request& block, std::uint64_t wire_bytes)
{
    if (!steers()) {
        return;
    }
    const auto now = Clock::now();
    m_link.sent(wire_bytes);
    m_window.sent_block(to_number(block.piece), now);
    give_out(now);
}

void SwarmState::has(SwarmPeer& peer, std::uint32_t piece)
{
    m_assigner.peer_has(peer.m_id, piece);
    m_window.gone(piece);
}

void SwarmState::after_have()
{
    if (steers() && m_assigner.all_spread()) {
        release();
    }
}

void SwarmState::release()
{
    m_released = true;
    for (const auto& [id, peer] : m_peers) {
        peer->m_announcer.show_all();
    }
}

Swarm::Swarm(Steering steering, Kind kind, std::uint32_t pieces, std::uint64_t piece_length,
             std::uint64_t total_bytes)
    : m_state(std::make_shared<SwarmState>(steering, kind, pieces, piece_length, total_bytes))
{}

Swarm::~Swarm() = default;

void Swarm::sent_away(const std::string& address)
{
    m_state->clients()->sent_away(address);
}

Clients Swarm::clients() const
{
    return m_state->clients()->count();
}

ClientList Swarm::client_list() const
{
    return m_state->clients()->list();
}

void Swarm::extend(lt::add_torrent_params& params, const std::string& own_id)
{
    m_state->set_own_id(own_id);
    add_peer_plugins<SwarmPeer>(params, m_state);
    if (m_state->is_seed()) {
        take_reports(params, m_state->clients());
    }
}

} // namespace ezio
