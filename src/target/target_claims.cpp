// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/target_claims.hpp"

#include "ezio/target/device_tree.hpp"
#include "ezio/target/device_use.hpp"
#include "ezio/util/error.hpp"

#include <fmt/format.h>

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>

namespace ezio {

namespace {

Error written_by_another(const std::string& path)
{
    return {ExitStatus::target, fmt::format("{} is being written by another process", path)};
}

// Returns true if the lock was taken, or is not supported. `length` 0: to the end, wherever that is.
bool lock_range(int fd, short type, std::uint64_t offset, std::uint64_t length)
{
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(offset);
    lock.l_len = static_cast<off_t>(length);
    return ::fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES);
}

// Opens the file without opening anything else by its name, which may be a device that acts when it is
// opened. Empty if that is impossible.
Fd open_file_below(const Layer& layer, int mode)
{
    const FileId& id = *layer.loop.below;
    const Fd found(::open(layer.loop.below_path.c_str(), O_PATH | O_CLOEXEC));
    if (!found || file_id(found.get()) != id) {
        return {};
    }
    Fd fd(::open(fmt::format("/proc/self/fd/{}", found.get()).c_str(), mode | O_CLOEXEC));
    return fd && file_id(fd.get()) == id ? std::move(fd) : Fd();
}

bool is_deleted(const Layer& layer)
{
    return layer.loop.below_path.ends_with(" (deleted)");
}

// A file that may not be written is locked as a whole: an exclusive lock on a part needs write access.
bool lock_below(const Fd& fd, const Layer& layer, bool writable)
{
    const bool in_parts = writable || layer.shared;
    if (::flock(fd.get(), (in_parts ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return false;
    }
    return !in_parts ||
           lock_range(fd.get(), layer.shared ? F_RDLCK : F_WRLCK, layer.range.offset, layer.range.length);
}

void claim_file(const std::string& path, const Layer& layer, Claims& claims)
{
    const std::string& name = layer.loop.below_path;
    if (is_swap(*layer.loop.below)) {
        throw Error(
            ExitStatus::target,
            fmt::format("{} is in use: the file below it, {}, is swap; run swapoff first", path, name));
    }
    Fd fd = layer.shared ? Fd() : open_file_below(layer, O_RDWR);
    const bool writable = static_cast<bool>(fd);
    if (!fd) {
        fd = open_file_below(layer, O_RDONLY);
    }
    if (!fd) {
        if (!is_deleted(layer)) {
            claims.doubt = fmt::format("{} shows the file {}, which cannot be opened here: make sure that no "
                                       "other process writes it",
                                       layer.loop.path, name);
        }
        return;
    }
    if (!lock_below(fd, layer, writable)) {
        throw Error(ExitStatus::target,
                    fmt::format("{} is in use: the file below it, {}, is being written by another process",
                                path, name));
    }
    claims.held.push_back(std::move(fd));
}

void claim_device(const std::string& path, const Layer& layer, Claims& claims)
{
    if (layer.shared) {
        return;
    }
    const std::string below = device_path(layer.loop.below->device);
    Fd fd(::open(below.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
    if (!fd && errno == EBUSY) {
        throw Error(ExitStatus::target,
                    fmt::format("{} is in use: something else has claimed {} below it (another program, a "
                                "mount in a container, swap, RAID, LVM); stop that first (see lsblk {})",
                                path, below, below));
    }
    if (fd && file_id(fd.get()) == layer.loop.below) {
        claims.held.push_back(std::move(fd));
    } else {
        claims.doubt = fmt::format("{} shows {}, which cannot be opened here: make sure that no other "
                                   "process writes it",
                                   layer.loop.path, below);
    }
}

void refuse_claimed_siblings(const std::string& path, const Layer& layer, const DeviceStack& stack)
{
    const std::string sibling = claimed_loop_device(*layer.loop.below, layer.range, stack.own);
    if (!sibling.empty()) {
        throw Error(ExitStatus::target,
                    fmt::format("{} is in use: {}, which shows {} as well, is claimed (a mount, also in a "
                                "container, another fetch, swap, RAID or LVM); stop that first",
                                path, sibling, layer.loop.below_path));
    }
}

} // namespace

int refuse_second_writer(const Fd& fd, const std::string& path)
{
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
        return 0;
    }
    if (errno == EWOULDBLOCK) {
        throw written_by_another(path);
    }
    return errno;
}

void lock_bytes(const Fd& fd, const std::string& path)
{
    if (!lock_range(fd.get(), F_WRLCK, 0, 0)) {
        throw Error(ExitStatus::target,
                    fmt::format("{} is in use by another process (a virtual machine?), which has locked "
                                "bytes of it",
                                path));
    }
}

Claims claim_below(const std::string& path, dev_t device)
{
    Claims claims;
    const DeviceStack stack = stack_below(device);
    for (const Layer& layer : stack.layers) {
        if (!layer.loop.below) {
            claims.doubt = fmt::format(
                "the file below {} cannot be determined ({}): make sure that no other process writes it",
                layer.loop.path, layer.loop.below_path);
            continue;
        }
        if (layer.loop.below->is_device) {
            claim_device(path, layer, claims);
        } else {
            claim_file(path, layer, claims);
        }
        refuse_claimed_siblings(path, layer, stack);
    }
    return claims;
}

} // namespace ezio
