// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/recognition.hpp"

#include "ezio/disk/blkid_probe.hpp"

#include <cerrno>

namespace ezio {

Recognition recognize(int fd, const Extent& area, std::uint64_t sector_bytes)
{
    constexpr int nothing = 1;
    using Outcome = Recognition::Outcome;
    const BlkidProbe probe = make_blkid_probe(fd, area, sector_bytes);
    if (!probe) {
        return {Outcome::unreadable, {}};
    }
    blkid_probe_enable_superblocks(probe.get(), 1);
    blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID);
    blkid_probe_enable_partitions(probe.get(), 1);
    errno = 0;
    const int result = blkid_do_safeprobe(probe.get());
    if (result == nothing) {
        return {Outcome::unknown, {}};
    }
    if (result < 0) {
        return {errno == EIO ? Outcome::unreadable : Outcome::ambiguous, {}};
    }
    return {Outcome::known,
            {blkid_value(probe, "TYPE"), blkid_value(probe, "UUID"), blkid_value(probe, "PTTYPE"),
             blkid_value(probe, "PTUUID")}};
}

} // namespace ezio
