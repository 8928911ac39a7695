// SPDX-License-Identifier: GPL-2.0-or-later
//
// State shared by the connections of one torrent: see unit_exchange.hpp.
#pragma once

#include "block_injection.hpp"
#include "dense_data.hpp"
#include "intake_policy.hpp"
#include "unit_message.hpp"
#include "unit_policy.hpp"
#include "unit_store.hpp"
#include "unit_workers.hpp"

#include "ezio/compression/unit_exchange.hpp"
#include "ezio/engine/disk_engine.hpp"
#include "ezio/image/image.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/mutex.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ezio {

class ExchangePeer;
class ExchangeState;

// Outlives the session.
class ExchangeShared {
  public:
    ExchangeShared(const Image& image, UnitExchange::Options options);

    void say(std::string reason);
    [[nodiscard]] std::vector<std::string> take_reasons();

    const Image& image;
    const std::uint64_t memory; // bytes
    const std::vector<bool> on_disk;
    const bool is_limited; // uploads are

    // Set before there are peers.
    lt::io_context* context = nullptr;
    DiskEngine* engine = nullptr;
    std::weak_ptr<ExchangeState> state;

    std::atomic<std::uint64_t> sent_bytes = 0;
    std::atomic<std::uint64_t> sent_payload = 0;
    std::atomic<std::uint64_t> received_bytes = 0;
    std::atomic<std::uint64_t> received_payload = 0;
    std::atomic<std::uint64_t> forwarded_payload = 0;

    Mutex mutex;
    std::vector<std::string> reasons GUARDED_BY(mutex);

    UnitWorkers workers; // last, because its threads use the other members
};

// Has the lifetime of the torrent, which ends before the io_context. Network thread.
class ExchangeState : public std::enable_shared_from_this<ExchangeState> {
  public:
    explicit ExchangeState(std::shared_ptr<ExchangeShared> shared);

    void add(ExchangePeer& peer) { m_peers.insert(&peer); }
    void remove(ExchangePeer& peer) { m_peers.erase(&peer); }

    [[nodiscard]] bool has(std::uint32_t piece) const { return piece < m_has.size() && m_has[piece]; }
    void piece_passed(std::uint32_t piece);
    void piece_failed(std::uint32_t piece) { m_store.piece_failed(piece); }

    // Whether units may be sent to us.
    [[nodiscard]] bool can_take() const { return m_can_take; }
    void take_nothing(); // for the rest of this process

    // Whether units are wanted now: the disk and the network thread keep up with them.
    [[nodiscard]] bool wants_units() const { return m_wants_units; }
    void tick(); // once a second

    // Payload bytes were received, in plain blocks or in units.
    void count_received(std::uint64_t payload_bytes) { m_receiving.payload_bytes += payload_bytes; }
    void count_unit(std::uint64_t payload_bytes) { m_receiving.unit_bytes += payload_bytes; }

    // Checks the peers' queues soon, once the reads in progress have finished.
    void look_soon();

    // Whether to compress requested blocks now. To be called often.
    [[nodiscard]] bool compresses();

    // Payload bytes were sent to a peer, in plain blocks or in units.
    void count_sent(std::uint64_t payload_bytes) { m_sample.payload_bytes += payload_bytes; }

    // Begins to read and compress a run of blocks for the peer.
    void begin(ExchangePeer& peer, const UnitPlace& run);

    // Whether there is room for more compression jobs.
    [[nodiscard]] bool has_room() const { return m_in_work < m_most_in_work; }

    // Takes the workers' finished jobs.
    void take_done();

    [[nodiscard]] std::uint32_t unit_bytes() const { return m_unit_bytes; }
    [[nodiscard]] const Image& image() const { return m_shared->image; }
    [[nodiscard]] ExchangeShared& shared() { return *m_shared; }
    [[nodiscard]] BlockInjector& injector() { return m_injector; }
    [[nodiscard]] DenseData& dense() { return m_dense; }
    [[nodiscard]] UnitStore& store() { return m_store; }

    // Changes the number of unit bytes that wait until libtorrent takes their blocks.
    void add_late(std::size_t bytes);
    void remove_late(std::size_t bytes);

  private:
    void look();
    void look_after(milliseconds time);
    void observe();
    void tell_peers();
    [[nodiscard]] bool is_starved(ExchangePeer& peer) const;
    [[nodiscard]] Effort effort_for(CodecMask codecs) const;
    void read(const std::weak_ptr<ExchangePeer>& peer, const UnitPlace& run, ReadBuffer data);
    void answer(PackedUnit unit);
    void answer_as_it_is(const std::weak_ptr<void>& peer, const UnitPlace& run, const ReadBuffer& data);
    [[nodiscard]] bool is_network_idle() const;

    const std::shared_ptr<ExchangeShared> m_shared;
    const std::uint32_t m_unit_bytes; // most bytes compressed together
    std::vector<bool> m_has;          // pieces that have passed
    std::set<ExchangePeer*> m_peers;
    const std::uint64_t m_most_in_work;
    std::uint64_t m_in_work = 0; // bytes that are being read or compressed
    std::uint64_t m_late = 0;    // bytes
    UnitStore m_store;
    DenseData m_dense;
    UnitPolicy m_policy;
    SendingSample m_sample; // of this period
    Clock::time_point m_period_began = Clock::now();
    std::chrono::nanoseconds m_occupied_before{0}; // the workers
    BlockInjector m_injector;
    bool m_can_take = true;
    IntakePolicy m_intake;
    ReceivingSample m_receiving; // of this second
    std::optional<Clock::time_point> m_ticked;
    std::chrono::nanoseconds m_network_before{0}; // processor time of the network thread
    bool m_wants_units = true;                    // as last told to the peers
    bool m_looks_soon = false;
    bool m_looks_later = false; // the timer runs
    boost::asio::steady_timer m_timer;
};

} // namespace ezio
