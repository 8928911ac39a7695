// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs another program and waits for it: without a shell, with default signal handling, no input, and none of
// our descriptors except one that may be given. The program has always ended when the call returns or throws.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

struct ProcessResult {
    int status = 0;     // its exit status, or 128 plus the number of the signal that ended it
    std::string output; // from its standard output
    std::string errors; // the last 16 KiB of its standard error
};

// The number of the given descriptor in the program.
inline constexpr int given_descriptor = 3;
inline constexpr int nothing_given = -1;

// The path of the program `name`, from PATH or the administrators' directories (which PATH may lack for users
// other than root). Empty if there is none.
[[nodiscard]] std::string find_program(const std::string& name);

// Runs command[0], a path, with the others as arguments and LC_ALL=C. `watch` is called several times a
// second and at the end, with the program's output so far; it may throw to end the program. Throws Error
// (ExitStatus::target) when the program cannot be run. `given` is a descriptor for the program. `variables`
// ("NAME=value") replace those of our environment.
[[nodiscard]] ProcessResult run_process(const std::vector<std::string>& command,
                                        const std::function<void(const ProcessResult&)>& watch,
                                        int given = nothing_given,
                                        const std::vector<std::string>& variables = {});

// The same with at most `output_limit` bytes of output, which come from --memory; throws Error
// (ExitStatus::target) for more.
[[nodiscard]] ProcessResult run_process(const std::vector<std::string>& command, std::uint64_t output_limit,
                                        const std::function<void()>& tick, int given = nothing_given,
                                        const std::vector<std::string>& variables = {});

// The last messages of a program, on one line: "one; two; three".
[[nodiscard]] std::string last_words(std::span<const std::string_view> lines);

} // namespace ezio
