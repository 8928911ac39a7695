// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/steady_bytes.hpp"

#include "ezio/source/source_disk.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/page_buffer.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <fcntl.h>

namespace ezio {

namespace {

Sha1Digest digest_of(int fd, const std::string& path, const Extent& extent)
{
    (void)::posix_fadvise(fd, static_cast<off_t>(extent.offset), static_cast<off_t>(extent.length),
                          POSIX_FADV_DONTNEED); // others may have bypassed it, as LVM2 does
    Sha1 sha1;
    PageBuffer buffer(std::min<std::uint64_t>(extent.length, 1_MiB));
    for (std::uint64_t at = 0; at < extent.length; at += buffer.size()) {
        const auto part = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), extent.length - at));
        read_source(fd, path, extent.offset + at, part);
        sha1.update(part);
    }
    return sha1.finish();
}

} // namespace

SteadyBytes note_bytes(int fd, const std::string& path, const Extent& extent, std::string what)
{
    return {std::move(what), extent, digest_of(fd, path, extent)};
}

void refuse_changed(int fd, const std::string& path, std::span<const SteadyBytes> noted)
{
    for (const SteadyBytes& each : noted) {
        if (digest_of(fd, path, each.extent) != each.digest) {
            throw Error(
                ExitStatus::target,
                fmt::format(
                    "{} changed while the image was made; run create again while nothing changes volumes",
                    each.what));
        }
    }
}

} // namespace ezio
