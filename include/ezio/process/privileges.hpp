// SPDX-License-Identifier: GPL-2.0-or-later
//
// Drops what a process that uses the network does not need. Once the target is open, nothing later needs
// root: reads, writes, syncs and discards use the open descriptor. So everything else is given up before the
// first packet, and threads started later have no more either.
//
// no_new_privs and capabilities belong to each thread, not to the process: a thread started before
// give_up_privileges() keeps what it had and has to be renewed (StopSignal::renew_thread). Such a thread must
// not have given up anything itself before: users and groups are changed for all threads at once, and the C
// library ends the process if that fails in one.
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

// Throws Error (ExitStatus::usage) when there is no such user, or this process may not become it.
[[nodiscard]] User find_user(const std::string& name);

// The powers of root that are needed until the end.
struct KeptPowers {
    bool open_any_file = false;     // for a directory of root whose files are opened on demand
    bool low_ports = false;         // listen on a port below 1024
    bool change_partitions = false; // of a disk: for a child that does nothing else
};

// Becomes `user` if given, drops all capabilities except the kept ones, and prevents gaining any by executing
// a program. Throws Error (ExitStatus::internal) when the kernel refuses.
void give_up_privileges(const std::optional<User>& user, KeptPowers kept);

} // namespace ezio
