// SPDX-License-Identifier: GPL-2.0-or-later
//
// libtorrent 2.0 waits for ever for a TLS handshake that somebody else has begun, and counts such a
// connection nowhere: 2,000 that say nothing took 85 KiB each and every descriptor, and no member of a
// private image could connect any more. This hangs up on those that take too long, and on the oldest when
// there are too many.
//
// libtorrent does not tell which they are. They are the process's connections that came to a port it listens
// on and are none of libtorrent's peers. A descriptor can be closed, and its number given to another
// connection, between the look at it and the hanging up; that peer would then have to connect once more.
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
    // An honest handshake takes milliseconds, libtorrent's own, after it, up to 10 s.
    static constexpr std::chrono::seconds patience{15};
    static constexpr std::size_t most_waiting = 128;

    struct Connection {
        int descriptor;
        Endpoint peer;
    };

    // `ports` are those that the process listens on.
    explicit TlsHandshakeGuard(std::set<std::uint16_t> ports);

    // Looks at most once a second. `peers` are libtorrent's.
    [[nodiscard]] bool is_time(Clock::time_point now) const
    {
        return now - m_last_look >= std::chrono::seconds(1);
    }
    void look(Clock::time_point now, const std::set<Endpoint>& peers);

    // The descriptors to hang up on, when `connections` are there now.
    [[nodiscard]] std::vector<int> choose(Clock::time_point now, const std::vector<Connection>& connections,
                                          const std::set<Endpoint>& peers);

  private:
    struct Close {
        void operator()(DIR* directory) const { ::closedir(directory); }
    };

    [[nodiscard]] std::vector<Connection> connections() const;

    const std::set<std::uint16_t> m_ports;
    const std::unique_ptr<DIR, Close> m_descriptors; // opened while there are some to be had; may be missing
    std::map<Endpoint, Clock::time_point> m_waiting; // since when
    Clock::time_point m_last_look{};
};

} // namespace ezio
