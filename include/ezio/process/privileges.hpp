// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a process that talks to the network does not need. Once the target is open, nothing that comes later
// needs root: reads, writes, syncs and discards go through the descriptor that is there. So the rest is given
// up before the first packet, and every thread that starts afterwards has no more.
//
// no_new_privs and capabilities belong to each thread, not to the process: a thread that is older than
// give_up_privileges() keeps what it had, and has to be renewed (StopSignal::renew_thread). It must not have
// given up anything by itself before: users and groups change for all threads at once, or the C library ends
// the process.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

namespace ezio {

struct User {
    std::string name;
    uid_t uid;
    gid_t gid;
};

// Throws Error (ExitStatus::usage) when there is no such user, or this process cannot become it.
[[nodiscard]] User find_user(const std::string& name);

// Of root's powers, the ones that are needed until the end.
struct KeptPowers {
    bool open_any_file = false;     // a directory of root whose files are opened as they are needed
    bool low_ports = false;         // a port below 1024 to listen on
    bool change_partitions = false; // of a disk: for a child that does nothing else
};

// Becomes `user` if there is one, drops all capabilities but the kept ones, and can gain none by executing
// something. Throws Error (ExitStatus::internal) when the kernel refuses.
void give_up_privileges(const std::optional<User>& user, KeptPowers kept);

} // namespace ezio
