// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/swarm.hpp"

#include "ezio/addresses.hpp"
#include "ezio/image.hpp"
#include "ezio/peer_messages.hpp"
#include "ezio/piece_assigner.hpp"
#include "ezio/seeding_pace.hpp"

#include <libtorrent/bdecode.hpp>
#include <libtorrent/bitfield.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/peer_request.hpp>

#include <chrono>
#include <map>
#include <mutex>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace ezio {

namespace {

// Seconds without a block asked for or sent, after which what a peer was given goes to others.
constexpr int patience_ticks = 3;

// And after which it is given something again.
constexpr int forgiving_ticks = 8;

// In a seeder's extension handshake: its first UNCHOKE comes before it can say what may be asked for, the second
// after that. Who knows this key asks for nothing in between.
constexpr const char* second_unchoke_key = "ezio_second_unchoke";

// In the extension handshake of `ezio-cli seed`, from the start to the end: it is not a client.
constexpr const char* seed_key = "ezio_seed";

SeedingPace::Time time_now()
{
    return std::chrono::duration_cast<SeedingPace::Time>(std::chrono::steady_clock::now().time_since_epoch());
}

std::uint32_t to_number(lt::piece_index_t piece)
{
    return static_cast<std::uint32_t>(static_cast<int>(piece));
}

std::uint32_t blocks_in(std::uint64_t piece_length)
{
    return static_cast<std::uint32_t>((piece_length + block_bytes - 1) / block_bytes);
}

} // namespace

class SwarmPeer;

// What the connections of one torrent have in common.
class SwarmState {
  public:
    SwarmState(Swarm::Steering steering, std::uint32_t pieces, std::uint64_t piece_length)
        : m_steering(steering == Swarm::Steering::yes), m_pieces(pieces), m_blocks_per_piece(blocks_in(piece_length)),
          m_assigner(pieces, m_blocks_per_piece), m_pace(m_blocks_per_piece), m_clients(pieces)
    {
    }

    void add(SwarmPeer& peer);
    void remove(SwarmPeer& peer);
    void steer(const SwarmPeer& peer);
    void peer_has(const SwarmPeer& peer, std::uint32_t piece);
    void sent_block(const SwarmPeer& peer, std::uint32_t piece);
    [[nodiscard]] bool asked(const SwarmPeer& peer, std::uint32_t piece);
    void has_been_idle(SwarmPeer& peer, int ticks);
    void hand_out();

    [[nodiscard]] bool is_seed() const { return m_steering; }
    [[nodiscard]] bool steers() const { return m_steering && !m_released; }
    [[nodiscard]] std::uint32_t pieces() const { return m_pieces; }
    [[nodiscard]] Clients clients() const; // any thread

  private:
    void count(const SwarmPeer& peer);
    void release();

    const bool m_steering;
    const std::uint32_t m_pieces;
    const std::uint32_t m_blocks_per_piece;
    bool m_released = false; // everything is with some peer
    PieceAssigner m_assigner;
    SeedingPace m_pace;
    std::map<PieceAssigner::PeerId, SwarmPeer*> m_peers;
    PieceAssigner::PeerId m_next_id = 1;
    mutable std::mutex m_mutex;
    ClientRegistry m_clients; // guarded by m_mutex
};

class SwarmPeer final : public lt::peer_plugin {
  public:
    SwarmPeer(std::shared_ptr<SwarmState> state, lt::peer_connection_handle connection)
        : m_state(std::move(state)), m_connection(std::move(connection))
    {
    }

    // --- the handshake ---

    void add_handshake(lt::entry& handshake) override
    {
        if (m_state->is_seed()) {
            handshake.dict()[seed_key] = 1;
        }
        if (m_state->steers()) {
            // A peer drops seeds that it wants nothing from; what it is shown here comes and goes.
            handshake.dict().erase("upload_only");
            handshake.dict()[second_unchoke_key] = 1;
            m_owes_unchoke = true;
        }
    }

    bool on_extension_handshake(const lt::bdecode_node& handshake) override
    {
        m_listen_port = static_cast<std::uint16_t>(handshake.dict_find_int_value("p"));
        m_is_client = handshake.dict_find_int_value(seed_key) == 0;
        m_ignores_unchoke = !m_was_unchoked && handshake.dict_find_int_value(second_unchoke_key) != 0;
        const lt::bdecode_node messages = handshake.dict_find_dict("m");
        const auto dont_have = messages ? messages.dict_find_int_value("lt_donthave") : 0;
        if (dont_have > 0 && dont_have < 256 && m_state->steers() && !m_steered) {
            m_dont_have_id = static_cast<int>(dont_have);
            hide_all();
            join();
            m_state->steer(*this);
        }
        if (std::exchange(m_owes_unchoke, false)) {
            std::string message;
            put_unchoke(message);
            send(message);
        }
        m_connection.maybe_unchoke_this_peer(); // libtorrent waits until we have a piece and the peer asks for it
        m_state->hand_out();
        return true;
    }

    bool on_unchoke() override
    {
        m_was_unchoked = true;
        return std::exchange(m_ignores_unchoke, false);
    }

    // --- what the peer has ---

    bool on_bitfield(const lt::bitfield& has) override
    {
        join();
        for (int piece = 0; piece < has.size(); ++piece) {
            if (has.get_bit(piece)) {
                m_state->peer_has(*this, static_cast<std::uint32_t>(piece));
            }
        }
        m_state->hand_out();
        return false;
    }

    bool on_have_all() override
    {
        join();
        for (std::uint32_t piece = 0; piece < m_state->pieces(); ++piece) {
            m_state->peer_has(*this, piece);
        }
        m_state->hand_out();
        return false;
    }

    bool on_have_none() override
    {
        join();
        m_state->hand_out();
        return false;
    }

    bool on_have(lt::piece_index_t piece) override
    {
        join();
        m_state->peer_has(*this, to_number(piece));
        m_state->hand_out();
        return false;
    }

    void on_disconnect(const lt::error_code&) override { m_state->remove(*this); }

    bool can_disconnect(const lt::error_code& reason) override
    {
        return !m_state->steers() || reason != lt::errors::timed_out_no_request; // its turn will come
    }

    // --- what the peer sees of ours ---

    // Shows the pieces to the peer, unless it sees them already.
    void show(const std::vector<std::uint32_t>& pieces)
    {
        std::string message;
        for (const std::uint32_t piece : pieces) {
            if (m_steered && m_hidden[piece]) {
                m_hidden[piece] = false;
                put_have(message, piece);
            }
        }
        if (!message.empty() && wants_nudge()) {
            put_nudge(message);
        }
        send(message);
    }

    void hide(std::uint32_t piece)
    {
        if (m_steered && !m_hidden[piece]) {
            m_hidden[piece] = true;
            std::string message;
            put_dont_have(message, m_dont_have_id, piece);
            send(message);
        }
    }

    void sent_have(lt::piece_index_t) override
    {
        if (wants_nudge()) {
            std::string message;
            put_nudge(message);
            send(message);
        }
    }

    // --- what the peer asks for ---

    bool on_request(const lt::peer_request& request) override
    {
        ++m_unanswered;
        m_idle_ticks = 0;
        join();
        const std::uint32_t piece = to_number(request.piece);
        if (m_state->asked(*this, piece)) {
            show({piece}); // asked for before it was hidden, it could not ask for the rest of it
        }
        return false;
    }

    void sent_piece(const lt::peer_request& request) override
    {
        answered();
        m_state->sent_block(*this, to_number(request.piece));
    }

    void sent_reject_request(const lt::peer_request&) override { answered(); }

    bool on_cancel(const lt::peer_request&) override
    {
        answered();
        return false;
    }

    bool on_not_interested() override
    {
        return true; // not told to libtorrent, which would choke it
    }

    // Once a second.
    void tick() override
    {
        m_state->has_been_idle(*this, ++m_idle_ticks);
        m_state->hand_out();
    }

  private:
    friend class SwarmState;

    void join()
    {
        if (m_id == 0) {
            m_state->add(*this);
        }
    }

    // See ClientRegistry.
    [[nodiscard]] std::string client_name() const
    {
        Endpoint endpoint = m_connection.remote();
        if (!m_connection.is_outgoing()) {
            if (m_listen_port == 0) {
                return endpoint.address().to_string();
            }
            endpoint.port(m_listen_port);
        }
        return to_string(endpoint);
    }

    void hide_all()
    {
        m_steered = true;
        m_hidden.assign(m_state->pieces(), true);
        std::string message;
        message.reserve(std::size_t{10} * m_state->pieces());
        for (std::uint32_t piece = 0; piece < m_state->pieces(); ++piece) {
            put_dont_have(message, m_dont_have_id, piece);
        }
        send(message);
    }

    [[nodiscard]] bool wants_nudge() const { return m_unanswered == 0 && !m_connection.is_choked(); }

    void answered()
    {
        m_idle_ticks = 0;
        if (m_unanswered > 0) {
            --m_unanswered;
        }
    }

    void send(const std::string& message)
    {
        if (!message.empty() && !m_connection.is_disconnecting()) {
            m_connection.send_buffer(message.data(), static_cast<int>(message.size()));
        }
    }

    const std::shared_ptr<SwarmState> m_state;
    lt::peer_connection_handle m_connection;
    PieceAssigner::PeerId m_id = 0; // 0: takes no part at the moment
    bool m_owes_unchoke = false;
    bool m_was_unchoked = false;
    bool m_ignores_unchoke = false;
    bool m_steered = false;
    int m_dont_have_id = 0;
    std::vector<bool> m_hidden; // pieces that the peer thinks we do not have
    int m_unanswered = 0;       // its requests
    std::uint16_t m_listen_port = 0;
    bool m_is_client = true;
    std::string m_client; // its name while it is counted
    int m_idle_ticks = 0;
};

void SwarmState::add(SwarmPeer& peer)
{
    if (!m_steering) {
        return;
    }
    peer.m_id = m_next_id++;
    m_peers[peer.m_id] = &peer;
    m_assigner.add_peer(peer.m_id);
    if (peer.m_is_client) {
        peer.m_client = peer.client_name();
        count(peer);
    }
}

void SwarmState::remove(SwarmPeer& peer)
{
    if (peer.m_id == 0) {
        return;
    }
    m_peers.erase(peer.m_id);
    m_assigner.remove_peer(peer.m_id);
    peer.m_id = 0;
    if (!peer.m_client.empty()) {
        const std::lock_guard lock(m_mutex);
        m_clients.left(peer.m_client);
    }
    hand_out();
}

void SwarmState::steer(const SwarmPeer& peer)
{
    m_assigner.steer(peer.m_id);
}

void SwarmState::peer_has(const SwarmPeer& peer, std::uint32_t piece)
{
    if (!m_steering || piece >= m_pieces) {
        return;
    }
    m_assigner.peer_has(peer.m_id, piece);
    count(peer);
}

void SwarmState::count(const SwarmPeer& peer)
{
    if (!peer.m_client.empty()) {
        const std::lock_guard lock(m_mutex);
        m_clients.has(peer.m_client, m_assigner.pieces_held(peer.m_id));
    }
}

Clients SwarmState::clients() const
{
    const std::lock_guard lock(m_mutex);
    return m_clients.count();
}

void SwarmState::sent_block(const SwarmPeer& peer, std::uint32_t piece)
{
    if (steers()) {
        m_pace.sent_block(time_now());
        m_assigner.sent_block(peer.m_id, piece);
        hand_out();
    }
}

bool SwarmState::asked(const SwarmPeer& peer, std::uint32_t piece)
{
    return steers() && m_assigner.asked(peer.m_id, piece, time_now());
}

void SwarmState::has_been_idle(SwarmPeer& peer, int ticks)
{
    if (ticks == patience_ticks) {
        for (const std::uint32_t piece : m_assigner.relinquish(peer.m_id)) {
            peer.hide(piece);
        }
    } else if (ticks == forgiving_ticks) {
        m_assigner.try_again(peer.m_id);
    }
}

// Gives out pieces until enough are on their way.
void SwarmState::hand_out()
{
    if (!steers()) {
        return;
    }
    if (m_assigner.all_spread()) {
        release();
        return;
    }
    const auto now = time_now();
    const auto late_after = m_pace.late_after(now);
    const std::uint64_t wanted = m_pace.blocks_in_advance(now);
    for (auto given = m_assigner.blocks_on_their_way(now, late_after); given < wanted; given += m_blocks_per_piece) {
        const auto gift = m_assigner.give_next(now, late_after);
        if (!gift) {
            break;
        }
        if (gift->taken_from) {
            m_peers.at(*gift->taken_from)->hide(gift->piece);
        }
        m_peers.at(gift->to)->show({gift->piece});
    }
}

void SwarmState::release()
{
    m_released = true;
    std::vector<std::uint32_t> all(m_pieces);
    std::iota(all.begin(), all.end(), 0);
    for (const auto& [id, peer] : m_peers) {
        peer->show(all);
    }
}

namespace {

class SwarmTorrent final : public lt::torrent_plugin {
  public:
    explicit SwarmTorrent(std::shared_ptr<SwarmState> state) : m_state(std::move(state)) {}

    std::shared_ptr<lt::peer_plugin> new_connection(const lt::peer_connection_handle& connection) override
    {
        if (connection.type() != lt::connection_type::bittorrent) {
            return nullptr;
        }
        return std::make_shared<SwarmPeer>(m_state, connection);
    }

  private:
    const std::shared_ptr<SwarmState> m_state;
};

} // namespace

Swarm::Swarm(Steering steering, std::uint32_t pieces, std::uint64_t piece_length)
    : m_state(std::make_shared<SwarmState>(steering, pieces, piece_length))
{
}

Swarm::~Swarm() = default;

Clients Swarm::clients() const
{
    return m_state->clients();
}

void Swarm::extend(lt::add_torrent_params& params)
{
    params.extensions.push_back([state = m_state](const lt::torrent_handle&, lt::client_data_t) {
        return std::make_shared<SwarmTorrent>(state);
    });
}

} // namespace ezio
