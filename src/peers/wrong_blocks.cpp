// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peers/wrong_blocks.hpp"

#include "block_blame.hpp"
#include "ezio/peers/piece_number.hpp"
#include "piece_probe.hpp"
#include "trust.hpp"

#include "ezio/peers/duplicate_peers.hpp"
#include "ezio/peers/peer_messages.hpp"
#include "ezio/peers/peer_plugins.hpp"
#include "ezio/util/mutex.hpp"

#include <boost/asio/post.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/operations.hpp>
#include <libtorrent/peer_request.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace ezio {

namespace {

std::span<const std::byte> to_bytes(lt::span<const char> data)
{
    return std::as_bytes(std::span(data.data(), static_cast<std::size_t>(data.size())));
}

Sha1Digest sha1_of(std::span<const std::byte> data)
{
    Sha1 sha1;
    sha1.update(data);
    return sha1.finish();
}

// Digests that arrive one by one.
struct Gathering {
    BlockDigests digests;
    std::size_t missing = 0;
    std::function<void(BlockDigests)> done;

    void add(std::size_t block, std::span<const std::byte> data)
    {
        if (!data.empty()) {
            digests[block] = sha1_of(data);
        }
        if (--missing == 0) {
            done(std::move(digests));
        }
    }
};

} // namespace

class WrongBlocksPeer;

class WrongBlocksState : public std::enable_shared_from_this<WrongBlocksState> {
  public:
    explicit WrongBlocksState(const Image& image) : m_image(image), m_blame(image) {}

    void attach(lt::io_context& context, WrongBlocks::Read read)
    {
        m_context = &context;
        m_read = std::move(read);
    }

    // --- peers ---

    void add(WrongBlocksPeer& peer) { m_peers.insert(&peer); }
    void remove(WrongBlocksPeer& peer);

    // The source for the peer that listens at this place: the same one while it is remembered.
    [[nodiscard]] BlockSourcePtr source_at(const Endpoint& place);

    // Whether a peer with this process id that listens there was found guilty before.
    [[nodiscard]] bool is_guilty(const Endpoint& place, const std::string& process) const;

    // --- blocks and pieces ---

    void arrived(WrongBlocksPeer& peer, const lt::peer_request& block, std::span<const std::byte> data);
    void rejected(const WrongBlocksPeer& peer, const lt::peer_request& block);
    void taken(const lt::peer_request& block);
    void passed(std::uint32_t piece);
    void failed(std::uint32_t piece);

    // Called once a second, and when there is something new to examine.
    void look();

    [[nodiscard]] std::vector<WrongBlocks::Verdict> take_verdicts()
    {
        const MutexLock lock(m_mutex);
        return std::exchange(m_verdicts, {});
    }

  private:
    struct Arrival {
        std::uint32_t piece;
        std::uint32_t start;
        BlockSourcePtr source;
    };

    void gather(std::uint32_t piece, const std::vector<bool>& wanted, std::function<void(BlockDigests)> done);
    void compare(std::uint32_t piece, const BlockDigests& right);
    void convict(const BlockSourcePtr& source, std::optional<std::uint32_t> alone);
    void hang_up_on_the_guilty();
    [[nodiscard]] bool shares_address(const BlockSource& source) const;

    [[nodiscard]] WrongBlocksPeer* best_to_probe(std::uint32_t piece) const;
    void pump();
    void finish_probe();
    void end_probe()
    {
        m_probe.reset();
        m_probed = nullptr;
    }

    const Image& m_image;
    lt::io_context* m_context = nullptr;
    WrongBlocks::Read m_read;
    BlockBlame m_blame;
    std::set<WrongBlocksPeer*> m_peers;
    std::map<Endpoint, BlockSourcePtr> m_places; // where peers listen
    std::set<std::pair<lt::address, std::string>> m_guilty_processes;
    std::optional<Arrival> m_arrival; // the block that libtorrent is looking at
    std::optional<PieceProbe> m_probe;
    WrongBlocksPeer* m_probed = nullptr; // set exactly when there is a probe
    Mutex m_mutex;
    std::vector<WrongBlocks::Verdict> m_verdicts GUARDED_BY(m_mutex);
};

class WrongBlocksPeer final : public lt::peer_plugin {
  public:
    WrongBlocksPeer(std::shared_ptr<WrongBlocksState> state, lt::peer_connection_handle connection)
        : m_state(std::move(state)), m_connection(std::move(connection))
    {
        m_state->add(*this);
    }
    ~WrongBlocksPeer() override { m_state->remove(*this); } // one that never connects has no on_disconnect()
    WrongBlocksPeer(const WrongBlocksPeer&) = delete;
    WrongBlocksPeer& operator=(const WrongBlocksPeer&) = delete;

    bool on_handshake(lt::span<const char>) override
    {
        if (m_connection.is_outgoing()) {
            m_source = m_state->source_at(m_connection.remote());
        }
        return !hang_up_if_guilty();
    }

    bool on_extension_handshake(const lt::bdecode_node& handshake) override
    {
        const lt::tcp::endpoint place(m_connection.remote().address(),
                                      static_cast<std::uint16_t>(handshake.dict_find_int_value("p")));
        source()->process = process_id(handshake);
        if (m_state->is_guilty(place, source()->process)) {
            source()->is_guilty = true;
            hang_up_if_guilty();
        }
        return true;
    }

    bool on_piece(const lt::peer_request& block, lt::span<const char> data) override
    {
        m_state->arrived(*this, block, to_bytes(data));
        return false;
    }

    bool on_reject(const lt::peer_request& block) override
    {
        m_state->rejected(*this, block);
        return false;
    }

    void on_disconnect(const lt::error_code&) override { m_state->remove(*this); }

    [[nodiscard]] const BlockSourcePtr& source()
    {
        if (!m_source) {
            m_source = std::make_shared<BlockSource>();
            m_source->address = m_connection.remote();
            m_source->is_web_seed = !is_bittorrent(m_connection);
        }
        return m_source;
    }

    // As far as is known.
    [[nodiscard]] bool is_honest_at(const lt::address& address) const
    {
        return m_connection.remote().address() == address && !m_connection.is_connecting() &&
               !m_connection.is_disconnecting() && !(m_source && m_source->is_guilty);
    }

    void restore_trust() { ezio::restore_trust(m_connection); }

    // Returns whether it was.
    bool hang_up_if_guilty()
    {
        const bool is_guilty = m_source && m_source->is_guilty;
        if (is_guilty && !m_connection.is_disconnecting()) {
            m_connection.disconnect(lt::errors::peer_banned, lt::operation_t::bittorrent,
                                    lt::peer_connection_interface::failure);
        }
        return is_guilty;
    }

    // --- probing ---

    [[nodiscard]] bool can_be_probed(std::uint32_t piece)
    {
        return is_bittorrent(m_connection) && !m_connection.is_disconnecting() &&
               !m_connection.is_connecting() && !m_connection.in_handshake() &&
               !m_connection.has_peer_choked() && !source()->is_guilty &&
               m_connection.has_piece(lt::piece_index_t(static_cast<int>(piece)));
    }

    // For choosing the peer to probe; more is better.
    [[nodiscard]] auto merit()
    {
        return std::tuple(!m_has_stalled, source()->good_blocks > 0, m_connection.is_seed(),
                          source()->good_blocks);
    }

    void has_stalled() { m_has_stalled = true; }

    void ask(std::uint32_t piece, const std::vector<PieceProbe::Block>& blocks)
    {
        std::string message;
        for (const PieceProbe::Block& block : blocks) {
            put_request(message, piece, block.start, block.length);
        }
        if (message.empty() || m_connection.is_disconnecting()) {
            return;
        }
        tell_units(piece, blocks);
        m_connection.send_buffer(message.data(), static_cast<int>(message.size()));
    }

  private:
    // Blocks may arrive in units only where they were requested.
    void tell_units(std::uint32_t piece, const std::vector<PieceProbe::Block>& blocks) const
    {
        auto* const units = const_cast<lt::peer_plugin*>(m_connection.find_plugin(units_plugin));
        for (const PieceProbe::Block& block : blocks) {
            if (units != nullptr) {
                units->sent_request({lt::piece_index_t(static_cast<int>(piece)),
                                     static_cast<int>(block.start), static_cast<int>(block.length)});
            }
        }
    }

    const std::shared_ptr<WrongBlocksState> m_state;
    lt::peer_connection_handle m_connection;
    BlockSourcePtr m_source; // set when needed
    bool m_has_stalled = false;
};

namespace {

class WrongBlocksPlugin final : public lt::torrent_plugin {
  public:
    explicit WrongBlocksPlugin(std::shared_ptr<WrongBlocksState> state) : m_state(std::move(state)) {}

    std::shared_ptr<lt::peer_plugin> new_connection(const lt::peer_connection_handle& connection) override
    {
        return std::make_shared<WrongBlocksPeer>(m_state, connection);
    }
    void on_piece_pass(lt::piece_index_t piece) override { m_state->passed(to_number(piece)); }
    void on_piece_failed(lt::piece_index_t piece) override { m_state->failed(to_number(piece)); }
    void tick() override { m_state->look(); }

  private:
    const std::shared_ptr<WrongBlocksState> m_state;
};

} // namespace

// --- peers ---

void WrongBlocksState::remove(WrongBlocksPeer& peer)
{
    m_peers.erase(&peer);
    if (m_probed == &peer) {
        end_probe();
    }
}

BlockSourcePtr WrongBlocksState::source_at(const Endpoint& place)
{
    constexpr std::size_t many = 1000;
    if (m_places.size() >= many) {
        std::erase_if(m_places, [](const auto& entry) {
            return entry.second.use_count() == 1 && !entry.second->is_guilty;
        });
    }
    BlockSourcePtr& source = m_places[place];
    if (!source) {
        source = std::make_shared<BlockSource>();
        source->address = place;
    }
    return source;
}

// Compares the port only if the peer sends no process id: several peers behind one address may name one port.
bool WrongBlocksState::is_guilty(const Endpoint& place, const std::string& process) const
{
    if (!process.empty()) {
        return m_guilty_processes.count({place.address(), process}) != 0;
    }
    const auto found = m_places.find(place);
    return found != m_places.end() && found->second->is_guilty;
}

// --- blocks and pieces ---

void WrongBlocksState::arrived(WrongBlocksPeer& peer, const lt::peer_request& block,
                               std::span<const std::byte> data)
{
    const std::uint32_t piece = to_number(block.piece);
    const auto start = static_cast<std::uint32_t>(block.start);
    m_arrival = Arrival{piece, start, peer.source()};
    if (m_probed != &peer || m_probe->piece() != piece) {
        return;
    }
    m_probe->take(start, data, Clock::now());
    if (m_probe->is_complete()) {
        finish_probe();
    } else {
        pump();
    }
}

void WrongBlocksState::rejected(const WrongBlocksPeer& peer, const lt::peer_request& block)
{
    if (m_probed == &peer && m_probe->piece() == to_number(block.piece)) {
        m_probe->rejected(static_cast<std::uint32_t>(block.start));
    }
}

void WrongBlocksState::taken(const lt::peer_request& block)
{
    const auto arrival = std::exchange(m_arrival, {});
    if (arrival && arrival->piece == to_number(block.piece) &&
        arrival->start == static_cast<std::uint32_t>(block.start)) {
        m_blame.taken(arrival->piece, arrival->start / block_bytes, arrival->source);
    }
}

void WrongBlocksState::passed(std::uint32_t piece)
{
    if (!m_blame.passed(piece)) {
        return;
    }
    if (m_probe && m_probe->piece() == piece) {
        end_probe();
    }
    gather(piece, std::vector<bool>(m_blame.blocks_of(piece), true),
           [this, piece](const BlockDigests& right) { compare(piece, right); });
}

// libtorrent calls this while it holds pointers to the peers with a part in the piece. Disconnecting one here
// would leave a dangling pointer. The blocks are read before libtorrent clears the piece.
void WrongBlocksState::failed(std::uint32_t piece)
{
    for (WrongBlocksPeer* peer : m_peers) {
        peer->restore_trust();
    }
    BlockSources sources = m_blame.failed(piece);
    if (const BlockSourcePtr sole = sole_source(sources)) {
        convict(sole, piece);
        return;
    }
    std::vector<bool> wanted;
    wanted.reserve(sources.size());
    for (const BlockSourcePtr& source : sources) {
        wanted.push_back(source != nullptr);
    }
    gather(piece, wanted, [this, piece, sources = std::move(sources)](BlockDigests digests) {
        m_blame.remember(piece, sources, std::move(digests));
        look();
    });
}

void WrongBlocksState::gather(std::uint32_t piece, const std::vector<bool>& wanted,
                              std::function<void(BlockDigests)> done)
{
    const auto missing = static_cast<std::size_t>(std::count(wanted.begin(), wanted.end(), true));
    if (missing == 0) {
        return;
    }
    const auto gathering =
        std::make_shared<Gathering>(Gathering{BlockDigests(wanted.size()), missing, std::move(done)});
    const std::uint64_t size = m_image.piece_size(piece);
    for (std::size_t block = 0; block < wanted.size(); ++block) {
        const std::uint64_t start = block * block_bytes;
        if (wanted[block]) {
            m_read(m_image.piece_offset(piece) + start, std::min<std::uint64_t>(block_bytes, size - start),
                   [weak = weak_from_this(), gathering, block](std::span<const std::byte> data) {
                       if (const auto alive = weak.lock()) { // needed by `done`
                           gathering->add(block, data);
                       }
                   });
        }
    }
}

void WrongBlocksState::compare(std::uint32_t piece, const BlockDigests& right)
{
    for (const BlockSourcePtr& source : m_blame.judge(piece, right)) {
        convict(source, {});
    }
}

void WrongBlocksState::convict(const BlockSourcePtr& source, std::optional<std::uint32_t> alone)
{
    constexpr std::size_t most = 1000; // more than there can be
    if (alone && std::exchange(source->is_guilty, true)) {
        return;
    }
    if (!source->process.empty() && m_guilty_processes.size() < most) {
        m_guilty_processes.emplace(source->address.address(), source->process);
    }
    {
        const MutexLock lock(m_mutex);
        if (m_verdicts.size() < most) {
            m_verdicts.push_back({source->address, source->is_web_seed, shares_address(*source), alone});
        }
    }
    boost::asio::post(*m_context, [weak = weak_from_this()] {
        if (const auto alive = weak.lock()) {
            alive->hang_up_on_the_guilty();
        }
    });
}

bool WrongBlocksState::shares_address(const BlockSource& source) const
{
    return std::any_of(m_peers.begin(), m_peers.end(), [&](const WrongBlocksPeer* peer) {
        return peer->is_honest_at(source.address.address());
    });
}

void WrongBlocksState::hang_up_on_the_guilty()
{
    const auto peers = m_peers; // a copy: a disconnected peer removes itself
    for (WrongBlocksPeer* peer : peers) {
        if (m_peers.count(peer) != 0) {
            peer->hang_up_if_guilty();
        }
    }
}

// --- the probe ---

void WrongBlocksState::look()
{
    if (m_probe && m_probe->has_stalled(Clock::now())) {
        m_probed->has_stalled();
        end_probe();
    }
    const auto& suspects = m_blame.suspects();
    for (auto piece = suspects.begin(); piece != suspects.end() && !m_probe; ++piece) {
        if (WrongBlocksPeer* const peer = best_to_probe(*piece)) {
            m_probe.emplace(*piece, m_image.piece_size(*piece), Clock::now());
            m_probed = peer;
        }
    }
    pump();
}

WrongBlocksPeer* WrongBlocksState::best_to_probe(std::uint32_t piece) const
{
    WrongBlocksPeer* best = nullptr;
    for (WrongBlocksPeer* peer : m_peers) {
        if (peer->can_be_probed(piece) && (best == nullptr || best->merit() < peer->merit())) {
            best = peer;
        }
    }
    return best;
}

void WrongBlocksState::pump()
{
    if (m_probe) {
        m_probed->ask(m_probe->piece(), m_probe->next_requests());
    }
}

void WrongBlocksState::finish_probe()
{
    const std::uint32_t piece = m_probe->piece();
    if (m_probe->finish() == m_image.hashes[piece]) {
        compare(piece, {m_probe->digests().begin(), m_probe->digests().end()});
    } else {
        convict(m_probed->source(), piece);
    }
    end_probe();
    look();
}

WrongBlocks::WrongBlocks(const Image& image) : m_state(std::make_shared<WrongBlocksState>(image)) {}

WrongBlocks::~WrongBlocks() = default;

void WrongBlocks::attach(lt::io_context& context, Read read)
{
    m_state->attach(context, std::move(read));
}

void WrongBlocks::extend(lt::add_torrent_params& params)
{
    params.extensions.emplace_back([state = m_state](const lt::torrent_handle&, lt::client_data_t) {
        return std::make_shared<WrongBlocksPlugin>(state);
    });
}

void WrongBlocks::taken(const lt::peer_request& block)
{
    m_state->taken(block);
}

std::vector<WrongBlocks::Verdict> WrongBlocks::take_verdicts()
{
    return m_state->take_verdicts();
}

} // namespace ezio
