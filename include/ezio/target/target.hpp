// SPDX-License-Identifier: GPL-2.0-or-later
//
// The place that holds, or will hold, the image's bytes: a block device, a raw image file, or a directory
// with one file per extent. Offsets are always offsets on the device that the image describes; each kind
// translates them. The kind of a path is determined by stat(2), never by a flag.
#pragma once

#include "ezio/image/image.hpp"
#include "ezio/process/disk_calls.hpp"
#include "ezio/target/page_cache.hpp"
#include "ezio/target/replaced_bytes.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <sys/uio.h>

namespace ezio {

// The most bytes in write-back to a device or an image file; see Target::write_behind. Enough to keep any
// disk busy, and written by the slowest in less than a second.
inline constexpr std::uint64_t write_behind_limit = 32 << 20;

// Reads and writes retry EINTR and short transfers, and may be called from several threads at once.
// A failure is returned with path, offset, length and errno; an unknown part may have been transferred.
class Target {
  public:
    virtual ~Target() = default;

    // From now on counts in `calls` the calls that have not returned. To be called before the first of them.
    void watch(DiskCalls& calls) { m_calls = &calls; }

    // Reads into the parts, one after the other, from `offset` on. The array's contents are unspecified
    // afterwards. A device that ends before the last byte is a failure.
    [[nodiscard]] std::optional<IoFailure> read_at(std::uint64_t offset, std::span<iovec> parts);
    [[nodiscard]] std::optional<IoFailure> read_at(std::uint64_t offset, std::span<std::byte> data);

    // Writes the parts, one after the other, from `offset` on. The array's contents are unspecified
    // afterwards. In a directory it also starts write-back of large writes to one file, and may return the
    // failure of that.
    [[nodiscard]] std::optional<IoFailure> write_at(std::uint64_t offset, std::span<iovec> parts);
    [[nodiscard]] std::optional<IoFailure> write_at(std::uint64_t offset, std::span<const std::byte> data);

    // Starts write-back of `span`, in which `bytes` were written, and waits for the oldest write-backs, so
    // that at most write_behind_limit bytes are in progress. Does nothing in a directory: write_at starts
    // what is worthwhile, and the kernel controls the amount.
    // Returns the failure of a write-back, which the kernel reports once: the medium does not hold the
    // written data.
    [[nodiscard]] std::optional<IoFailure> write_behind(const Extent& span, std::uint64_t bytes);

    // Returns when everything written through this object is on the medium, or the failure.
    [[nodiscard]] std::optional<IoFailure> sync();

    // Hints the kernel to read [offset, offset + length) into its cache. Does not wait.
    void prefetch(std::uint64_t offset, std::uint64_t length);

    // Asks the kernel to drop its cache, so that the next reads come from the medium. Call it after sync().
    // Best effort, so there is no result.
    void drop_cache();

    // The part of the target that can be discarded, and the alignment. Empty if nothing can. Throws Error
    // (ExitStatus::io) when a device does not answer.
    struct DiscardGeometry {
        std::uint64_t size;      // bytes
        std::uint64_t alignment; // bytes
    };
    [[nodiscard]] virtual std::optional<DiscardGeometry> discard_geometry() const { return std::nullopt; }

    // Discards [offset, offset + length); later reads there are unspecified. Both must be multiples of the
    // alignment.
    [[nodiscard]] std::optional<IoFailure> discard(std::uint64_t offset, std::uint64_t length);

    // The size of the device or image file in bytes. Empty for a directory, and if unknown.
    [[nodiscard]] virtual std::optional<std::uint64_t> size() const { return std::nullopt; }

    // Calls `use` with the target's descriptor, to examine the device or file as a whole. Not called for a
    // directory, which has none.
    void with_descriptor(const std::function<void(int fd)>& use);

    // The image's bytes that were overwritten later. read_at still returns the image's bytes.
    [[nodiscard]] ReplacedBytes& replaced() { return m_replaced; }

    // Whether the kernel keeps read and written data in its cache.
    [[nodiscard]] virtual PageCache page_cache() const { return PageCache::keep; }

    // Whether it is on a rotating disk, on which a single writer is best.
    [[nodiscard]] virtual bool is_rotational() const = 0;

    // The user's name for it.
    [[nodiscard]] virtual const std::string& path() const = 0;

    // What could not be verified when it was opened, as a sentence for the user; empty: nothing.
    [[nodiscard]] virtual std::string doubt() const { return {}; }

  private:
    // The implementation of the function with the same name.
    [[nodiscard]] virtual std::optional<IoFailure> do_read_at(std::uint64_t offset,
                                                              std::span<iovec> parts) = 0;
    [[nodiscard]] virtual std::optional<IoFailure> do_write_at(std::uint64_t offset,
                                                               std::span<iovec> parts) = 0;
    [[nodiscard]] virtual std::optional<IoFailure> do_write_behind(const Extent& span,
                                                                   std::uint64_t bytes) = 0;
    [[nodiscard]] virtual std::optional<IoFailure> do_sync() = 0;
    virtual void do_prefetch(std::uint64_t /*offset*/, std::uint64_t /*length*/) {}
    virtual void do_drop_cache() = 0;
    [[nodiscard]] virtual std::optional<IoFailure> do_discard(std::uint64_t offset, std::uint64_t length);
    virtual void do_with_descriptor(const std::function<void(int fd)>& /*use*/) {}

    DiskCalls* m_calls = nullptr; // null: not counted
    ReplacedBytes m_replaced;
};

enum class Access { read_only, read_write };

// Opens `path` for this image, after all checks that are possible before the first write. With a `serial`,
// everything is refused except a block device of a disk with that serial number or world wide name.
// read_write creates a missing image file (not below /dev), and the files of a directory. A block device is
// opened with O_EXCL, so that a mounted or otherwise claimed one is refused, and what is below it is claimed,
// too (see target_claims.hpp). An image file that is mounted through a loop device is refused, and so is a
// file or directory that another process writes. Throws Error: ExitStatus::target with the reason,
// ExitStatus::io when the checks themselves fail.
[[nodiscard]] std::unique_ptr<Target> open_target(const std::string& path, Access access, const Image& image,
                                                  const std::string& serial = {});

} // namespace ezio
