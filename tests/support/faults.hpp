// SPDX-License-Identifier: GPL-2.0-or-later
//
// Ways to make the system say no, so that every failure that a caller must survive can be had in a test. Each
// ends with its scope.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

namespace ezio::test {

enum class Call { preadv, pwritev, fsync, syncfs, sync_file_range, close };

// What happens to one call: it fails with `error`, or, where that is 0, transfers `at_most` bytes. A close
// that fails has closed all the same.
struct Fault {
    int error = 0;
    std::size_t at_most = 0;
};

// While it lives, the next calls of `call`, from any thread, meet these faults, one each; later ones work.
// Only one object for each Call at a time. (faults.cpp defines the functions; the linker prefers those
// to the C library's.)
class FaultyCalls {
  public:
    FaultyCalls(Call call, std::vector<Fault> faults);
    FaultyCalls(const FaultyCalls&) = delete;
    FaultyCalls& operator=(const FaultyCalls&) = delete;
    ~FaultyCalls();

    // How often it was called so far, faulty or not.
    [[nodiscard]] std::size_t calls() const;

  private:
    Call m_call;
};

// No file of this process can grow beyond `bytes`: what is beyond fails with EFBIG, after a short write.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes);
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit();

  private:
    rlimit m_before{};
    sighandler_t m_handler_before;
};

// Gives up root's powers; nothing changes for others.
class Unprivileged {
  public:
    Unprivileged();
    Unprivileged(const Unprivileged&) = delete;
    Unprivileged& operator=(const Unprivileged&) = delete;
    ~Unprivileged();

  private:
    uid_t m_before = ::geteuid();
};

} // namespace ezio::test
