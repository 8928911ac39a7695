// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/process/descriptor_limit.hpp"

#include "ezio/util/error.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <sys/resource.h>

namespace ezio {

std::uint64_t descriptors_for(int max_peers)
{
    // libtorrent uses 80 % of all but 20 descriptors for connections.
    const std::uint64_t for_peers = static_cast<std::uint64_t>(max_peers + spare_connections) * 5 / 4 + 64;
    return for_peers + std::min<std::uint64_t>(for_peers, 4096); // half for a directory, up to that many
}

void allow_descriptors_for(int max_peers)
{
    const std::uint64_t needed = descriptors_for(max_peers);
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) {
        return;
    }
    const rlimit raised{needed, std::max<rlim_t>(limit.rlim_max, needed)};
    if (::setrlimit(RLIMIT_NOFILE, &raised) != 0) {
        throw Error(
            ExitStatus::usage,
            fmt::format("--max-peers {}: that needs {} file descriptors, {} are allowed; see ulimit -n, or "
                        "LimitNOFILE= of systemd",
                        max_peers, needed, limit.rlim_max));
    }
}

} // namespace ezio
