// SPDX-License-Identifier: GPL-2.0-or-later
//
// The place that holds, or will hold, the image's bytes: a block device, a raw image file, or a directory
// with one file per extent. Offsets are always offsets on the device that the image describes; each kind
// knows what to do with them. Which kind a path means is found out by stat(2), never by a flag.
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

// Bytes written and on their way to a device or an image file, at most; see Target::write_behind. Enough to
// keep any disk busy, and written by the slowest in less than a second.
inline constexpr std::uint64_t write_behind_limit = 32 << 20;

// Reads and writes retry EINTR and short transfers, and are safe from any number of threads at once.
// A failure is returned, with path, offset, length and errno; an unknown part may have been done by then.
class Target {
  public:
    virtual ~Target() = default;

    // Counts in `calls` what has been called and has not returned, from now on. Before the first of the
    // calls.
    void watch(DiskCalls& calls) { m_calls = &calls; }

    // Fills the parts, one after the other, from `offset` on. They are used up: the array's contents are
    // unspecified afterwards. The end of the device before the last byte is a failure.
    [[nodiscard]] std::optional<IoFailure> read_at(std::uint64_t offset, std::span<iovec> parts);
    [[nodiscard]] std::optional<IoFailure> read_at(std::uint64_t offset, std::span<std::byte> data);

    // Writes the parts, one after the other, from `offset` on. They are used up as in read_at. In a directory
    // it also starts to write to the medium what is large in one file, and may return that failure.
    [[nodiscard]] std::optional<IoFailure> write_at(std::uint64_t offset, std::span<iovec> parts);
    [[nodiscard]] std::optional<IoFailure> write_at(std::uint64_t offset, std::span<const std::byte> data);

    // Starts to write `span`, in which `bytes` were written, to the medium, and waits for what was started
    // long before, so that no more than write_behind_limit bytes are on their way. Nothing is left to do in a
    // directory: write_at has started what is worth it, and how much is on its way is the kernel's business.
    // Returns the failure of a write-back, which the kernel tells once: the medium does not hold what was
    // written.
    [[nodiscard]] std::optional<IoFailure> write_behind(const Extent& span, std::uint64_t bytes);

    // Returns when everything written through this object is on the medium, or says what is not.
    [[nodiscard]] std::optional<IoFailure> sync();

    // Has the kernel begin to read [offset, offset + length) into its cache, without waiting. Only a hint.
    void prefetch(std::uint64_t offset, std::uint64_t length);

    // Has the kernel forget what it has cached, so that the next reads come from the medium. After sync();
    // as far as the kernel likes, so there is nothing to report.
    void drop_cache();

    // What of it can be discarded, and in multiples of what. Empty when nothing can. Throws Error
    // (ExitStatus::io) when a device does not say.
    struct DiscardGeometry {
        std::uint64_t size;      // bytes
        std::uint64_t alignment; // bytes
    };
    [[nodiscard]] virtual std::optional<DiscardGeometry> discard_geometry() const { return std::nullopt; }

    // Gives [offset, offset + length) back to the device; what is read there later is unspecified. Both are
    // multiples of the alignment.
    [[nodiscard]] std::optional<IoFailure> discard(std::uint64_t offset, std::uint64_t length);

    // Bytes of the device or image file. Empty in a directory, and where the kernel does not say.
    [[nodiscard]] virtual std::optional<std::uint64_t> size() const { return std::nullopt; }

    // Calls `use` with the descriptor that everything goes through, for what only a descriptor will do: looks
    // at the device or file as a whole. Not called in a directory, which has none.
    void with_descriptor(const std::function<void(int fd)>& use);

    // What was written over the image, by whoever does that. read_at returns the image's bytes all the same.
    [[nodiscard]] ReplacedBytes& replaced() { return m_replaced; }

    // What becomes of the kernel's copy of what is read and written.
    [[nodiscard]] virtual PageCache page_cache() const { return PageCache::keep; }

    // Whether it is on a rotating disk, which is best left to one writer at a time.
    [[nodiscard]] virtual bool is_rotational() const = 0;

    // What the user called it.
    [[nodiscard]] virtual const std::string& path() const = 0;

    // What could not be made sure of when it was opened, a sentence for the user; empty: nothing.
    [[nodiscard]] virtual std::string doubt() const { return {}; }

  private:
    // What each kind does for the call of the same name.
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

    DiskCalls* m_calls = nullptr; // null: nobody wants to know
    ReplacedBytes m_replaced;
};

enum class Access { read_only, read_write };

// Opens what `path` is for this image, after every check that can be made before the first byte. With a
// `serial`, anything but a block device of a disk with that serial number or world wide name is refused.
// read_write creates a missing image file (not under /dev), and the files of a directory. A block device is
// opened O_EXCL, so that a mounted or otherwise held one is refused, and what it lies on is claimed, too (see
// target_claims.hpp); an image file that is mounted by way of a loop device is refused, as is a file or a
// directory that another process writes. Throws Error: ExitStatus::target with the reason, ExitStatus::io
// when even looking at it fails.
[[nodiscard]] std::unique_ptr<Target> open_target(const std::string& path, Access access, const Image& image,
                                                  const std::string& serial = {});

} // namespace ezio
