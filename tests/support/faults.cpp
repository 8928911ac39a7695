// SPDX-License-Identifier: GPL-2.0-or-later
#include "faults.hpp"

#include "ezio/util/positional_io.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <mutex>
#include <stdexcept>

#include <dlfcn.h>
#include <sys/uio.h>

namespace ezio::test {

namespace {

struct Plan {
    std::mutex mutex;
    std::deque<Fault> faults;
    std::size_t calls = 0;
};

Plan& plan_of(Call call)
{
    static std::array<Plan, 6> plans;
    return plans[static_cast<std::size_t>(call)];
}

std::optional<Fault> next_fault(Call call)
{
    Plan& plan = plan_of(call);
    const std::lock_guard lock(plan.mutex);
    ++plan.calls;
    if (plan.faults.empty()) {
        return std::nullopt;
    }
    const Fault fault = plan.faults.front();
    plan.faults.pop_front();
    return fault;
}

void set_plan(Call call, std::vector<Fault> faults)
{
    Plan& plan = plan_of(call);
    const std::lock_guard lock(plan.mutex);
    plan.faults.assign(faults.begin(), faults.end());
    plan.calls = 0;
}

// The C library's own function.
template <typename Function>
Function* next_definition(const char* name)
{
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

using Transfer = ssize_t(int, const iovec*, int, off_t);

ssize_t transfer(Call call, Transfer* real, int fd, const iovec* parts, int count, off_t offset)
{
    const auto fault = next_fault(call);
    if (!fault) {
        return real(fd, parts, count, offset);
    }
    if (fault->error != 0) {
        errno = fault->error;
        return -1;
    }
    std::vector<iovec> copy(parts, parts + count);
    std::span<iovec> rest(copy);
    const auto front = take_front(rest, std::min<std::uint64_t>(fault->at_most, total_bytes(rest)));
    return real(fd, front.data(), static_cast<int>(front.size()), offset);
}

} // namespace

FaultyCalls::FaultyCalls(Call call, std::vector<Fault> faults) : m_call(call)
{
    set_plan(call, std::move(faults));
}

FaultyCalls::~FaultyCalls()
{
    set_plan(m_call, {});
}

std::size_t FaultyCalls::calls() const
{
    Plan& plan = plan_of(m_call);
    const std::lock_guard lock(plan.mutex);
    return plan.calls;
}

FileSizeLimit::FileSizeLimit(rlim_t bytes) : m_handler_before(::signal(SIGXFSZ, SIG_IGN))
{
    if (::getrlimit(RLIMIT_FSIZE, &m_before) != 0) {
        throw std::runtime_error("getrlimit failed");
    }
    const rlimit limit{bytes, m_before.rlim_max};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        throw std::runtime_error("setrlimit failed");
    }
}

FileSizeLimit::~FileSizeLimit()
{
    (void)::setrlimit(RLIMIT_FSIZE, &m_before);
    (void)::signal(SIGXFSZ, m_handler_before);
}

Unprivileged::Unprivileged()
{
    constexpr uid_t nobody = 65534;
    if (m_before == 0 && ::seteuid(nobody) != 0) {
        throw std::runtime_error("seteuid failed");
    }
}

Unprivileged::~Unprivileged()
{
    if (::seteuid(m_before) != 0) {
        ::abort(); // the tests that follow would mean nothing
    }
}

} // namespace ezio::test

extern "C" {

ssize_t preadv(int fd, const iovec* parts, int count, off_t offset)
{
    static auto* const real = ezio::test::next_definition<ezio::test::Transfer>("preadv");
    return ezio::test::transfer(ezio::test::Call::preadv, real, fd, parts, count, offset);
}

ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset)
{
    static auto* const real = ezio::test::next_definition<ezio::test::Transfer>("pwritev");
    return ezio::test::transfer(ezio::test::Call::pwritev, real, fd, parts, count, offset);
}

int fsync(int fd)
{
    static auto* const real = ezio::test::next_definition<int(int)>("fsync");
    if (const auto fault = ezio::test::next_fault(ezio::test::Call::fsync); fault && fault->error != 0) {
        errno = fault->error;
        return -1;
    }
    return real(fd);
}

int syncfs(int fd) noexcept
{
    static auto* const real = ezio::test::next_definition<int(int)>("syncfs");
    if (const auto fault = ezio::test::next_fault(ezio::test::Call::syncfs); fault && fault->error != 0) {
        errno = fault->error;
        return -1;
    }
    return real(fd);
}

int sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags)
{
    static auto* const real =
        ezio::test::next_definition<int(int, off64_t, off64_t, unsigned)>("sync_file_range");
    const auto fault = ezio::test::next_fault(ezio::test::Call::sync_file_range);
    if (fault && fault->error != 0) {
        errno = fault->error;
        return -1;
    }
    return real(fd, offset, length, flags);
}

int close(int fd)
{
    static auto* const real = ezio::test::next_definition<int(int)>("close");
    const auto fault = ezio::test::next_fault(ezio::test::Call::close);
    const int result = real(fd);
    if (fault && fault->error != 0) {
        errno = fault->error;
        return -1;
    }
    return result;
}

} // extern "C"
