// SPDX-License-Identifier: GPL-2.0-or-later
//
// The clients that report to a seeder (client_report.hpp): what each has said last, and what became of it.
//
// A client is known by the id in its reports, whatever its addresses and however often it connects. One that
// is started again has another id; it takes the place of an older one that is not here any more if it listens
// at the same place, or has the same address and writes to the same disk. A client that neither reports nor
// comes back is lost 30 s after its last report, unless that was its last word; it may still come back.
//
// What strangers say is bounded, and costs others nothing: of one address there are most_of_one_address
// clients at most, of which most_gone_of_one_address may have left without being complete. Those beyond are
// not kept.
#pragma once

#include "ezio/report/client_status.hpp"
#include "ezio/util/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace ezio {

// Where a report came from.
struct ReportOrigin {
    std::string host;   // the address that it has here
    std::string behind; // the one that it has itself, if that is another one (a router, a proxy)
    std::string place;  // where it listens: `host` with the port, or without where it does not say

    bool operator==(const ReportOrigin&) const = default;
};

// Not thread-safe.
class ReportingClients {
  public:
    static constexpr std::size_t most_clients = 10'000;
    static constexpr std::size_t most_of_one_address = 1000;
    static constexpr std::size_t most_gone_of_one_address = 64;
    static constexpr milliseconds lost_after{30'000};

    explicit ReportingClients(std::uint64_t total_bytes) : m_total_bytes(total_bytes) {}

    // The client `id` has said this, over a connection that is its first, or another one of it. Returns
    // whether it is kept.
    bool reported(const std::string& id, const ReportOrigin& origin, ClientReport report,
                  Clock::time_point now);

    // A connection begins and ends, over which reports of `id` come.
    void connected(const std::string& id);
    void left(const std::string& id);

    // All that are kept, in the order in which they came.
    [[nodiscard]] ClientList list(Clock::time_point now) const;

    struct Counts {
        unsigned complete = 0;
        unsigned in_progress = 0; // connected, and none of the others
        unsigned failed = 0;      // stopped and lost ones among them
        struct Slowest {
            std::string address;
            std::uint64_t done_bytes = 0;
        };
        std::optional<Slowest> slowest; // of those in progress: has done the least
    };
    [[nodiscard]] Counts count(Clock::time_point now) const;

  private:
    struct Client {
        std::string id;
        ReportOrigin origin;
        std::string address; // for people; no two have the same
        ClientReport report;
        Clock::time_point heard; // when it reported last
        unsigned connections = 0;
    };

    using Kept = std::list<Client>;

    [[nodiscard]] Client* find(const std::string& id);
    [[nodiscard]] const std::vector<Kept::iterator>& of_host(const std::string& host) const;
    void forget(Kept::iterator client);
    [[nodiscard]] bool is_here(const Client& client, Clock::time_point now) const;
    [[nodiscard]] ClientState state_of(const Client& client, Clock::time_point now) const;
    [[nodiscard]] std::string free_address(const ReportOrigin& origin) const;
    void make_room_for(const ReportOrigin& origin, const ClientReport& report, Clock::time_point now);
    [[nodiscard]] bool has_room_for(const ReportOrigin& origin) const;
    void forget_if_too_many(Kept::iterator client);

    const std::uint64_t m_total_bytes;
    Kept m_clients; // in the order in which they came
    std::unordered_map<std::string, Kept::iterator> m_by_id;
    std::unordered_map<std::string, std::vector<Kept::iterator>> m_by_host;
};

} // namespace ezio
