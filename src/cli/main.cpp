// SPDX-License-Identifier: GPL-2.0-or-later
#include "command_line.hpp"
#include "command_output.hpp"
#include "ezio/util/fd.hpp"
#include "ezio/util/threads.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

namespace {

using namespace ezio;

bool is_set(const char* variable)
{
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0';
}

bool is_zero(const char* variable)
{
    return is_set(variable) && std::string_view(std::getenv(variable)) == "0";
}

// The option decides, then https://no-color.org, then https://bixense.com/clicolors.
Color choose_color(Color option)
{
    if (option == Color::no || is_set("NO_COLOR")) {
        return Color::no;
    }
    if (is_set("CLICOLOR_FORCE") && !is_zero("CLICOLOR_FORCE")) {
        return Color::always;
    }
    return is_zero("CLICOLOR") ? Color::no : option;
}

std::unique_ptr<Reporter> make_reporter(const OutputOptions& output)
{
    if (output.format == Format::json) {
        return make_json_reporter(output.verbosity, output.interval.value_or(json_interval));
    }
    return make_text_reporter(output.verbosity, choose_color(output.color),
                              output.interval.value_or(plain_interval));
}

void ignore(int signal)
{
    if (std::signal(signal, SIG_IGN) == SIG_ERR) {
        throw Error(ExitStatus::internal, fmt::format("signal {} cannot be ignored", signal));
    }
}

void run_command_line(const CommandLine& line, Reporter& reporter)
{
    ignore(SIGPIPE); // a closed connection or pipe is reported as an error of write
    ignore(SIGXFSZ); // and so is a file at its size limit
    Wakeup wakeup;
    DiskCalls disk;
    StopSignal stop(wakeup, disk);
    Deadline deadline(reporter, disk);
    run(line.command, {reporter, line.output.format, line.output.verbosity, wakeup, stop, deadline});
}

} // namespace

int main(int argc, char** argv)
{
    auto reporter = make_reporter(output_options(argc, argv));
    try {
        occupy_standard_descriptors();
        const auto parsed = parse_command_line(argc, argv);
        if (const auto* help = std::get_if<HelpText>(&parsed)) {
            print_result(help->text);
            return static_cast<int>(ExitStatus::done);
        }
        const auto& line = std::get<CommandLine>(parsed);
        reporter = make_reporter(line.output);
        run_command_line(line, *reporter);
        return static_cast<int>(ExitStatus::done);
    } catch (const Error& error) {
        reporter->error(error);
        return static_cast<int>(error.status());
    } catch (const std::bad_alloc&) {
        reporter->error({ExitStatus::internal,
                         "out of memory; fetch, seed and create need less with a smaller --memory"});
        return static_cast<int>(ExitStatus::internal);
    } catch (const std::system_error& error) {
        const bool thread = error.code() == std::errc::resource_unavailable_try_again;
        reporter->error(thread
                            ? no_more_threads(error)
                            : Error(ExitStatus::internal, fmt::format("internal error: {}", error.what())));
        return static_cast<int>(ExitStatus::internal);
    } catch (const std::exception& error) {
        reporter->error({ExitStatus::internal, fmt::format("internal error: {}", error.what())});
        return static_cast<int>(ExitStatus::internal);
    }
}
