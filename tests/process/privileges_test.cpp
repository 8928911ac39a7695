// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/process/privileges.hpp"

#include "expect_error.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ezio {

using test::refusal_of;

namespace {

// Whether `check` holds in a process of its own.
template <typename Check>
bool holds_in_child(Check check)
{
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        bool holds = false;
        try {
            holds = check();
        } catch (...) {
            holds = false;
        }
        ::_exit(holds ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool can_open_a_file_of_mode_0()
{
    // Mode 0 keeps out even the owner: only a capability opens it.
    char path[] = "/tmp/ezio-privileges-XXXXXX";
    const int made = ::mkstemp(path);
    const bool ready = made >= 0 && ::fchmod(made, 0) == 0 && ::close(made) == 0;
    const int fd = ready ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
    const bool could = fd >= 0 && ::close(fd) == 0;
    return ::unlink(path) == 0 && could;
}

} // namespace

TEST_CASE("privileges: a user that is not there is a usage error")
{
    const auto refusal = refusal_of([] { (void)find_user("no-such-user"); });
    CHECK(refusal.status == ExitStatus::usage);
    CHECK(refusal.message == "--user no-such-user: there is no such user");
}

TEST_CASE("privileges: what is given up is gone, and nothing executed gets it back")
{
    CHECK(holds_in_child([] {
        give_up_privileges(std::nullopt, {});
        return !can_open_a_file_of_mode_0() && ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
    }));
}

TEST_CASE("privileges: what is kept is still there")
{
    if (::geteuid() != 0) {
        WARN("skipped: needs root");
        return;
    }
    CHECK(holds_in_child([] {
        give_up_privileges(std::nullopt, {.open_any_file = true, .low_ports = false});
        return can_open_a_file_of_mode_0();
    }));
}

TEST_CASE("privileges: another user is nobody else, for good")
{
    if (::geteuid() != 0) {
        WARN("skipped: needs root");
        return;
    }
    const User nobody = find_user("nobody");
    CHECK(holds_in_child([&] {
        const gid_t other = 1;
        if (::setgroups(1, &other) != 0) {
            return false;
        }
        give_up_privileges(nobody, {});
        return ::getuid() == nobody.uid && ::geteuid() == nobody.uid && ::getegid() == nobody.gid &&
               ::getgroups(0, nullptr) == 0 && ::setuid(0) != 0;
    }));
}

} // namespace ezio
