// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/atomic_file.hpp"

#include "ezio/util/error.hpp"
#include "ezio/util/fd.hpp"
#include "ezio/util/positional_io.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ezio {

namespace {

Error cannot_create(const std::string& path, int error)
{
    return Error(ExitStatus::target, fmt::format("{} cannot be created: {}", path, errno_text(error)));
}

void throw_unless_zero(int error, IoFailure::Operation operation, const std::string& path,
                       std::uint64_t length)
{
    if (error != 0) {
        throw Error(IoFailure{operation, path, error, 0, length});
    }
}

// A new file beside `path`, with permissions from the umask. Removed again unless it is renamed to `path`.
class TemporaryFile {
  public:
    explicit TemporaryFile(const std::string& path) : m_path(path)
    {
        for (int attempt = 0; attempt == 0 || (!m_fd && errno == EEXIST && attempt < 100); ++attempt) {
            m_temporary = fmt::format("{}.{}-{}.tmp", path, ::getpid(), attempt);
            m_fd = Fd(::open(m_temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        }
        if (!m_fd) {
            throw cannot_create(path, errno);
        }
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile()
    {
        if (!m_temporary.empty()) {
            (void)::unlink(m_temporary.c_str()); // removed while a more specific error is thrown
        }
    }

    void write(std::string_view bytes)
    {
        iovec part{const_cast<char*>(bytes.data()), bytes.size()}; // pwritev does not write to it
        const int error = write_fully(m_fd.get(), std::span(&part, 1), 0);
        throw_unless_zero(error, IoFailure::Operation::write, m_path, bytes.size());
    }

    // Syncs first, so that no crash leaves an empty file under the final name.
    void take_final_name()
    {
        throw_unless_zero(sync_fully(m_fd), IoFailure::Operation::sync, m_path, 0);
        throw_unless_zero(m_fd.close(), IoFailure::Operation::sync, m_path, 0);
        if (::rename(m_temporary.c_str(), m_path.c_str()) != 0) {
            throw cannot_create(m_path, errno);
        }
        m_temporary.clear();
    }

  private:
    const std::string& m_path;
    std::string m_temporary;
    Fd m_fd;
};

// The file to replace: symbolic links are followed, and a device or directory is never replaced.
std::string resolved_regular_file(const std::string& path)
{
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return path; // a new file, or open() reports the error
    }
    if (!S_ISREG(status.st_mode)) {
        throw Error(ExitStatus::target,
                    fmt::format("{} exists and is not a regular file; it is left alone", path));
    }
    std::error_code error;
    const auto real = std::filesystem::canonical(path, error);
    return error ? path : real.string();
}

} // namespace

void refuse_uncreatable_file(const std::string& path)
{
    const std::string destination = resolved_regular_file(path);
    const TemporaryFile file(destination); // removed again at once
}

void write_file_atomically(const std::string& path, std::string_view bytes)
{
    const std::string destination = resolved_regular_file(path);
    TemporaryFile file(destination);
    file.write(bytes);
    file.take_final_name();
    sync_name_of(destination);
}

} // namespace ezio
