// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace ezio {

namespace {

const char* name_of(IoFailure::Operation operation)
{
    switch (operation) {
    case IoFailure::Operation::open:
        return "open";
    case IoFailure::Operation::read:
        return "read";
    case IoFailure::Operation::write:
        return "write";
    case IoFailure::Operation::write_back:
        return "write-back";
    case IoFailure::Operation::sync:
        return "sync";
    case IoFailure::Operation::resize:
        return "resize";
    case IoFailure::Operation::discard:
        return "discard";
    }
    return "I/O";
}

} // namespace

std::string errno_text(int error)
{
    return std::generic_category().message(error);
}

std::string IoFailure::message() const
{
    if (error == ESTALE) { // from NFS, or from loss_of
        return fmt::format("{} was removed or replaced while it was in use: what was written there is lost",
                           path);
    }
    if (operation == Operation::sync && error == end_of_file) {
        return path + " was cut short while it was written: what was written there is lost";
    }
    const std::string reason = error == end_of_file ? "end of file" : errno_text(error);
    if (operation != Operation::open && operation != Operation::sync && operation != Operation::resize) {
        return fmt::format("{}: {} of {} bytes at offset {} failed: {}", path, name_of(operation), length,
                           offset, reason);
    }
    return fmt::format("{}: {} failed: {}", path, name_of(operation), reason);
}

void throw_if(std::optional<IoFailure> failure)
{
    if (failure) {
        throw Error(std::move(*failure));
    }
}

} // namespace ezio
