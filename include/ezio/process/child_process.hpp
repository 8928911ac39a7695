// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/process/privileges.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/fd.hpp"

#include <functional>
#include <string>

#include <sys/types.h>

namespace ezio {

// A copy of this process and the socket between the two. In the child `pid` is 0; where there is none it is
// -1, and there is no socket.
struct ForkedChild {
    pid_t pid = -1;
    Fd socket{};
};

// `socket_type` as of socket(2): SOCK_STREAM, SOCK_SEQPACKET.
[[nodiscard]] ForkedChild fork_child(int socket_type);

// What a child begins with that was just forked: it gets a name, closes every descriptor but these two, which
// may be the same, and keeps no powers but these; where it cannot, it ends. Allocates nothing.
void begin_child(const char* name, int one, int other, KeptPowers kept) noexcept;

// A child for what may wait for a disk that never answers: the kernel lets no process go that does. It is
// made while there are privileges, and has the user and no capabilities.
class AskedChild {
  public:
    // Once asked, the child calls answer(socket), which sends text, and ends. It may allocate: the C library
    // lets a forked process do so.
    AskedChild(const char* name, const std::function<void(int socket)>& answer);
    ~AskedChild(); // at once: one that waits for a disk is left to itself
    AskedChild(const AskedChild&) = delete;
    AskedChild& operator=(const AskedChild&) = delete;

    struct Answer {
        std::string text{};      // empty where there is no child
        bool is_complete = true; // false: the child has not ended in time
    };

    // Once. Returns in a little more than `patience`, whatever hangs. Any thread.
    [[nodiscard]] Answer ask(milliseconds patience) const;

  private:
    ForkedChild m_child;
};

} // namespace ezio
