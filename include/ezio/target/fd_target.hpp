// SPDX-License-Identifier: GPL-2.0-or-later
//
// The two targets with a single descriptor: a block device and a raw image file. They differ in the checks at
// opening, not in how they are read and written.
#pragma once

#include "ezio/target/page_cache.hpp"
#include "ezio/target/target.hpp"
#include "ezio/target/target_claims.hpp"
#include "ezio/target/write_behind.hpp"
#include "ezio/util/fd.hpp"
#include "ezio/util/mutex.hpp"

namespace ezio {

class FdTarget : public Target {
  public:
    // `claims` are kept. `file_bytes` is for a file that is written: at the end it must not be shorter or
    // have another name.
    FdTarget(Fd fd, std::string path, PageCache page_cache, Claims claims = {},
             std::optional<std::uint64_t> file_bytes = std::nullopt)
        : m_fd(std::move(fd)), m_path(std::move(path)), m_page_cache(page_cache), m_claims(std::move(claims)),
          m_file_bytes(file_bytes)
    {}

    std::optional<DiscardGeometry> discard_geometry() const override;
    std::optional<std::uint64_t> size() const override;
    PageCache page_cache() const override { return m_page_cache; }
    bool is_rotational() const override;
    const std::string& path() const override { return m_path; }
    std::string doubt() const override { return m_claims.doubt; }

  private:
    std::optional<IoFailure> do_read_at(std::uint64_t offset, std::span<iovec> parts) override;
    std::optional<IoFailure> do_write_at(std::uint64_t offset, std::span<iovec> parts) override;
    std::optional<IoFailure> do_write_behind(const Extent& span, std::uint64_t bytes) override;
    std::optional<IoFailure> do_sync() override;
    void do_prefetch(std::uint64_t offset, std::uint64_t length) override;
    void do_drop_cache() override;
    std::optional<IoFailure> do_discard(std::uint64_t offset, std::uint64_t length) override;
    void do_with_descriptor(const std::function<void(int fd)>& use) override { use(m_fd.get()); }

    void drop_used(std::uint64_t offset, std::uint64_t length) const;
    [[nodiscard]] std::optional<IoFailure> sync_range(const Extent& range, unsigned flags);
    [[nodiscard]] std::optional<IoFailure> find() const;

    const Fd m_fd;
    const std::string m_path;
    const PageCache m_page_cache;
    const Claims m_claims;
    const std::optional<std::uint64_t> m_file_bytes;
    Mutex m_mutex;
    WriteBehind m_behind GUARDED_BY(m_mutex){write_behind_limit};
};

// Both throw Error as open_target does. Until then they change nothing, except that open_image_file with
// Access::read_write creates and extends the (sparse) file.
[[nodiscard]] std::unique_ptr<Target> open_block_device(const std::string& path, Access access,
                                                        const Image& image);
[[nodiscard]] std::unique_ptr<Target> open_image_file(const std::string& path, Access access,
                                                      const Image& image);

} // namespace ezio
