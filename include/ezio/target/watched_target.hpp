// SPDX-License-Identifier: GPL-2.0-or-later
//
// A target whose calls are known while they have not returned. Its readers get the image, also where that was
// replaced since.
#pragma once

#include "ezio/process/disk_calls.hpp"
#include "ezio/target/replaced_bytes.hpp"
#include "ezio/target/target.hpp"

namespace ezio {

// Passes everything on to another target. Any thread.
class WatchedTarget final : public Target {
  public:
    WatchedTarget(Target& target, DiskCalls& calls) : m_target(target), m_calls(calls) {}

    // What was written over the image, by whoever does that.
    [[nodiscard]] ReplacedBytes& replaced() { return m_replaced; }

    using Target::read_at;
    using Target::write_at;
    std::optional<IoFailure> read_at(std::uint64_t offset, std::span<iovec> parts) override;
    std::optional<IoFailure> write_at(std::uint64_t offset, std::span<iovec> parts) override;
    std::optional<IoFailure> write_behind(const Extent& span, std::uint64_t bytes) override;
    std::optional<IoFailure> sync() override;
    void prefetch(std::uint64_t offset, std::uint64_t length) override;
    void drop_cache() override;
    std::optional<DiscardGeometry> discard_geometry() const override { return m_target.discard_geometry(); }
    std::optional<IoFailure> discard(std::uint64_t offset, std::uint64_t length) override;
    std::optional<std::uint64_t> size() const override { return m_target.size(); }
    void with_descriptor(const std::function<void(int fd)>& use) override;
    PageCache page_cache() const override { return m_target.page_cache(); }
    bool is_rotational() const override { return m_target.is_rotational(); }
    const std::string& path() const override { return m_target.path(); }

  private:
    Target& m_target;
    DiskCalls& m_calls;
    ReplacedBytes m_replaced;
};

} // namespace ezio
