// SPDX-License-Identifier: GPL-2.0-or-later
#include "piece_announcer.hpp"

#include "ezio/peers/peer_messages.hpp"
#include "ezio/peers/piece_number.hpp"
#include "ezio/peers/reply_limits.hpp"

#include <libtorrent/peer_info.hpp>

#include <cstddef>

namespace ezio {

namespace {

// The most messages about pieces at once, 64 KiB: for 2 TiB in pieces of 16 MiB all of them are 1.3 MB for
// each peer.
constexpr std::size_t most_told_at_once = 6500;

} // namespace

void PieceAnnouncer::steer(std::uint32_t pieces, int dont_have_id)
{
    m_dont_have_id = dont_have_id;
    m_view = PieceView(pieces);
    m_view.set_all(true);
    tell_changes();
}

void PieceAnnouncer::show(const std::vector<std::uint32_t>& pieces)
{
    std::string message;
    for (const std::uint32_t piece : pieces) {
        if (is_steered() && m_view.set(piece, false)) {
            put_have(message, piece);
        }
    }
    send(message);
    if (!message.empty()) {
        nudge();
    }
}

void PieceAnnouncer::show_all()
{
    if (is_steered()) {
        m_view.set_all(false);
        tell_changes();
    }
}

void PieceAnnouncer::hide(std::uint32_t piece)
{
    if (is_steered() && m_view.set(piece, true)) {
        std::string message;
        put_dont_have(message, m_dont_have_id, piece);
        send(message);
    }
}

void PieceAnnouncer::reject(const lt::peer_request& request)
{
    const std::uint32_t piece = to_number(request.piece);
    std::string message;
    if (m_view.set(piece, true)) { // it would request it again
        put_dont_have(message, m_dont_have_id, piece);
    }
    put_reject(message, piece, static_cast<std::uint32_t>(request.start),
               static_cast<std::uint32_t>(request.length));
    send(message);
}

// The next portion of a change of all pieces.
void PieceAnnouncer::tell_changes()
{
    std::string message;
    bool shows = false;
    for (const PieceView::Change& change : m_view.next_changes(most_told_at_once)) {
        if (change.is_hidden) {
            put_dont_have(message, m_dont_have_id, change.piece);
        } else {
            put_have(message, change.piece);
            shows = true;
        }
    }
    send(message);
    if (shows) {
        nudge();
    }
}

void PieceAnnouncer::tell_more()
{
    if (!m_view.is_behind()) {
        return;
    }
    lt::peer_info info;
    m_connection.get_peer_info(info);
    if (info.used_send_buffer < usual_waiting) {
        tell_changes();
    }
}

void PieceAnnouncer::answered()
{
    if (m_unanswered > 0) {
        --m_unanswered;
    }
}

void PieceAnnouncer::nudge()
{
    if (m_unanswered == 0 && !m_connection.is_choked()) {
        std::string message;
        put_unchoke(message); // one block, which ends its end game
        put_unchoke(message); // as many as it wants
        send(message);
    }
}

void PieceAnnouncer::send(const std::string& message)
{
    if (!message.empty() && !m_connection.is_disconnecting()) {
        m_connection.send_buffer(message.data(), static_cast<int>(message.size()));
    }
}

} // namespace ezio
