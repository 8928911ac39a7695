// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/compression/unit_exchange.hpp"

#include "exchange_peer.hpp"
#include "exchange_state.hpp"
#include "ezio/peers/piece_number.hpp"

#include "ezio/peers/peer_plugins.hpp"

#include <boost/asio/post.hpp>
#include <libtorrent/extensions.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <thread>
#include <utility>

namespace ezio {

namespace {

// The size of a unit. With 16, 32, 64, 128 KiB, four clients, 200 Mbit links and lz4: 0.62, 0.60, 0.58, 0.58
// of the ideal uncompressed time. 256 KiB: 3 % smaller, but fewer units can be passed on as received.
constexpr std::uint64_t packed_together = 128 << 10;

// The levels of UnitPolicy.
constexpr std::array<Effort, UnitPolicy::levels> efforts{Effort{Codec::lz4, 0}, Effort{Codec::zstd, -1},
                                                         Effort{Codec::zstd, 1}, Effort{Codec::zstd, 3}};

// Bytes pinned in the engine while they are compressed.
constexpr std::uint64_t most_in_work = 16 << 20;

// Half of the processors: the network, hashing and writing need the others.
unsigned pack_threads()
{
    return std::max(1U, std::thread::hardware_concurrency() / 2);
}

class ExchangePlugin final : public lt::torrent_plugin {
  public:
    explicit ExchangePlugin(std::shared_ptr<ExchangeState> state) : m_state(std::move(state)) {}

    std::shared_ptr<lt::peer_plugin> new_connection(const lt::peer_connection_handle& connection) override
    {
        return is_bittorrent(connection) ? std::make_shared<ExchangePeer>(m_state, connection) : nullptr;
    }

    void on_piece_pass(lt::piece_index_t piece) override { m_state->piece_passed(to_number(piece)); }

    void on_piece_failed(lt::piece_index_t piece) override { m_state->piece_failed(to_number(piece)); }

    void tick() override { m_state->tick(); }

  private:
    const std::shared_ptr<ExchangeState> m_state;
};

// The processor time of the calling thread.
std::chrono::nanoseconds processor_time()
{
    timespec time{};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time); // on failure the thread counts as idle
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

} // namespace

ExchangeShared::ExchangeShared(const Image& the_image, UnitExchange::Options options)
    : image(the_image), memory(options.memory), on_disk(std::move(options.on_disk)),
      is_limited(options.is_limited), workers({pack_threads(), [this] {
                                                   boost::asio::post(*context, [weak = state] {
                                                       if (const auto alive = weak.lock()) {
                                                           alive->take_done();
                                                       }
                                                   });
                                               }})
{}

void ExchangeShared::say(std::string reason)
{
    constexpr std::size_t most = 100; // limit until they are taken
    const MutexLock lock(mutex);
    if (reasons.size() < most) {
        reasons.push_back(std::move(reason));
    }
}

std::vector<std::string> ExchangeShared::take_reasons()
{
    workers.throw_if_failed();
    const MutexLock lock(mutex);
    return std::exchange(reasons, {});
}

ExchangeState::ExchangeState(std::shared_ptr<ExchangeShared> shared)
    : m_shared(std::move(shared)),
      m_unit_bytes(static_cast<std::uint32_t>(std::min(packed_together, m_shared->image.piece_length))),
      m_has(m_shared->on_disk), m_most_in_work(std::min(most_in_work, m_shared->memory / 2)),
      m_store(m_shared->memory), m_intake(m_shared->memory), m_timer(*m_shared->context)
{
    m_has.resize(m_shared->image.piece_count());
}

void ExchangeState::piece_passed(std::uint32_t piece)
{
    m_has.at(piece) = true;
    m_store.piece_passed(piece);
}

void ExchangeState::take_nothing()
{
    if (std::exchange(m_can_take, false)) {
        m_shared->say("accepting nothing compressed any more: libtorrent's connections differ from those "
                      "that this program was built for");
    }
}

void ExchangeState::add_late(std::size_t bytes)
{
    m_late += bytes;
    m_store.leave_room(m_late);
}

void ExchangeState::remove_late(std::size_t bytes)
{
    m_late -= bytes;
    m_store.leave_room(m_late);
}

void ExchangeState::tick()
{
    const auto now = Clock::now();
    const auto network = processor_time();
    if (m_ticked) {
        m_receiving.seconds = std::chrono::duration<double>(now - *m_ticked).count();
        m_receiving.busy =
            std::chrono::duration<double>(network - m_network_before).count() / m_receiving.seconds;
        m_receiving.late_bytes = m_late;
        m_intake.observe(m_receiving, now);
        tell_peers();
    }
    m_receiving = {};
    m_ticked = now;
    m_network_before = network;
}

void ExchangeState::tell_peers()
{
    if (auto reason = m_intake.take_reason()) {
        m_shared->say(std::move(*reason));
    }
    if (m_intake.wants_units() == m_wants_units) {
        return;
    }
    m_wants_units = m_intake.wants_units();
    const auto peers = m_peers; // a copy: peers may leave meanwhile
    for (ExchangePeer* peer : peers) {
        if (m_peers.count(peer) != 0) {
            peer->say_what_may_be_sent();
        }
    }
}

// Requests arrive in bunches, and adjacent ones are compressed together.
void ExchangeState::look_soon()
{
    if (m_looks_soon) {
        return;
    }
    m_looks_soon = true;
    boost::asio::post(*m_shared->context, [weak = weak_from_this()] {
        if (const auto alive = weak.lock()) {
            alive->m_looks_soon = false;
            alive->look();
        }
    });
}

// There is no event when the network has taken data, or the disk has caught up.
void ExchangeState::look_after(milliseconds time)
{
    const auto at = Clock::now() + time;
    if (m_looks_later && m_timer.expiry() <= at) {
        return;
    }
    m_looks_later = true;
    m_timer.expires_at(at);
    m_timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        if (const auto alive = weak.lock(); alive && !error) {
            alive->m_looks_later = false;
            alive->look();
        }
    });
}

void ExchangeState::look()
{
    observe();
    std::optional<milliseconds> next;
    const auto peers = m_peers; // a copy: peers may leave meanwhile
    for (ExchangePeer* peer : peers) {
        if (m_peers.count(peer) != 0) {
            const auto alive = peer->shared_from_this();
            alive->go_on();
            alive->pump();
            if (const auto time = alive->next_look()) {
                next = std::min(next.value_or(*time), *time);
            }
        }
    }
    m_intake.late(m_late); // only now, because retried units are subtracted meanwhile
    tell_peers();
    if (next) {
        look_after(*next);
    }
}

void ExchangeState::begin(ExchangePeer& peer, const UnitPlace& run)
{
    m_in_work += run.length;
    const std::uint64_t offset = image().piece_offset(run.piece) + run.start;
    if (ReadBuffer data = m_shared->engine->try_read(offset, run.length)) {
        read(peer.weak_from_this(), run, std::move(data));
        return;
    }
    m_shared->engine->read(offset, run.length,
                           [shared = m_shared, weak_peer = peer.weak_from_this(), run](int, ReadBuffer data) {
                               if (const auto state = shared->state.lock()) {
                                   state->read(weak_peer, run, std::move(data));
                               }
                           });
}

Effort ExchangeState::effort_for(CodecMask codecs) const
{
    const Effort effort = efforts.at(m_policy.level());
    if ((bit_of(effort.codec) & codecs) != 0) {
        return effort;
    }
    return (codecs & lz4_bit) != 0 ? efforts.front() : efforts.at(1);
}

// Without data: it cannot be read.
void ExchangeState::read(const std::weak_ptr<ExchangePeer>& peer, const UnitPlace& run, ReadBuffer data)
{
    const auto alive = peer.lock();
    if (data && alive && (!m_policy.compresses() || alive->codecs() == 0)) {
        answer_as_it_is(peer, run, data);
        return;
    }
    if (data && alive) {
        m_shared->workers.submit({run, std::move(data), effort_for(alive->codecs()), peer});
        return;
    }
    m_in_work -= run.length;
    if (alive) {
        alive->fail(run);
    }
    look_soon();
}

bool ExchangeState::compresses()
{
    observe();
    return m_policy.compresses();
}

// Called on any activity: without activity there is nothing to decide.
void ExchangeState::observe()
{
    const auto now = Clock::now();
    const auto passed = now - m_period_began;
    if (passed < UnitPolicy::period) {
        return;
    }
    const auto occupied = m_shared->workers.occupied();
    m_sample.seconds = std::chrono::duration<double>(passed).count();
    m_sample.busy = std::chrono::duration<double>(occupied - m_occupied_before).count() /
                    (m_sample.seconds * m_shared->workers.threads());
    m_sample.is_limited = m_shared->is_limited;
    if (m_sample.units == 0 && m_in_work > 0 && is_network_idle()) { // none in all that time
        m_sample.units = m_sample.starved = 1;
        m_sample.busy = 1;
    }
    m_policy.observe(m_sample, now);
    if (auto reason = m_policy.take_reason()) {
        m_shared->say(std::move(*reason));
    }
    m_sample = {};
    m_occupied_before = occupied;
    m_period_began = now;
    if (!m_policy.compresses()) { // or the peers, which have asked for all that they may, would wait for the
                                  // threads
        for (const PackJob& job : m_shared->workers.take_back()) {
            answer_as_it_is(job.owner, job.place, job.data);
        }
    }
}

bool ExchangeState::is_network_idle() const
{
    constexpr std::uint64_t next_to_nothing = 64 << 10;
    std::uint64_t waiting = 0;
    for (const ExchangePeer* peer : m_peers) {
        waiting += peer->waiting_to_send();
    }
    return waiting < next_to_nothing;
}

// Whether the network has nothing to send although the peer has requested more.
bool ExchangeState::is_starved(ExchangePeer& peer) const
{
    return peer.has_asked() && peer.waiting_to_send() == 0 && is_network_idle();
}

void ExchangeState::take_done()
{
    observe();
    for (PackedUnit& unit : m_shared->workers.take_done()) {
        answer(std::move(unit));
    }
    look();
}

void ExchangeState::answer(PackedUnit unit)
{
    const auto peer = std::static_pointer_cast<ExchangePeer>(unit.job.owner.lock());
    ++m_sample.units;
    m_sample.starved += peer && is_starved(*peer) ? 1 : 0;
    if (unit.job.data) {
        m_dense.did_not_shrink();
        answer_as_it_is(peer, unit.job.place, unit.job.data);
        return;
    }
    m_in_work -= unit.job.place.length;
    m_dense.did_shrink();
    const auto packed =
        std::make_shared<const Unit>(Unit{unit.job.effort.codec, unit.job.place, std::move(unit.packed)});
    m_store.add_verified(packed);
    if (peer) {
        peer->answer(*packed);
    }
}

void ExchangeState::answer_as_it_is(const std::weak_ptr<void>& peer, const UnitPlace& run,
                                    const ReadBuffer& data)
{
    m_in_work -= run.length;
    if (const auto alive = std::static_pointer_cast<ExchangePeer>(peer.lock())) {
        alive->answer_as_it_is(run, data.get());
    }
    look_soon();
}

UnitExchange::UnitExchange(const Image& image, Options options)
    : m_shared(std::make_shared<ExchangeShared>(image, std::move(options)))
{}

UnitExchange::~UnitExchange()
{
    stop();
}

std::uint64_t UnitExchange::memory() const
{
    return m_shared->memory;
}

void UnitExchange::attach(lt::io_context& context, DiskEngine& engine)
{
    m_shared->context = &context;
    m_shared->engine = &engine;
}

void UnitExchange::extend(lt::add_torrent_params& params)
{
    params.extensions.emplace_back([shared = m_shared](const lt::torrent_handle&, lt::client_data_t) {
        auto state = std::make_shared<ExchangeState>(shared);
        shared->state = state;
        return std::make_shared<ExchangePlugin>(std::move(state));
    });
}

void UnitExchange::stop()
{
    m_shared->workers.stop();
}

std::vector<std::string> UnitExchange::take_reasons()
{
    return m_shared->take_reasons();
}

UnitExchange::Counts UnitExchange::counts() const
{
    return {m_shared->sent_bytes, m_shared->sent_payload, m_shared->received_bytes,
            m_shared->received_payload, m_shared->forwarded_payload};
}

} // namespace ezio
