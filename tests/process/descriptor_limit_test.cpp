// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/process/descriptor_limit.hpp"

#include "expect_error.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ezio {

namespace {

// The soft limit after allow_descriptors_for() in a process that had `limit`; 0 when it was refused.
std::uint64_t limit_after(int max_peers, const rlimit& limit)
{
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::uint64_t result = 0;
        if (::setrlimit(RLIMIT_NOFILE, &limit) == 0 && (::geteuid() != 0 || ::setuid(65534) == 0)) {
            try {
                allow_descriptors_for(max_peers);
                rlimit now{};
                result = ::getrlimit(RLIMIT_NOFILE, &now) == 0 ? now.rlim_cur : 0;
            } catch (const Error&) {
                result = 0;
            }
        }
        ::_exit(::write(pipe_ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
    }
    std::uint64_t result = 0;
    CHECK(::read(pipe_ends[0], &result, sizeof result) == sizeof result);
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child);
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
    return result;
}

} // namespace

TEST_CASE("descriptor limit: the usual one is raised for the default number of peers")
{
    CHECK(descriptors_for(256) > 1024);
    CHECK(descriptors_for(256) < 4096);
    CHECK(limit_after(256, {1024, 4096}) == descriptors_for(256));
}

TEST_CASE("descriptor limit: one that is high enough stays as it is")
{
    CHECK(limit_after(1, {4000, 4096}) == 4000);
}

TEST_CASE("descriptor limit: one that cannot be raised so far is refused")
{
    CHECK(limit_after(256, {1024, 1024}) == 0);
}

} // namespace ezio
