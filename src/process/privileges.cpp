// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/process/privileges.hpp"

#include "ezio/util/error.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ezio {

namespace {

using CapabilitySet = std::uint64_t; // a bit for each

constexpr CapabilitySet bit(int capability)
{
    return 1ULL << capability;
}

// Reduces the calling thread's capabilities to these. Returns 0 or errno.
int set_capabilities(CapabilitySet wanted) noexcept
{
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    if (::syscall(SYS_capget, &header, sets.data()) != 0) {
        return errno;
    }
    for (std::size_t i = 0; i < sets.size(); ++i) {
        const auto mask = static_cast<std::uint32_t>(wanted >> 32 * i);
        sets[i].permitted &= mask;
        sets[i].effective = sets[i].permitted;
        sets[i].inheritable = 0;
    }
    return ::syscall(SYS_capset, &header, sets.data()) == 0 ? 0 : errno;
}

void throw_unless(bool done, const char* what)
{
    if (!done) {
        throw Error(ExitStatus::internal,
                    fmt::format("giving up privileges: {}: {}", what, errno_text(errno)));
    }
}

void become(const User& user)
{
    throw_unless(::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0, "prctl");
    throw_unless(::setgroups(0, nullptr) == 0, "setgroups");
    throw_unless(::setgid(user.gid) == 0, "setgid");
    throw_unless(::setuid(user.uid) == 0, "setuid");
}

} // namespace

User find_user(const std::string& name)
{
    errno = 0;
    const passwd* entry = ::getpwnam(name.c_str());
    if (entry == nullptr) {
        throw Error(ExitStatus::usage, fmt::format("--user {}: {}", name,
                                                   errno == 0 ? "there is no such user" : errno_text(errno)));
    }
    if (::geteuid() != 0 && ::geteuid() != entry->pw_uid) {
        throw Error(ExitStatus::usage, fmt::format("--user {}: only root can become another user", name));
    }
    return {name, entry->pw_uid, entry->pw_gid};
}

void give_up_privileges(const std::optional<User>& user, KeptPowers kept)
{
    if (user && ::geteuid() == 0) {
        become(*user);
    }
    const CapabilitySet capabilities =
        (kept.open_any_file ? bit(CAP_DAC_OVERRIDE) | bit(CAP_DAC_READ_SEARCH) : 0) |
        (kept.low_ports ? bit(CAP_NET_BIND_SERVICE) : 0) | (kept.change_partitions ? bit(CAP_SYS_ADMIN) : 0);
    errno = set_capabilities(capabilities);
    throw_unless(errno == 0, "capset");
    throw_unless(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "prctl");
}

} // namespace ezio
