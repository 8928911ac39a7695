// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/process/privileges.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/fd.hpp"

#include <functional>
#include <string>

#include <sys/types.h>

namespace ezio {

// A forked child and the socket between it and this process. In the child `pid` is 0. On failure `pid` is -1,
// and there is no socket.
struct ForkedChild {
    pid_t pid = -1;
    Fd socket{};
};

// `socket_type` as in socket(2): SOCK_STREAM, SOCK_SEQPACKET.
[[nodiscard]] ForkedChild fork_child(int socket_type);

// The first steps of a forked child: it gets a name, closes every descriptor except these two (which may be
// the same), and keeps only these powers. It ends if that fails. Allocates nothing.
void begin_child(const char* name, int one, int other, KeptPowers kept) noexcept;

// A child for work that may wait for a disk that never answers: the kernel does not end such a process. It is
// forked while there are privileges, and keeps the user but no capabilities.
class AskedChild {
  public:
    // When asked, the child calls answer(socket), which sends text, and ends. It may allocate: the C library
    // allows that in a forked process.
    AskedChild(const char* name, const std::function<void(int socket)>& answer);
    ~AskedChild(); // does not wait: a child that waits for a disk is abandoned
    AskedChild(const AskedChild&) = delete;
    AskedChild& operator=(const AskedChild&) = delete;

    struct Answer {
        std::string text{};      // empty if there is no child
        bool is_complete = true; // false: the child did not end in time
    };

    // To be called once. Returns after little more than `patience`, whatever hangs. Any thread.
    [[nodiscard]] Answer ask(milliseconds patience) const;

  private:
    ForkedChild m_child;
};

} // namespace ezio
