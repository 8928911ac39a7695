// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/directory_target.hpp"

#include "capacity.hpp"
#include "ezio/target/block_device.hpp"
#include "ezio/target/device_tree.hpp"
#include "ezio/target/device_use.hpp"
#include "ezio/target/target_claims.hpp"
#include "ezio/util/positional_io.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <utility>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace ezio {

namespace {

// From this size on a write to one file is worth a system call to start write-back: otherwise all data waits
// for the last sync, for minutes. Most extents are smaller and are left to the kernel. Not tuned.
constexpr std::uint64_t worth_starting = 256_KiB;

std::optional<IoFailure> sync_result(std::string path, int error)
{
    return error == 0 ? std::nullopt
                      : std::optional(IoFailure{IoFailure::Operation::sync, std::move(path), error});
}

// Since Linux 5.8, syncfs fails if any file of the file system could not be written since the descriptor was
// opened; since 5.17 also if the file system's own data, such as its journal, could not be written. Other
// file systems than these may sync less with syncfs than with fsync (FUSE, NFS).
bool syncfs_tells_all(const std::string& directory)
{
    constexpr long known[] = {0xEF53 /* ext4 */, 0x58465342 /* xfs */, 0x9123683E /* btrfs */,
                              0x01021994 /* tmpfs */};
    utsname system{};
    struct statfs status {};
    int major = 0;
    int minor = 0;
    return ::uname(&system) == 0 && std::sscanf(&system.release[0], "%d.%d", &major, &minor) == 2 &&
           std::pair(major, minor) >= std::pair(5, 17) && ::statfs(directory.c_str(), &status) == 0 &&
           std::find(std::begin(known), std::end(known), static_cast<long>(status.f_type)) != std::end(known);
}

Fd open_directory_itself(const std::string& path)
{
    Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) {
        throw Error(ExitStatus::target, fmt::format("{} cannot be opened: {}", path, errno_text(errno)));
    }
    return fd;
}

bool is_directory(const std::string& path)
{
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::vector<DirectoryTarget::File> files_of(const Image& image)
{
    std::vector<DirectoryTarget::File> files;
    for (std::size_t i = 0; i < image.extents.size(); ++i) {
        if (image.extents[i].length > 0) {
            files.push_back({image.extents[i].offset, image.extents[i].length, image.extent_names[i]});
        }
    }
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
    return files;
}

// Half of the process's limit; the rest is for peers.
std::size_t usable_descriptors()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 256;
    }
    return std::clamp<std::size_t>(limit.rlim_cur / 2, 16, 4096);
}

void make_directory(const std::string& path)
{
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        throw Error(ExitStatus::target, fmt::format("{} cannot be created: {}", path, errno_text(errno)));
    }
}

std::optional<FileId> make_file(const std::string& path, std::uint64_t length)
{
    const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) {
        throw Error(ExitStatus::target, fmt::format("{} cannot be created: {}", path, errno_text(errno)));
    }
    if (::ftruncate(fd.get(), static_cast<off_t>(length)) != 0) {
        throw Error(IoFailure{IoFailure::Operation::resize, path, errno, 0, length});
    }
    return file_id(fd.get());
}

// A longer file belongs to another image.
void refuse_wrong_file(const std::string& path, std::uint64_t length)
{
    const auto refuse = [&](const std::string& why) {
        return Error(ExitStatus::target,
                     fmt::format("{}{}; is the directory that of this image, and complete?", path, why));
    };
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        throw refuse(": " + errno_text(errno));
    }
    if (!S_ISREG(status.st_mode)) {
        throw refuse(" is not a regular file");
    }
    if (static_cast<std::uint64_t>(status.st_size) != length) {
        throw refuse(fmt::format(" has {} bytes, the image has {} there", status.st_size, length));
    }
}

std::uint64_t allocated_in(const std::string& directory, const std::vector<DirectoryTarget::File>& files)
{
    std::uint64_t bytes = 0;
    for (const auto& file : files) {
        struct stat status {};
        if (::stat((directory + "/" + file.name).c_str(), &status) == 0) {
            bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
        }
    }
    return bytes;
}

} // namespace

DirectoryTarget::DirectoryTarget(std::string directory, Access access, std::vector<File> files,
                                 std::size_t open_limit, Syncing syncing, Fd lock)
    : m_directory(std::move(directory)), m_access(access), m_files(std::move(files)),
      m_open_limit(open_limit), m_lock(std::move(lock)),
      m_file_system(syncing == Syncing::file_system ? open_directory_itself(m_directory) : Fd())
{}

std::optional<IoFailure> DirectoryTarget::do_read_at(std::uint64_t offset, std::span<iovec> parts)
{
    return transfer(IoFailure::Operation::read, offset, parts);
}

std::optional<IoFailure> DirectoryTarget::do_write_at(std::uint64_t offset, std::span<iovec> parts)
{
    return transfer(IoFailure::Operation::write, offset, parts);
}

std::optional<IoFailure> DirectoryTarget::transfer(IoFailure::Operation operation, std::uint64_t offset,
                                                   std::span<iovec> parts)
{
    std::uint64_t left = total_bytes(parts);
    for (std::size_t index = file_at(offset); left > 0; ++index) {
        if (!is_inside(index, offset)) {
            return IoFailure{operation, m_directory, ENXIO, offset, left}; // not in any extent's file
        }
        const std::uint64_t position = offset - m_files[index].offset;
        const std::uint64_t part = std::min(left, m_files[index].length - position);
        auto buffers = take_front(parts, part);
        if (auto failed = transfer_in_file(operation, index, position, buffers)) {
            return failed;
        }
        offset += part;
        left -= part;
    }
    return std::nullopt;
}

std::optional<IoFailure> DirectoryTarget::transfer_in_file(IoFailure::Operation operation, std::size_t index,
                                                           std::uint64_t position, std::span<iovec> parts)
{
    OpenFile* file = nullptr;
    if (auto failed = acquire(index, file)) {
        return failed;
    }
    const bool writes = operation == IoFailure::Operation::write;
    const std::uint64_t length = total_bytes(parts);
    const int error =
        writes ? write_fully(file->fd.get(), parts, position) : read_fully(file->fd.get(), parts, position);
    auto failed = error == 0 ? std::nullopt
                             : std::optional(IoFailure{operation, path_of(index), error, position, length});
    if (writes && !failed) {
        failed = start_write_back(*file, position, length);
    }
    release(*file, writes);
    return failed;
}

std::optional<IoFailure> DirectoryTarget::start_write_back(const OpenFile& file, std::uint64_t position,
                                                           std::uint64_t length) const
{
    const int error =
        length < worth_starting ? 0 : sync_range(file.fd, position, length, SYNC_FILE_RANGE_WRITE);
    return error == 0 ? std::nullopt
                      : std::optional(IoFailure{IoFailure::Operation::write_back, path_of(file.index), error,
                                                position, length});
}

std::optional<IoFailure> DirectoryTarget::do_write_behind(const Extent&, std::uint64_t)
{
    return std::nullopt; // write_at started write-back already
}

void DirectoryTarget::do_drop_cache()
{
    for (std::size_t index = 0; index < m_files.size(); ++index) {
        const Fd fd(::open(path_of(index).c_str(), O_RDONLY | O_CLOEXEC));
        if (fd) {
            (void)::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
        }
    }
}

bool DirectoryTarget::is_rotational() const
{
    struct stat status {};
    return ::stat(m_directory.c_str(), &status) == 0 && ezio::is_rotational(status.st_dev);
}

std::optional<IoFailure> DirectoryTarget::do_sync()
{
    auto failed = m_file_system ? sync_file_system() : sync_files();
    return failed ? failed : find_files();
}

std::optional<IoFailure> DirectoryTarget::sync_file_system() const
{
    return sync_result(m_directory, ::syncfs(m_file_system.get()) == 0 ? 0 : errno);
}

std::optional<IoFailure> DirectoryTarget::sync_files()
{
    std::vector<std::size_t> open;
    bool written = false;
    {
        const MutexLock lock(m_mutex);
        written = m_written;
        for (const OpenFile& file : m_recent) {
            open.push_back(file.index);
        }
    }
    if (!written) { // syncs data of other writers, too
        if (auto failed = sync_all_files()) {
            return failed;
        }
    }
    for (const std::size_t index : open) {
        if (auto failed = sync_open(index)) {
            return failed;
        }
    }
    if (auto failed = wait_for_closing()) {
        return failed;
    }
    return sync_result(m_directory, sync_directory(m_directory)); // the names, too
}

std::optional<IoFailure> DirectoryTarget::find_files() const
{
    for (std::size_t index = 0; index < m_files.size(); ++index) {
        const File& file = m_files[index];
        const auto loss = file.id ? loss_of(path_of(index), *file.id, file.length) : std::nullopt;
        if (loss) {
            return IoFailure{IoFailure::Operation::sync, path_of(index), *loss};
        }
    }
    return std::nullopt;
}

std::optional<IoFailure> DirectoryTarget::sync_all_files() const
{
    for (std::size_t index = 0; index < m_files.size(); ++index) {
        const Fd fd(::open(path_of(index).c_str(), O_RDONLY | O_CLOEXEC));
        if (auto failed = sync_result(path_of(index), fd ? sync_fully(fd) : errno)) {
            return failed;
        }
    }
    return std::nullopt;
}

// Covers only data written before the call; later data needs a later sync.
std::optional<IoFailure> DirectoryTarget::sync_open(std::size_t index)
{
    OpenFile* file = nullptr;
    {
        const MutexLock lock(m_mutex);
        const auto found = m_open.find(index);
        if (found == m_open.end() || !found->second->written) {
            return std::nullopt;
        }
        file = &*found->second;
        ++file->users;
        file->written = false;
    }
    const int error = sync_fully(file->fd);
    release(*file, error != 0);
    return sync_result(path_of(index), error);
}

std::optional<IoFailure> DirectoryTarget::acquire(std::size_t index, OpenFile*& file)
{
    std::list<OpenFile> idle;
    {
        const MutexLock lock(m_mutex);
        if ((file = use_open(index)) != nullptr) {
            return std::nullopt;
        }
        idle = take_idle();
    }
    if (auto failed = close(std::move(idle))) {
        return failed;
    }
    Fd fd; // closed at the end, without the lock, if another thread opened it first
    if (auto failed = open_file(index, fd)) {
        return failed;
    }
    const MutexLock lock(m_mutex);
    if ((file = use_open(index)) == nullptr) {
        m_recent.push_front(OpenFile{index, std::move(fd)});
        m_open[index] = m_recent.begin();
        file = use_open(index);
    }
    return std::nullopt;
}

// Null if it is not open.
DirectoryTarget::OpenFile* DirectoryTarget::use_open(std::size_t index)
{
    const auto found = m_open.find(index);
    if (found == m_open.end()) {
        return nullptr;
    }
    m_recent.splice(m_recent.begin(), m_recent, found->second);
    ++found->second->users;
    return &*found->second;
}

// Marked as written only now, because a sync before the end of the write does not cover it.
void DirectoryTarget::release(OpenFile& file, bool written)
{
    const MutexLock lock(m_mutex);
    --file.users;
    file.written = file.written || written;
    m_written = m_written || written;
}

std::optional<IoFailure> DirectoryTarget::open_file(std::size_t index, Fd& fd) const
{
    const int mode = m_access == Access::read_write ? O_RDWR : O_RDONLY;
    fd = Fd(::open(path_of(index).c_str(), mode | O_CLOEXEC));
    if (!fd) {
        return IoFailure{IoFailure::Operation::open, path_of(index), errno};
    }
    const File& file = m_files[index];
    if (file.id && file_id(fd.get()) != file.id) {
        return IoFailure{IoFailure::Operation::open, path_of(index), ESTALE};
    }
    return std::nullopt;
}

// Takes out the least recently used files to make room for one more, skipping those in use.
std::list<DirectoryTarget::OpenFile> DirectoryTarget::take_idle()
{
    std::list<OpenFile> idle;
    for (auto it = m_recent.end(); m_recent.size() >= m_open_limit && it != m_recent.begin();) {
        --it;
        if (it->users == 0) {
            const auto next = std::next(it);
            m_open.erase(it->index);
            idle.splice(idle.end(), m_recent, it);
            it = next;
        }
    }
    m_closing += idle.size();
    return idle;
}

std::optional<IoFailure> DirectoryTarget::close(std::list<OpenFile> idle)
{
    std::optional<IoFailure> failed;
    for (OpenFile& file : idle) {
        if (auto one = close_one(file); one && !failed) {
            failed = std::move(one);
        }
    }
    if (!idle.empty()) {
        const MutexLock lock(m_mutex);
        m_closing -= idle.size();
        m_close_failure = m_close_failure ? m_close_failure : failed;
        m_closed.notify_all();
    }
    return failed;
}

std::optional<IoFailure> DirectoryTarget::close_one(OpenFile& file) const
{
    int error = file.written && !m_file_system ? sync_fully(file.fd) : 0;
    const int close_error = file.fd.close();
    error = error != 0 ? error : close_error;
    return sync_result(path_of(file.index), error);
}

// Files that were closed to make room, even by a reader, may not be synced yet.
std::optional<IoFailure> DirectoryTarget::wait_for_closing()
{
    const MutexLock lock(m_mutex);
    while (m_closing != 0) {
        m_closed.wait(m_mutex);
    }
    return m_close_failure;
}

bool DirectoryTarget::is_inside(std::size_t index, std::uint64_t offset) const
{
    return index < m_files.size() && offset >= m_files[index].offset &&
           offset - m_files[index].offset < m_files[index].length;
}

std::size_t DirectoryTarget::file_at(std::uint64_t offset) const
{
    const auto after = std::upper_bound(m_files.begin(), m_files.end(), offset,
                                        [](std::uint64_t o, const File& file) { return o < file.offset; });
    return after == m_files.begin() ? m_files.size() : static_cast<std::size_t>(after - m_files.begin()) - 1;
}

std::string DirectoryTarget::path_of(std::size_t index) const
{
    return m_directory + "/" + m_files[index].name;
}

namespace {

// Empty if there is no such file.
std::optional<std::uint64_t> size_of(const std::string& path)
{
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? std::optional(static_cast<std::uint64_t>(status.st_size))
                                              : std::nullopt;
}

// The directory with the files: `path` itself, as partclone writes them, or the subdirectory with the
// torrent's name. Only files that can be of this image are written: every image has a file named 0.
std::string directory_of_files(const std::string& path, Access access, const Image& image,
                               const std::vector<DirectoryTarget::File>& files)
{
    const std::string inner = path + "/" + image.name;
    const auto size_in_path = [&](const auto& file) { return size_of(path + "/" + file.name); };
    const bool has_first = !files.empty() && size_in_path(files.front());
    const bool can_be_this_image =
        access == Access::read_only || std::all_of(files.begin(), files.end(), [&](const auto& file) {
            return size_in_path(file) == file.length;
        });
    return !is_directory(inner) && has_first && can_be_this_image ? path : inner;
}

// Checks existing files before writing, which must be nothing else: see directory_target.hpp. A shorter file
// may be a partial download of another client.
class UnfitFiles {
  public:
    explicit UnfitFiles(const Fd& directory) : m_directory(file_id(directory.get())) {}

    void refuse(const std::string& path, std::uint64_t length)
    {
        struct stat status {};
        if (::lstat(path.c_str(), &status) != 0) {
            return; // not there yet, or creating it reports the error
        }
        if (!S_ISREG(status.st_mode)) {
            throw unfit(path, S_ISLNK(status.st_mode) ? "is a symbolic link" : "is not a regular file");
        }
        if (static_cast<std::uint64_t>(status.st_size) > length) {
            throw Error(ExitStatus::target,
                        fmt::format("{} has {} bytes, the image has {} there; it belongs to another image; "
                                    "remove it or name another directory",
                                    path, status.st_size, length));
        }
        if (m_directory && status.st_dev != m_directory->device) {
            throw unfit(path, "is on another file system than its directory");
        }
        const auto [same, is_first] = m_files.emplace(file_id(status), path);
        if (!is_first) {
            throw unfit(path, "is the same file as " + same->second);
        }
    }

    // Refuses files that a loop device in use shows.
    void refuse_used() const
    {
        for (const LoopDevice& loop : loop_devices()) {
            const auto file = loop.below ? m_files.find(*loop.below) : m_files.end();
            if (file != m_files.end()) {
                refuse_used_loop(file->second, uses_of_file(file->second));
            }
        }
    }

  private:
    static Error unfit(const std::string& path, const std::string& why)
    {
        return {ExitStatus::target,
                fmt::format(
                    "{} {}; each extent needs a file of its own there; remove it or name another directory",
                    path, why)};
    }

    const std::optional<FileId> m_directory;
    std::map<FileId, std::string> m_files;
};

// Makes the files, sparse, after checking that the file system has room for their data, and records their
// identity. Returns the lock that keeps other writers away from them: two torrents may have directories in
// the same directory.
Fd make_files(const std::string& path, const std::string& directory, const Image& image,
              std::vector<DirectoryTarget::File>& files)
{
    const std::string& place = is_directory(directory) ? directory : path; // may be a mount point
    const Fd fd = open_directory_itself(place);
    refuse_full_file_system(place, fd.get(), image.map.data_bytes(), allocated_in(directory, files));
    make_directory(directory);
    if (const int error = sync_directory(path); error != 0) { // the directory's name
        throw Error(IoFailure{IoFailure::Operation::sync, path, error});
    }
    Fd lock = open_directory_itself(directory);
    (void)refuse_second_writer(lock, directory); // without support for locks (NFS) there is none
    UnfitFiles unfit(lock);
    for (const auto& file : files) {
        unfit.refuse(directory + "/" + file.name, file.length);
    }
    unfit.refuse_used();
    for (auto& file : files) {
        file.id = make_file(directory + "/" + file.name, file.length);
    }
    return lock;
}

} // namespace

std::vector<std::string> files_of_target(const std::string& path, Access access, const Image& image)
{
    if (!is_directory(path)) {
        return {path};
    }
    const auto files = files_of(image);
    const std::string directory = directory_of_files(path, access, image, files);
    std::vector<std::string> paths;
    for (const auto& file : files) {
        paths.push_back(directory + "/" + file.name);
    }
    return paths;
}

std::unique_ptr<Target> open_directory(const std::string& path, Access access, const Image& image)
{
    if (image.single_file) {
        throw Error(
            ExitStatus::target,
            fmt::format("{} is a directory, but the torrent is a single file; name a device or an image file",
                        path));
    }
    auto files = files_of(image);
    const std::string directory = directory_of_files(path, access, image, files);
    Fd lock;
    if (access == Access::read_write) {
        lock = make_files(path, directory, image, files);
    } else {
        for (const auto& file : files) {
            refuse_wrong_file(directory + "/" + file.name, file.length);
        }
    }
    const auto syncing = access == Access::read_write && syncfs_tells_all(directory)
                             ? DirectoryTarget::Syncing::file_system
                             : DirectoryTarget::Syncing::each_file;
    return std::make_unique<DirectoryTarget>(directory, access, std::move(files), usable_descriptors(),
                                             syncing, std::move(lock));
}

} // namespace ezio
