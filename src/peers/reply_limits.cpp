// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peers/reply_limits.hpp"

#include "ezio/peers/peer_faults.hpp"
#include "ezio/peers/peer_plugins.hpp"
#include "message_budget.hpp"

#include <libtorrent/bitfield.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/operations.hpp>
#include <libtorrent/peer_info.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace ezio {

namespace {

constexpr int metadata_message = 2; // libtorrent's number for ut_metadata in every handshake
constexpr std::uint64_t metadata_piece_bytes = 16384;

// Several times each piece of the metadata, because requests are repeated when answers are late.
std::uint64_t requests_allowed(std::uint64_t info_bytes)
{
    return 256 + 4 * (info_bytes / metadata_piece_bytes + 1);
}

// Bytes that may be queued for a peer that reads nothing for a while: data and metadata, less than 1 MiB, and
// for each piece a few messages of 10 bytes (have, hidden, shown again).
std::uint64_t waiting_allowed(std::uint32_t pieces)
{
    constexpr std::uint64_t for_each_piece = 64;
    return (std::uint64_t{4} << 20) + for_each_piece * pieces;
}

// Including the messages about each piece.
std::uint64_t waiting_usual(std::uint32_t pieces)
{
    constexpr std::uint64_t for_each_piece = 20;
    return usual_waiting + for_each_piece * pieces;
}

// Requests per second beyond the allowed number of outstanding ones: several times what an honest peer can
// have outstanding.
constexpr int rejections_allowed = 1000;

// Bytes beyond the usual, over all connections.
constexpr std::uint64_t waiting_together = std::uint64_t{32} << 20;

// The number of messages that a bitfield or another extension handshake counts as.
constexpr std::uint64_t long_message = 100;

struct Shared {
    const std::uint32_t pieces;
    const DataComes data_comes;
    const std::uint64_t metadata_messages;
    const std::uint64_t usual;
    const std::uint64_t most;
    std::uint64_t together = 0; // bytes beyond the usual, as of each connection's last check
};

class GuardPeer final : public AnswerListener {
  public:
    GuardPeer(std::shared_ptr<Shared> shared, lt::peer_connection_handle connection)
        : m_shared(std::move(shared)), m_connection(std::move(connection)),
          m_budget(m_shared->pieces, m_shared->data_comes == DataComes::as_units ? late_units : 0),
          m_left(m_shared->metadata_messages)
    {}

    [[nodiscard]] lt::string_view type() const override { return guard_plugin; }

    // Called before all other plugins, also for an incomplete message. True: the message is not passed on.
    bool on_extended(int length, int message, lt::span<const char> body) override
    {
        const bool is_whole = static_cast<int>(body.size()) >= length;
        if (!is_whole) {
            return false;
        }
        if (message != metadata_message) {
            return spend();
        }
        if (m_left > 0) {
            --m_left;
            return false;
        }
        return hang_up(PeerFault::asks_too_much);
    }

    bool on_request(const lt::peer_request&) override
    {
        return m_rejections <= rejections_allowed ? spend() : hang_up(PeerFault::asks_too_much);
    }

    bool on_choke() override { return spend(); }
    bool on_unchoke() override { return spend(); }
    bool on_not_interested() override { return spend(); }
    bool on_have(lt::piece_index_t) override { return spend(); }
    bool on_dont_have(lt::piece_index_t) override { return spend(); }
    bool on_allowed_fast(lt::piece_index_t) override { return spend(); }
    bool on_suggest(lt::piece_index_t) override { return spend(); }
    bool on_cancel(const lt::peer_request&) override { return spend(); }
    bool on_reject(const lt::peer_request&) override { return spend(); }
    bool on_bitfield(const lt::bitfield&) override { return spend(long_message); }
    bool on_have_all() override { return spend(long_message); }
    bool on_have_none() override { return spend(long_message); }
    bool on_extension_handshake(const lt::bdecode_node&) override
    {
        spend(long_message);
        return true;
    }
    bool on_piece(const lt::peer_request&, lt::span<const char> data) override
    {
        m_budget.exchanged(static_cast<std::uint64_t>(data.size()));
        return spend();
    }

    void sent_piece(const lt::peer_request& block) override
    {
        m_budget.exchanged(static_cast<std::uint64_t>(block.length));
    }

    void sent_block(const lt::peer_request& block, std::uint64_t) override
    {
        m_budget.exchanged(static_cast<std::uint64_t>(block.length));
        m_sent_units += static_cast<std::uint64_t>(block.length);
    }

    void sent_reject_request(const lt::peer_request&) override { ++m_rejections; }
    void sent_rejection(const lt::peer_request&) override { ++m_rejections; }

    // An honest peer sends a few of these for each piece.
    bool on_interested() override
    {
        constexpr int looked_at_every = 1000;
        return spend() || (++m_interested % looked_at_every == 0 && hang_up_if_too_much_waits());
    }

    void tick() override // once a second
    {
        m_rejections = 0;
        lt::peer_info info;
        m_connection.get_peer_info(info);
        const auto data_rate = static_cast<std::uint64_t>(info.payload_down_speed + info.payload_up_speed) +
                               std::exchange(m_sent_units, 0);
        // A unit is shorter than its blocks, which count as data once they are unpacked.
        const int units = m_shared->data_comes == DataComes::as_units ? info.payload_down_speed : 0;
        const int other_bytes = std::max(info.down_speed - info.payload_down_speed - units, 0);
        if (m_budget.second(static_cast<std::uint64_t>(other_bytes), data_rate)) {
            hang_up_if_too_much_waits(info);
        } else {
            hang_up(PeerFault::floods);
        }
    }

    void on_disconnect(const lt::error_code&) override { count(0); }

  private:
    static constexpr std::uint64_t many = 256;           // connections
    static constexpr std::uint64_t late_units = 4 << 20; // bytes: requested data, while the disk is behind

    // Returns whether the peer was disconnected.
    bool spend(std::uint64_t messages = 1) { return !m_budget.spend(messages) && hang_up(PeerFault::floods); }

    void count(std::uint64_t beyond)
    {
        m_shared->together += beyond - m_beyond;
        m_beyond = beyond;
    }

    // If all connections together have too much, those with the least may stay. Returns whether this peer was
    // disconnected.
    bool hang_up_if_too_much_waits()
    {
        lt::peer_info info;
        m_connection.get_peer_info(info);
        return hang_up_if_too_much_waits(info);
    }

    bool hang_up_if_too_much_waits(const lt::peer_info& info)
    {
        const auto waiting = static_cast<std::uint64_t>(info.used_send_buffer);
        count(waiting > m_shared->usual ? waiting - m_shared->usual : 0);
        if (waiting <= m_shared->most &&
            (m_shared->together <= waiting_together || m_beyond <= waiting_together / many)) {
            return false;
        }
        return hang_up(PeerFault::reads_nothing);
    }

    bool hang_up(PeerFault fault)
    {
        m_connection.disconnect(make_error(fault), lt::operation_t::bittorrent,
                                lt::peer_connection_interface::peer_error);
        return true;
    }

    const std::shared_ptr<Shared> m_shared;
    lt::peer_connection_handle m_connection;
    MessageBudget m_budget;
    std::uint64_t m_beyond = 0;     // bytes beyond the usual queued for it; part of m_shared->together
    std::uint64_t m_sent_units = 0; // payload bytes since the last tick
    int m_rejections = 0;           // since the last tick
    unsigned m_interested = 0;      // INTERESTED messages
    std::uint64_t m_left;           // metadata messages left for this connection
};

} // namespace

void limit_replies(lt::add_torrent_params& params, std::uint64_t info_bytes, std::uint32_t pieces,
                   DataComes data_comes)
{
    add_peer_plugins<GuardPeer>(
        params, std::make_shared<Shared>(Shared{pieces, data_comes, requests_allowed(info_bytes),
                                                waiting_usual(pieces), waiting_allowed(pieces)}));
}

} // namespace ezio
