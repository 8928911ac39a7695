// SPDX-License-Identifier: GPL-2.0-or-later
#include "report_taker.hpp"

#include "ezio/peers/peer_faults.hpp"
#include "ezio/peers/peer_messages.hpp"
#include "ezio/peers/peer_plugins.hpp"
#include "ezio/peers/shared_addresses.hpp"

#include <libtorrent/bdecode.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/operations.hpp>
#include <libtorrent/peer_connection_handle.hpp>

#include <algorithm>
#include <utility>

namespace ezio {

namespace {

// A fetch reports every two seconds, and at each of a handful of state changes.
constexpr int reports_at_once = 30;
constexpr int reports_a_second = 2;

class TakerPeer final : public lt::peer_plugin {
  public:
    TakerPeer(std::shared_ptr<ReportListener> listener, lt::peer_connection_handle connection)
        : m_listener(std::move(listener)), m_connection(std::move(connection))
    {}

    void add_handshake(lt::entry& handshake) override { handshake["m"][report_key] = report_extension; }

    bool on_extension_handshake(const lt::bdecode_node& handshake) override
    {
        const auto address = m_connection.remote().address();
        m_origin = {
            address.to_string(), host_behind(handshake, address),
            listen_place(m_connection, static_cast<std::uint16_t>(handshake.dict_find_int_value("p")))};
        m_number = extension_id(handshake, report_key);
        return true;
    }

    bool on_extended(int length, int message, lt::span<const char> body) override
    {
        if (message != report_extension) {
            return false;
        }
        if (length < 0 || static_cast<std::size_t>(length) > most_report_bytes) {
            hang_up();
        } else if (body.size() >= length) {
            take(body);
        }
        return true;
    }

    void on_disconnect(const lt::error_code&) override
    {
        if (!m_id.empty()) {
            m_listener->left(std::exchange(m_id, {}));
        }
    }

    void tick() override { m_left = std::min(m_left + reports_a_second, reports_at_once); } // once a second

  private:
    void take(lt::span<const char> body)
    {
        const auto report = parse_report({body.data(), static_cast<std::size_t>(body.size())});
        const bool is_first = m_id.empty();
        if (!report || m_origin.host.empty() || m_left == 0 || (!is_first && report->id != m_id)) {
            hang_up();
            return;
        }
        --m_left;
        m_id = report->id;
        m_listener->reported(*report, m_origin, is_first);
        if (is_final(report->report.state) && m_number != 0) {
            std::string answer;
            put_extended(answer, m_number, encode_heard());
            m_connection.send_buffer(answer.data(), static_cast<int>(answer.size()));
        }
    }

    void hang_up()
    {
        m_connection.disconnect(make_error(PeerFault::reports_nonsense), lt::operation_t::bittorrent,
                                lt::peer_connection_interface::peer_error);
    }

    const std::shared_ptr<ReportListener> m_listener;
    lt::peer_connection_handle m_connection;
    ReportOrigin m_origin; // empty before its extension handshake
    int m_number = 0;      // the peer's number for answers; 0: not accepted
    std::string m_id;      // from its first report
    int m_left = reports_at_once;
};

} // namespace

void take_reports(lt::add_torrent_params& params, std::shared_ptr<ReportListener> listener)
{
    add_peer_plugins<TakerPeer>(params, std::move(listener));
}

} // namespace ezio
