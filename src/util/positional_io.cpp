// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/positional_io.hpp"

#include "ezio/util/error.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <numeric>

namespace ezio {

namespace {

// Drops the first `bytes` of `parts`.
void drop_front(std::span<iovec>& parts, std::size_t bytes)
{
    while (!parts.empty() && bytes >= parts.front().iov_len) {
        bytes -= parts.front().iov_len;
        parts = parts.subspan(1);
    }
    if (bytes > 0) {
        parts.front().iov_base = static_cast<std::byte*>(parts.front().iov_base) + bytes;
        parts.front().iov_len -= bytes;
    }
}

// `call` is preadv or pwritev; `at_zero` is the result for a transfer of nothing.
template <typename Call>
int transfer_fully(Call call, int fd, std::span<iovec> parts, std::uint64_t offset, int at_zero)
{
    drop_front(parts, 0);
    while (!parts.empty()) {
        const int count = static_cast<int>(std::min<std::size_t>(parts.size(), IOV_MAX));
        const ssize_t done = call(fd, parts.data(), count, static_cast<off_t>(offset));
        if (done < 0 && errno != EINTR) {
            return errno;
        }
        if (done == 0) {
            return at_zero;
        }
        if (done > 0) {
            drop_front(parts, static_cast<std::size_t>(done));
            offset += static_cast<std::uint64_t>(done);
        }
    }
    return 0;
}

} // namespace

std::uint64_t total_bytes(std::span<const iovec> parts)
{
    return std::accumulate(parts.begin(), parts.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const iovec& part) { return sum + part.iov_len; });
}

std::vector<iovec> take_front(std::span<iovec>& parts, std::uint64_t bytes)
{
    std::vector<iovec> front;
    std::uint64_t left = bytes;
    for (const iovec& part : parts) {
        if (left == 0) {
            break;
        }
        front.push_back({part.iov_base, std::min<std::size_t>(part.iov_len, left)});
        left -= front.back().iov_len;
    }
    drop_front(parts, bytes);
    return front;
}

int read_fully(int fd, std::span<iovec> parts, std::uint64_t offset)
{
    return transfer_fully(::preadv, fd, parts, offset, end_of_file);
}

int write_fully(int fd, std::span<iovec> parts, std::uint64_t offset)
{
    return transfer_fully(::pwritev, fd, parts, offset, ENOSPC);
}

} // namespace ezio
