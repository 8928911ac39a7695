// SPDX-License-Identifier: GPL-2.0-or-later
//
// Disconnects incoming connections that do not finish their TLS handshake: those that take too long, and the
// oldest when there are too many. libtorrent 2.0 waits forever for such a handshake and does not count the
// connection: 2,000 silent ones took 85 KiB each and every descriptor, and no member of a private image could
// connect any more.
//
// libtorrent does not tell which connections these are. They are the process's connections to one of its
// listening ports that are not libtorrent's peers. Between the check and the disconnect, a descriptor can be
// closed and its number reused for another connection; that peer then has to connect again.
#pragma once

#include "ezio/net/addresses.hpp"
#include "ezio/util/clock.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include <dirent.h>

namespace ezio {

class TlsHandshakeGuard {
  public:
    // An honest handshake takes milliseconds; libtorrent's own one, after it, up to 10 s.
    static constexpr std::chrono::seconds patience{15};
    static constexpr std::size_t most_waiting = 128;

    struct Connection {
        int descriptor;
        Endpoint peer;
    };

    // `ports` are the process's listening ports.
    explicit TlsHandshakeGuard(std::set<std::uint16_t> ports);

    // At most once a second. `peers` are libtorrent's.
    [[nodiscard]] bool is_time(Clock::time_point now) const
    {
        return now - m_last_look >= std::chrono::seconds(1);
    }
    void look(Clock::time_point now, const std::set<Endpoint>& peers);

    // The descriptors to disconnect, given the current `connections`.
    [[nodiscard]] std::vector<int> choose(Clock::time_point now, const std::vector<Connection>& connections,
                                          const std::set<Endpoint>& peers);

  private:
    struct Close {
        void operator()(DIR* directory) const { ::closedir(directory); }
    };

    [[nodiscard]] std::vector<Connection> connections() const;

    const std::set<std::uint16_t> m_ports;
    const std::unique_ptr<DIR, Close> m_descriptors; // opened while descriptors are available; may be null
    std::map<Endpoint, Clock::time_point> m_waiting; // with the time since which they wait
    Clock::time_point m_last_look{};
};

} // namespace ezio
