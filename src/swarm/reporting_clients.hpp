// SPDX-License-Identifier: GPL-2.0-or-later
//
// The clients that report to a seeder (client_report.hpp): the last report and the state of each.
//
// A client is identified by the id in its reports, whatever its addresses and however often it connects. A
// restarted one has another id; it replaces an older one that is gone if it listens at the same place, or has
// the same address and writes to the same disk. A client that neither reports nor returns is lost 30 s after
// its last report, unless that was final; it may still return.
//
// Reports of strangers are bounded and cost others nothing: at most most_of_one_address clients are kept for
// each address, of which at most most_gone_of_one_address may have left incomplete.
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
    std::string host;   // as seen from here
    std::string behind; // its own, if that differs (behind a router or a proxy)
    std::string place;  // where it listens: `host` with the port, if it names one

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

    // A report of the client `id`, over its first or another connection. Returns whether the client is kept.
    bool reported(const std::string& id, const ReportOrigin& origin, ClientReport report,
                  Clock::time_point now);

    // A connection over which reports of `id` arrive begins, and ends.
    void connected(const std::string& id);
    void left(const std::string& id);

    // All kept clients, in order of arrival.
    [[nodiscard]] ClientList list(Clock::time_point now) const;

    struct Counts {
        unsigned complete = 0;
        unsigned in_progress = 0; // connected, and in no other state
        unsigned failed = 0;      // including stopped and lost ones
        struct Slowest {
            std::string address;
            std::uint64_t done_bytes = 0;
        };
        std::optional<Slowest> slowest; // of those in progress: the one with the least done
    };
    [[nodiscard]] Counts count(Clock::time_point now) const;

  private:
    struct Client {
        std::string id;
        ReportOrigin origin;
        std::string address; // for display; unique
        ClientReport report;
        Clock::time_point heard; // the time of its last report
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
