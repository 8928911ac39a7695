// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/partition_rescan.hpp"

#include "ezio/target/device_tree.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <type_traits>

#include <linux/blkpg.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ezio {

namespace {

static_assert(std::is_trivially_copyable_v<PartitionRequest>); // it is sent through the socket as bytes

int change_partition(int disk, int operation, const ListedPartition& listed)
{
    blkpg_partition partition{};
    partition.start = static_cast<long long>(listed.extent.offset);
    partition.length = static_cast<long long>(listed.extent.length);
    partition.pno = listed.number;
    blkpg_ioctl_arg argument{operation, 0, sizeof(partition), &partition};
    return ::ioctl(disk, BLKPG, &argument) == 0 ? 0 : errno;
}

int carry_out(int disk, const PartitionRequest& request)
{
    switch (request.kind) {
    case PartitionRequest::Kind::reread:
        return ::ioctl(disk, BLKRRPART) == 0 ? 0 : errno;
    case PartitionRequest::Kind::remove:
        return change_partition(disk, BLKPG_DEL_PARTITION, request.partition);
    case PartitionRequest::Kind::add:
        return change_partition(disk, BLKPG_ADD_PARTITION, request.partition);
    }
    return EINVAL;
}

// The child was forked from a process with several threads, so nothing here allocates or locks. Its signals
// are blocked, like the parent's; it ends when the parent closes its end of the socket.
[[noreturn]] void serve(int disk, int socket) noexcept
{
    KeptPowers kept;
    kept.change_partitions = true;
    begin_child("ezio-partitions", disk, socket, kept);
    PartitionRequest request;
    while (::recv(socket, &request, sizeof(request), 0) == static_cast<ssize_t>(sizeof(request))) {
        const int error = carry_out(disk, request);
        if (::send(socket, &error, sizeof(error), MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof(error))) {
            break;
        }
    }
    ::_exit(0);
}

bool is_same(const ListedPartition& one, const ListedPartition& other)
{
    const bool is_container = one.is_container || other.is_container;
    return one.number == other.number && one.extent.offset == other.extent.offset &&
           (is_container || one.extent.length == other.extent.length);
}

bool has(std::span<const ListedPartition> partitions, const ListedPartition& wanted)
{
    return std::any_of(partitions.begin(), partitions.end(),
                       [&](const ListedPartition& each) { return is_same(each, wanted); });
}

std::vector<ListedPartition> kernel_partitions(dev_t disk)
{
    std::vector<ListedPartition> partitions;
    for (const PartitionDevice& device : partition_devices(disk)) {
        partitions.push_back({device.number, {device.start, device.size}, false});
    }
    return partitions;
}

} // namespace

std::vector<PartitionRequest> partition_changes(std::span<const ListedPartition> kernel,
                                                std::span<const ListedPartition> table)
{
    constexpr std::uint64_t container_length = 1024; // the kernel's
    std::vector<PartitionRequest> requests;
    for (const ListedPartition& each : kernel) {
        if (!has(table, each)) {
            requests.push_back({PartitionRequest::Kind::remove, each});
        }
    }
    for (ListedPartition each : table) {
        if (!has(kernel, each)) {
            each.extent.length =
                each.is_container ? std::min(each.extent.length, container_length) : each.extent.length;
            requests.push_back({PartitionRequest::Kind::add, each});
        }
    }
    return requests;
}

PartitionRescan::PartitionRescan(int fd, dev_t device, std::string path)
    : m_device(device), m_path(std::move(path)), m_child(fork_child(SOCK_SEQPACKET))
{
    if (m_child.pid == 0) {
        serve(fd, m_child.socket.get());
    }
}

PartitionRescan::~PartitionRescan()
{
    end_child();
}

void PartitionRescan::end_child()
{
    (void)m_child.socket.close();
    while (m_child.pid > 0 && ::waitpid(m_child.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    m_child.pid = -1;
}

// Returns 0 or errno.
int PartitionRescan::request(const PartitionRequest& request) const
{
    int error = 0;
    const int socket = m_child.socket.get();
    if (::send(socket, &request, sizeof(request), MSG_NOSIGNAL) < 0 ||
        ::recv(socket, &error, sizeof(error), 0) != static_cast<ssize_t>(sizeof(error))) {
        return EPERM; // there is no child, or no privilege that it could keep
    }
    return error;
}

// Makes the kernel drop its partitions and their cached data, and read the table again. If the kernel does
// not scan the device, the partitions are dropped one by one. Returns 0 or errno: EBUSY if one is in use.
int PartitionRescan::reread() const
{
    int last_error = request({PartitionRequest::Kind::reread, {}});
    if (last_error != EINVAL) {
        return last_error;
    }
    last_error = 0;
    for (const ListedPartition& each : kernel_partitions(m_device)) {
        const int error = request({PartitionRequest::Kind::remove, each});
        last_error = error != 0 ? error : last_error;
    }
    return last_error;
}

// Adjusts single partitions after reread(): the kernel does not know this kind of table, or one partition is
// in use. Returns the last errno, or 0.
int PartitionRescan::change_to(std::span<const ListedPartition> table) const
{
    int last_error = 0;
    for (const PartitionRequest& each : partition_changes(kernel_partitions(m_device), table)) {
        if (const int error = request(each); error != 0) {
            last_error = error;
        }
    }
    return last_error;
}

std::optional<std::string> PartitionRescan::bring_up_to_date(std::span<const ListedPartition> table)
{
    constexpr milliseconds patience{1000}; // for udev, which examines each new partition
    constexpr milliseconds interval{100};
    const auto end = Clock::now() + patience;
    if (kernel_partitions(m_device).empty() && request({PartitionRequest::Kind::reread, {}}) == EINVAL) {
        end_child();
        return std::nullopt; // no partitions, and none wanted
    }
    int dropped = reread();
    int change = change_to(table);
    while ((dropped == EBUSY || change == EBUSY) && Clock::now() < end) {
        std::this_thread::sleep_for(interval);
        dropped = reread();
        change = change_to(table);
    }
    end_child();
    const bool is_right = partition_changes(kernel_partitions(m_device), table).empty();
    if (is_right && dropped != EBUSY) {
        return std::nullopt;
    }
    if (dropped == EBUSY || change == EBUSY) {
        return fmt::format(
            "a partition of {} is in use, and {}; close what uses it (see fuser -v {}*), then "
            "run blockdev --rereadpt {}",
            m_path, is_right ? "may still show the old contents" : "the kernel keeps the old partition table",
            m_path, m_path);
    }
    return fmt::format("the kernel has not adopted the partition table of {} ({}); run partprobe {}, or "
                       "blockdev --rereadpt {}",
                       m_path, errno_text(change != 0 ? change : dropped), m_path, m_path);
}

std::unique_ptr<PartitionRescan> make_partition_rescan(int fd, const std::string& path)
{
    struct stat status {};
    if (::fstat(fd, &status) != 0 || !S_ISBLK(status.st_mode) || disk_of(status.st_rdev) != 0) {
        return nullptr;
    }
    return std::make_unique<PartitionRescan>(fd, status.st_rdev, path);
}

} // namespace ezio
