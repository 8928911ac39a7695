// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/answer_guard.hpp"

#include "ezio/peer_plugins.hpp"

#include <libtorrent/error_code.hpp>
#include <libtorrent/operations.hpp>
#include <libtorrent/peer_info.hpp>

#include <memory>

namespace ezio {

namespace {

constexpr int metadata_message = 2; // the number that libtorrent gives to ut_metadata in every handshake
constexpr std::uint64_t metadata_piece_bytes = 16384;

// Each piece of it several times: requests are repeated when answers are late.
std::uint64_t requests_allowed(std::uint64_t info_bytes)
{
    return 256 + 4 * (info_bytes / metadata_piece_bytes + 1);
}

// Bytes that may wait to be sent to a peer, which reads nothing for a while. Data and metadata are less than
// 1 MiB; for each piece it may be told a few times, with 10 bytes each, that it is here, hidden, shown again.
std::uint64_t waiting_allowed(std::uint32_t pieces)
{
    constexpr std::uint64_t for_each_piece = 64;
    return (std::uint64_t{4} << 20) + for_each_piece * pieces;
}

struct Limits {
    std::uint64_t metadata_messages;
    std::uint64_t waiting_bytes;
};

class GuardPeer final : public lt::peer_plugin {
  public:
    GuardPeer(std::shared_ptr<const Limits> limits, lt::peer_connection_handle connection)
        : m_limits(std::move(limits)), m_connection(std::move(connection)),
          m_left(m_limits->metadata_messages)
    {}

    // Called first of all plugins, also while the message is incomplete. True: not passed on.
    bool on_extended(int length, int message, lt::span<const char> body) override
    {
        const bool is_whole = static_cast<int>(body.size()) >= length;
        if (message != metadata_message || !is_whole) {
            return false;
        }
        if (m_left > 0) {
            --m_left;
            return false;
        }
        hang_up();
        return true;
    }

    // Once a second.
    void tick() override
    {
        lt::peer_info info;
        m_connection.get_peer_info(info);
        if (static_cast<std::uint64_t>(info.used_send_buffer) > m_limits->waiting_bytes) {
            hang_up();
        }
    }

  private:
    void hang_up() { m_connection.disconnect(lt::errors::invalid_message, lt::operation_t::bittorrent); }

    const std::shared_ptr<const Limits> m_limits;
    lt::peer_connection_handle m_connection;
    std::uint64_t m_left; // messages about metadata, for as long as it is connected
};

} // namespace

void guard_answers(lt::add_torrent_params& params, std::uint64_t info_bytes, std::uint32_t pieces)
{
    add_peer_plugins<GuardPeer>(params, std::make_shared<const Limits>(
                                            Limits{requests_allowed(info_bytes), waiting_allowed(pieces)}));
}

} // namespace ezio
