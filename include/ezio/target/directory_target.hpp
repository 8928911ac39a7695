// SPDX-License-Identifier: GPL-2.0-or-later
//
// A BT image: a directory with one file per extent, named as in the torrent. `partclone -T` writes the files
// directly in the directory; BitTorrent clients download them into a subdirectory with the torrent's name.
// Both are read. For writing the second is used, and the first only if all files exist there.
//
// Descriptors are opened on demand and kept in a bounded pool, so that an image of 100,000 extents does not
// run out of them. The kernel reports a failed write-back once per open file, and that report must not be
// lost when a descriptor is closed. So a written file is synced before it is closed, which takes milliseconds
// for each. If syncfs(2) is known to report failures of any file since its descriptor was opened, the file
// system is synced as a whole at the end instead. 5,000 files of 1,000 bytes: 27.5 s and 4.0 s (ext4).
//
// Every extent must have its own file in the directory, on the same file system: two names of one file would
// hold the data of only one, and a file elsewhere would not be synced. So symbolic links, hard links to one
// file, and files on other file systems are refused for writing; a source may have them.
#pragma once

#include "ezio/target/target.hpp"
#include "ezio/util/fd.hpp"
#include "ezio/util/file_id.hpp"
#include "ezio/util/mutex.hpp"

#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

namespace ezio {

class DirectoryTarget : public Target {
  public:
    // The file of one extent.
    struct File {
        std::uint64_t offset; // on the device
        std::uint64_t length;
        std::string name;
        std::optional<FileId> id{}; // of a file that is written
    };

    // The unit of syncing.
    enum class Syncing { each_file, file_system };

    // `files` must be sorted by offset, without empty or overlapping ones; they exist in `directory` with
    // their full size. At most `open_limit` descriptors are kept open, and one more for each thread. Throws
    // Error when the directory cannot be opened. `lock` keeps other writers away and is kept.
    DirectoryTarget(std::string directory, Access access, std::vector<File> files, std::size_t open_limit,
                    Syncing syncing = Syncing::each_file, Fd lock = {});

    bool is_rotational() const override;
    const std::string& path() const override { return m_directory; }

  private:
    std::optional<IoFailure> do_read_at(std::uint64_t offset, std::span<iovec> parts) override;
    std::optional<IoFailure> do_write_at(std::uint64_t offset, std::span<iovec> parts) override;
    std::optional<IoFailure> do_write_behind(const Extent& span, std::uint64_t bytes) override;
    std::optional<IoFailure> do_sync() override;
    void do_drop_cache() override;

    struct OpenFile {
        std::size_t index = 0;
        Fd fd;
        // Both are guarded by m_mutex while the file is in m_recent.
        std::size_t users = 0; // closed only when 0
        bool written = false;  // and not synced yet
    };

    [[nodiscard]] std::optional<IoFailure> transfer(IoFailure::Operation operation, std::uint64_t offset,
                                                    std::span<iovec> parts);
    [[nodiscard]] std::optional<IoFailure> transfer_in_file(IoFailure::Operation operation, std::size_t index,
                                                            std::uint64_t position, std::span<iovec> parts);
    [[nodiscard]] std::optional<IoFailure> start_write_back(const OpenFile& file, std::uint64_t position,
                                                            std::uint64_t length) const;
    [[nodiscard]] std::optional<IoFailure> acquire(std::size_t index, OpenFile*& file);
    [[nodiscard]] OpenFile* use_open(std::size_t index) REQUIRES(m_mutex);
    void release(OpenFile& file, bool written);
    [[nodiscard]] std::optional<IoFailure> open_file(std::size_t index, Fd& fd) const;
    [[nodiscard]] std::list<OpenFile> take_idle() REQUIRES(m_mutex);
    [[nodiscard]] std::optional<IoFailure> close(std::list<OpenFile> idle);
    [[nodiscard]] std::optional<IoFailure> close_one(OpenFile& file) const;
    [[nodiscard]] std::optional<IoFailure> wait_for_closing();
    [[nodiscard]] std::optional<IoFailure> sync_file_system() const;
    [[nodiscard]] std::optional<IoFailure> sync_files();
    [[nodiscard]] std::optional<IoFailure> sync_all_files() const;
    [[nodiscard]] std::optional<IoFailure> sync_open(std::size_t index);
    [[nodiscard]] std::optional<IoFailure> find_files() const;
    [[nodiscard]] bool is_inside(std::size_t index, std::uint64_t offset) const;
    [[nodiscard]] std::size_t file_at(std::uint64_t offset) const;
    [[nodiscard]] std::string path_of(std::size_t index) const;

    const std::string m_directory;
    const Access m_access;
    const std::vector<File> m_files;
    const std::size_t m_open_limit;
    const Fd m_lock;
    const Fd m_file_system; // Syncing::file_system: the directory, opened before the first write

    Mutex m_mutex;                                 // not held while opening, syncing or closing
    bool m_written GUARDED_BY(m_mutex) = false;    // any of the files, by this object
    std::size_t m_closing GUARDED_BY(m_mutex) = 0; // files being synced and closed to make room
    Condition m_closed;
    // The kernel reports it only once, to anyone.
    std::optional<IoFailure> m_close_failure GUARDED_BY(m_mutex);
    std::list<OpenFile> m_recent GUARDED_BY(m_mutex); // most recently used first
    std::unordered_map<std::size_t, std::list<OpenFile>::iterator> m_open GUARDED_BY(m_mutex);
};

// The files that hold, or will hold, an image's bytes: those of its extents if `path` is a directory,
// otherwise `path` itself.
[[nodiscard]] std::vector<std::string> files_of_target(const std::string& path, Access access,
                                                       const Image& image);

// Throws Error as open_target does. Access::read_write makes the directory with the torrent's name and its
// (sparse) files, and locks it against other writers.
[[nodiscard]] std::unique_ptr<Target> open_directory(const std::string& path, Access access,
                                                     const Image& image);

} // namespace ezio
