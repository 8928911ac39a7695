// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/swarm/report_sender.hpp"

#include "ezio/peers/peer_messages.hpp"
#include "ezio/peers/peer_plugins.hpp"

#include <boost/asio/post.hpp>

#include <libtorrent/bdecode.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/peer_connection_handle.hpp>

#include <algorithm>
#include <atomic>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace ezio {

class SenderPeer;

// State shared by the connections of one torrent.
class SenderState : public std::enable_shared_from_this<SenderState> {
  public:
    explicit SenderState(std::function<void()> wake) : m_wake(std::move(wake)) {}

    void attach(lt::io_context& context) { m_context = &context; }

    // --- reporting thread ---

    void say(const ClientReport& report, Clock::time_point now);
    [[nodiscard]] bool is_heard() const { return m_heard; }

    // --- network thread ---

    void add(SenderPeer& peer)
    {
        m_seeders.insert(&peer);
        m_has_met_a_seeder = true;
    }
    void remove(SenderPeer& peer)
    {
        m_seeders.erase(&peer);
        look_whether_heard();
    }
    void answered()
    {
        m_is_answered = true;
        look_whether_heard();
    }
    [[nodiscard]] const std::string& latest() const { return m_latest; }
    [[nodiscard]] bool is_last() const { return m_is_last; }

  private:
    void send(std::string payload, bool is_last);
    void look_whether_heard();

    const std::function<void()> m_wake;
    const std::string m_id = make_report_id();
    lt::io_context* m_context = nullptr;
    std::optional<ClientReport> m_said; // reporting thread only, as the next
    Clock::time_point m_said_at;
    std::atomic<bool> m_heard = true;
    std::atomic<unsigned> m_unsent = 0; // reports on their way to the network thread
    std::set<SenderPeer*> m_seeders;    // network thread only, as the following
    std::string m_latest;               // empty: no report yet
    bool m_is_last = false;
    bool m_is_answered = false; // the last one, by at least one seeder
    bool m_has_met_a_seeder = false;
};

class SenderPeer final : public lt::peer_plugin {
  public:
    SenderPeer(std::shared_ptr<SenderState> state, lt::peer_connection_handle connection)
        : m_state(std::move(state)), m_connection(std::move(connection))
    {}
    SenderPeer(const SenderPeer&) = delete;
    SenderPeer& operator=(const SenderPeer&) = delete;
    ~SenderPeer() override { m_state->remove(*this); } // a connection that fails has no on_disconnect()

    void add_handshake(lt::entry& handshake) override { handshake["m"][report_key] = report_extension; }

    bool on_extension_handshake(const lt::bdecode_node& handshake) override
    {
        const bool is_seed = handshake.dict_find_int_value(seed_key) != 0;
        m_number = is_seed ? extension_id(handshake, report_key) : 0;
        if (m_number != 0 && !m_connection.is_disconnecting()) {
            m_state->add(*this);
            send_latest();
        }
        return true;
    }

    bool on_extended(int length, int message, lt::span<const char> body) override
    {
        if (message != report_extension) {
            return false;
        }
        if (body.size() >= length && is_heard({body.data(), static_cast<std::size_t>(body.size())})) {
            if (std::exchange(m_waits, false)) {
                m_state->answered();
            }
        }
        return true;
    }

    void on_disconnect(const lt::error_code&) override { m_state->remove(*this); }

    void send_latest()
    {
        if (m_state->latest().empty() || m_connection.is_disconnecting()) {
            return;
        }
        std::string message;
        put_extended(message, m_number, m_state->latest());
        m_connection.send_buffer(message.data(), static_cast<int>(message.size()));
        m_waits = m_state->is_last();
    }

    [[nodiscard]] bool waits() const { return m_waits; }

  private:
    const std::shared_ptr<SenderState> m_state;
    lt::peer_connection_handle m_connection;
    int m_number = 0;     // the peer's number for reports; 0: not accepted
    bool m_waits = false; // for the answer to a last report
};

void SenderState::say(const ClientReport& report, Clock::time_point now)
{
    const bool is_new = !m_said || report.state != m_said->state || report.status != m_said->status;
    if (m_context == nullptr ||
        (!is_new && (is_final(report.state) || now - m_said_at < ReportSender::interval))) {
        return;
    }
    m_said = report;
    m_said_at = now;
    ++m_unsent; // first: until it is sent, no report counts as heard
    m_heard = !is_final(report.state);
    boost::asio::post(*m_context, [weak = weak_from_this(), payload = encode_report({m_id, report}),
                                   is_last = is_final(report.state)]() mutable {
        if (const auto alive = weak.lock()) {
            alive->send(std::move(payload), is_last);
        }
    });
}

void SenderState::send(std::string payload, bool is_last)
{
    --m_unsent;
    m_latest = std::move(payload);
    m_is_last = is_last;
    m_is_answered = false;
    for (SenderPeer* peer : m_seeders) {
        peer->send_latest();
    }
    look_whether_heard();
}

// A seeder whose connection was closed may be back in a moment: libtorrent closes one of two connections to
// the same peer.
void SenderState::look_whether_heard()
{
    const bool waits =
        std::any_of(m_seeders.begin(), m_seeders.end(), [](const SenderPeer* peer) { return peer->waits(); });
    if (m_is_last && m_unsent == 0 && !waits && (m_is_answered || !m_has_met_a_seeder) &&
        !m_heard.exchange(true)) {
        m_wake();
    }
}

ReportSender::ReportSender(std::function<void()> wake)
    : m_state(std::make_shared<SenderState>(std::move(wake)))
{}

ReportSender::~ReportSender() = default;

void ReportSender::attach(lt::io_context& context)
{
    m_state->attach(context);
}

void ReportSender::extend(lt::add_torrent_params& params)
{
    add_peer_plugins<SenderPeer>(params, m_state);
}

void ReportSender::say(const ClientReport& report, Clock::time_point now)
{
    m_state->say(report, now);
}

bool ReportSender::is_heard() const
{
    return m_state->is_heard();
}

} // namespace ezio
