// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "asked_blocks.hpp"
#include "exchange_state.hpp"
#include "send_queue.hpp"

#include "ezio/peers/peer_plugins.hpp"
#include "ezio/util/clock.hpp"

#include <libtorrent/bdecode.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/peer_connection_handle.hpp>

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace ezio {

// The exchange on one connection. Network thread.
class ExchangePeer final : public lt::peer_plugin, public std::enable_shared_from_this<ExchangePeer> {
  public:
    ExchangePeer(std::shared_ptr<ExchangeState> state, lt::peer_connection_handle connection);

    [[nodiscard]] lt::string_view type() const override { return units_plugin; }

    void add_handshake(lt::entry& handshake) override;
    bool on_extension_handshake(const lt::bdecode_node& handshake) override;
    bool on_extended(int length, int message, lt::span<const char> body) override;
    void on_disconnect(const lt::error_code& error) override;
    ~ExchangePeer() override;

    // --- requests of the peer ---

    bool on_request(const lt::peer_request& request) override;
    bool on_cancel(const lt::peer_request& request) override;
    void sent_choke() override;
    bool can_disconnect(const lt::error_code& error) override;
    void tick() override;

    void sent_payload(int bytes) override;
    [[nodiscard]] CodecMask codecs() const { return m_codecs; } // that may be sent to the peer
    [[nodiscard]] bool has_asked() const { return !m_queue.empty(); }
    [[nodiscard]] std::uint64_t waiting_to_send() const
    {
        return BlockInjector::waiting_to_send(m_connection);
    }

    // Begins to answer requests, as far as there is room.
    void pump();

    // A unit that was begun for this peer is ready.
    void answer(const Unit& unit);
    void answer_as_it_is(const UnitPlace& place, const std::byte* data);
    void fail(const UnitPlace& place);

    // --- requests to the peer ---

    void sent_request(const lt::peer_request& request) override;
    bool on_piece(const lt::peer_request& request, lt::span<const char> data) override;
    bool on_reject(const lt::peer_request& request) override;

    // Tells the peer whether units are wanted.
    void say_what_may_be_sent();

    // Hands over waiting units, as far as libtorrent takes them.
    void go_on();

    // When to call pump() and go_on() again; nullopt: not before something else happens.
    [[nodiscard]] std::optional<milliseconds> next_look() const;

  private:
    // A unit, or the rest of one, that waits while libtorrent does not read from this peer.
    struct LateUnit {
        Codec codec;
        UnitPlace place;
        std::uint32_t handed_over; // bytes of it
        std::vector<char> packed;
    };

    static constexpr std::uint64_t least_window = 64 << 10;
    static constexpr std::uint64_t most_window = 512 << 10;

    [[nodiscard]] std::uint64_t window() const;
    [[nodiscard]] bool takes_over(const lt::peer_request& request) const;
    void receive(lt::span<const char> body);
    void receive_unit(const UnitView& unit);
    void wait(LateUnit unit);
    void forget_late();
    [[nodiscard]] std::uint32_t hand_over(const UnitView& unit, std::uint32_t from);
    void reject(const UnitPlace& place);
    void ended(const UnitPlace& place);
    void widen_if_starved();
    void send_unit(const Unit& unit);
    void send(const std::string& message);
    void count_sent(const UnitPlace& place, std::uint64_t wire_bytes);
    void hang_up();

    const std::shared_ptr<ExchangeState> m_state;
    lt::peer_connection_handle m_connection;
    const std::array<AnswerListener*, 3> m_listeners; // nullptr: there is no such plugin
    bool m_gone = false;
    int m_id = 0; // of our messages at the peer; 0: not supported
    CodecMask m_codecs = 0;
    SendQueue m_queue;
    std::uint64_t m_in_work = 0;           // bytes of the payload
    std::uint64_t m_window = least_window; // limit for bytes in work or queued
    bool m_has_sent = false;               // since the last check of the window's size
    std::uint64_t m_sent_bytes = 0;        // on the network, since the last tick
    std::uint64_t m_rate = 0;              // bytes per second until the last tick
    Clock::time_point m_last_sent;
    bool m_can_take = false; // whether units may be sent to us
    AskedBlocks m_asked;
    std::deque<LateUnit> m_late;
};

} // namespace ezio
