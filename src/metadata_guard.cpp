// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/metadata_guard.hpp"

#include "ezio/peer_plugins.hpp"

#include <libtorrent/error_code.hpp>
#include <libtorrent/operations.hpp>

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

class GuardPeer final : public lt::peer_plugin {
  public:
    GuardPeer(const std::shared_ptr<const std::uint64_t>& allowed, lt::peer_connection_handle connection)
        : m_connection(std::move(connection)), m_left(*allowed)
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
        m_connection.disconnect(lt::errors::invalid_message, lt::operation_t::bittorrent);
        return true;
    }

  private:
    lt::peer_connection_handle m_connection;
    std::uint64_t m_left; // messages about metadata, for as long as it is connected
};

} // namespace

void guard_metadata(lt::add_torrent_params& params, std::uint64_t info_bytes)
{
    add_peer_plugins<GuardPeer>(params, std::make_shared<const std::uint64_t>(requests_allowed(info_bytes)));
}

} // namespace ezio
