// SPDX-License-Identifier: GPL-2.0-or-later
//
// All clients of a seeder: those that report, and those known only by the pieces that they announce.
#pragma once

#include "ezio/report/client_status.hpp"
#include "ezio/swarm/client_registry.hpp"
#include "ezio/util/mutex.hpp"
#include "report_taker.hpp"
#include "reporting_clients.hpp"

#include <cstdint>
#include <string>

namespace ezio {

// Any thread.
class SwarmClients final : public ReportListener {
  public:
    SwarmClients(std::uint32_t pieces, std::uint64_t piece_length, std::uint64_t total_bytes)
        : m_piece_length(piece_length), m_total_bytes(total_bytes), m_announcing(pieces),
          m_reporting(total_bytes)
    {}

    // --- those that announce; see ClientRegistry ---

    [[nodiscard]] std::string name_of(const std::string& process, const std::string& address,
                                      const std::string& behind);
    [[nodiscard]] std::string name_of_other(const std::string& peer_id, const std::string& address,
                                            std::uint32_t pieces);
    void has(const std::string& client, std::uint32_t pieces);
    void gone(const std::string& client);
    void sent_away(const std::string& address);
    [[nodiscard]] bool has_seen(const std::string& client) const;

    // --- those that report ---

    void reported(const IdentifiedReport& report, const ReportOrigin& origin, bool is_first) override;
    void left(const std::string& id) override;

    // --- both ---

    [[nodiscard]] Clients count() const;
    [[nodiscard]] ClientList list() const; // those that report in order of arrival, then the others

  private:
    const std::uint64_t m_piece_length;
    const std::uint64_t m_total_bytes;
    mutable Mutex m_mutex;
    ClientRegistry m_announcing GUARDED_BY(m_mutex);
    ReportingClients m_reporting GUARDED_BY(m_mutex);
};

} // namespace ezio
