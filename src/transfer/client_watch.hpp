// SPDX-License-Identifier: GPL-2.0-or-later
//
// Changes among a seeder's clients, and the summary when it leaves: without a session.
#pragma once

#include "ezio/report/client_status.hpp"

#include <map>
#include <string>

namespace ezio {

// Not thread-safe.
class ClientWatch {
  public:
    // The clients that are new in the list, or whose state has changed since the last one.
    [[nodiscard]] ClientList observe(const ClientList& clients);

  private:
    struct Known {
        ClientState state;
        std::string target; // a restarted client at the same address may have another one
        bool operator==(const Known&) const = default;
    };
    std::map<std::string, Known> m_known; // by address
};

// "2 of 4 clients are complete: pc3 (/dev/sda) failed at 61.3 %: No space left on device; pc5 (/dev/sda) lost
// at 20.0 %; 1 has not connected": for the end of a sentence. `complete` is at least the number of complete
// clients in the list.
[[nodiscard]] std::string describe_clients(unsigned complete, unsigned wanted, ClientList clients);

} // namespace ezio
