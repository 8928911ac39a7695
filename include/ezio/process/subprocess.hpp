// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs another program and waits for it: without a shell, with the default signals, no input, and none of our
// descriptors but one that it may be given. Whatever happens, the program is gone when the call returns or
// throws.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

struct ProcessResult {
    int status = 0;     // its exit status, or 128 and the number of the signal that ended it
    std::string output; // from its standard output
    std::string errors; // from its standard error: the end of it, at most 16 KiB
};

// Which descriptor of the program is the one that it is given.
inline constexpr int given_descriptor = 3;
inline constexpr int nothing_given = -1;

// The path of the program `name`: in PATH, or where administrators' programs are (which PATH may leave out
// for everybody but root). Empty when there is none.
[[nodiscard]] std::string find_program(const std::string& name);

// Runs command[0], a path, with the others as arguments and LC_ALL=C. `watch` is called several times a
// second meanwhile, and at the end, with what the program has printed so far; what it throws ends the
// program. Throws Error (ExitStatus::target) when the program cannot be run. `given` is a descriptor for the
// program. `variables` ("NAME=value") take the place of those in our environment.
[[nodiscard]] ProcessResult run_process(const std::vector<std::string>& command,
                                        const std::function<void(const ProcessResult&)>& watch,
                                        int given = nothing_given,
                                        const std::vector<std::string>& variables = {});

// The same of a program that prints no more than `output_limit` bytes, which are --memory's for the user, or
// Error (ExitStatus::target) is thrown.
[[nodiscard]] ProcessResult run_process(const std::vector<std::string>& command, std::uint64_t output_limit,
                                        const std::function<void()>& tick, int given = nothing_given,
                                        const std::vector<std::string>& variables = {});

// The end of what a program has said, in one line: "one; two; three".
[[nodiscard]] std::string last_words(std::span<const std::string_view> lines);

} // namespace ezio
