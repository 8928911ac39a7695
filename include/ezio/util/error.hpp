// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace ezio {

// The exit status of the process. Documented in the man page and never renumbered: scripts depend on it.
enum class ExitStatus : int {
    done = 0,          // everything requested is true
    internal = 1,      // a defect of this program
    usage = 2,         // the command line cannot be carried out as given
    torrent = 3,       // torrent (or torrent.info) unreadable, or not a disk image
    target = 4,        // target or source refused before anything was written
    io = 5,            // I/O error on the target or the source
    network = 6,       // cannot listen, a name or URL that cannot be reached, a certificate refused
    stalled = 7,       // --stall-timeout or --timeout ran out
    verification = 8,  // the data does not match the torrent
    hung_up = 129,     // SIGHUP
    interrupted = 130, // SIGINT
    terminated = 143,  // SIGTERM
};

// In place of an errno value: the file ended too early.
inline constexpr int end_of_file = -1;

// A failed read, write or sync as a value, to be passed between threads.
struct IoFailure {
    enum class Operation { open, read, write, write_back, sync, resize, discard };

    Operation operation;
    std::string path;
    int error;                // errno or end_of_file
    std::uint64_t offset = 0; // bytes from the start of the device or file
    std::uint64_t length = 0; // bytes requested; 0 if the operation has no range

    // "/dev/sda1: write of 4096 bytes at offset 8192 failed: No space left on device"
    [[nodiscard]] std::string message() const;
};

// A failure that ends the program: the message for the user and the exit status.
class Error : public std::runtime_error {
  public:
    Error(ExitStatus status, const std::string& message) : std::runtime_error(message), m_status(status) {}

    explicit Error(IoFailure failure)
        : std::runtime_error(failure.message()), m_status(ExitStatus::io), m_failure(std::move(failure))
    {}

    [[nodiscard]] ExitStatus status() const { return m_status; }
    [[nodiscard]] const std::optional<IoFailure>& io_failure() const { return m_failure; }

  private:
    ExitStatus m_status;
    std::optional<IoFailure> m_failure;
};

// The text for an errno value. Any thread.
[[nodiscard]] std::string errno_text(int error);

// Throws the failure, if any, as an Error. For the command layer, which uses exceptions.
void throw_if(std::optional<IoFailure> failure);

} // namespace ezio
