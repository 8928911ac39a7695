// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/watched_target.hpp"

#include <vector>

namespace ezio {

std::optional<IoFailure> WatchedTarget::read_at(std::uint64_t offset, std::span<iovec> parts)
{
    const DiskCalls::Call call(m_calls);
    if (m_replaced.empty()) {
        return m_target.read_at(offset, parts);
    }
    const std::vector<iovec> filled(parts.begin(), parts.end()); // `parts` is used up
    auto failed = m_target.read_at(offset, parts);
    if (!failed) {
        m_replaced.restore(offset, filled);
    }
    return failed;
}

std::optional<IoFailure> WatchedTarget::write_at(std::uint64_t offset, std::span<iovec> parts)
{
    const DiskCalls::Call call(m_calls);
    return m_target.write_at(offset, parts);
}

std::optional<IoFailure> WatchedTarget::write_behind(const Extent& span, std::uint64_t bytes)
{
    const DiskCalls::Call call(m_calls);
    return m_target.write_behind(span, bytes);
}

std::optional<IoFailure> WatchedTarget::sync()
{
    const DiskCalls::Call call(m_calls);
    return m_target.sync();
}

void WatchedTarget::prefetch(std::uint64_t offset, std::uint64_t length)
{
    const DiskCalls::Call call(m_calls);
    m_target.prefetch(offset, length);
}

void WatchedTarget::drop_cache()
{
    const DiskCalls::Call call(m_calls);
    m_target.drop_cache();
}

std::optional<IoFailure> WatchedTarget::discard(std::uint64_t offset, std::uint64_t length)
{
    const DiskCalls::Call call(m_calls);
    return m_target.discard(offset, length);
}

void WatchedTarget::with_descriptor(const std::function<void(int fd)>& use)
{
    const DiskCalls::Call call(m_calls);
    m_target.with_descriptor(use);
}

} // namespace ezio
