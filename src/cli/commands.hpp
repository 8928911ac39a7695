// SPDX-License-Identifier: GPL-2.0-or-later
//
// The commands, step by step. They return when the work is done, and throw Error with the exit status
// otherwise.
#pragma once

#include "command_options.hpp"
#include "context.hpp"

namespace ezio {

void run(const CreateOptions& options, const Context& context);
void run(const SeedOptions& options, const Context& context);
void run(const FetchOptions& options, const Context& context);
void run(const VerifyOptions& options, const Context& context);
void run(const InfoOptions& options, const Context& context);

void run(const Command& command, const Context& context);

} // namespace ezio
