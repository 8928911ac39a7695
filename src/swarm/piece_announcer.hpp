// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tells one peer which pieces it may request from here, and makes it look again for pieces to request: the
// messages behind the steering and nudging of swarm.hpp.
#pragma once

#include "piece_view.hpp"

#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/peer_request.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ezio {

// Network thread only.
class PieceAnnouncer {
  public:
    explicit PieceAnnouncer(lt::peer_connection_handle connection) : m_connection(std::move(connection)) {}

    // --- steering ---

    // Hides all pieces, and shows and hides them from now on. `dont_have_id` is the peer's number for
    // lt_donthave. Until then the peer sees everything.
    void steer(std::uint32_t pieces, int dont_have_id);
    [[nodiscard]] bool is_steered() const { return m_dont_have_id != 0; }
    [[nodiscard]] bool is_hidden(std::uint32_t piece) const { return m_view.is_hidden(piece); }

    // Shows the pieces to the peer, unless it sees them already.
    void show(const std::vector<std::uint32_t>& pieces);
    void show_all();
    void hide(std::uint32_t piece);

    // Rejects a request for a hidden piece, which the peer sent before it knew.
    void reject(const lt::peer_request& request);

    // Sends the next portion once the peer has read most of the previous one. Not at each of its requests,
    // because get_peer_info() copies one bit for every piece.
    void tell_more();

    // --- nudging ---

    // A request of the peer arrived; one was answered or withdrawn.
    void requested() { ++m_unanswered; }
    void answered();

    // Unchokes the peer again if it waits for nothing.
    void nudge();

  private:
    void tell_changes();
    void send(const std::string& message);

    lt::peer_connection_handle m_connection;
    PieceView m_view{0};    // once the peer is steered
    int m_dont_have_id = 0; // 0: the peer is not steered
    int m_unanswered = 0;   // requests of the peer
};

} // namespace ezio
