// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/process/subprocess.hpp"

#include "ezio/util/error.hpp"
#include "ezio/util/fd.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ezio {

namespace {

constexpr std::size_t errors_kept = 16_KiB;
constexpr int tick_ms = 100;
constexpr int exit_poll_ms = 5; // for a program that closed its output but still runs

void throw_unless_zero(int error, const char* what)
{
    if (error != 0) {
        throw std::system_error(error, std::generic_category(), what);
    }
}

struct Pipe {
    Fd reader;
    Fd writer;
};

Pipe make_pipe()
{
    std::array<int, 2> ends{};
    throw_unless_zero(::pipe2(ends.data(), O_CLOEXEC) == 0 ? 0 : errno, "pipe");
    return {Fd(ends[0]), Fd(ends[1])};
}

// Steps in the new process before the program starts.
class Actions {
  public:
    Actions() { throw_unless_zero(::posix_spawn_file_actions_init(&m_actions), "posix_spawn"); }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
    ~Actions() { ::posix_spawn_file_actions_destroy(&m_actions); }

    void redirect(int from, int to)
    {
        throw_unless_zero(::posix_spawn_file_actions_adddup2(&m_actions, from, to), "posix_spawn");
    }
    void close_all_from(int first)
    {
        throw_unless_zero(::posix_spawn_file_actions_addclosefrom_np(&m_actions, first), "posix_spawn");
    }
    [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &m_actions; }

  private:
    posix_spawn_file_actions_t m_actions{};
};

// A process group of its own, so that Ctrl-C reaches only us and we decide. Our blocked and ignored signals
// are not inherited.
class Attributes {
  public:
    Attributes()
    {
        throw_unless_zero(::posix_spawnattr_init(&m_attributes), "posix_spawn");
        sigset_t none;
        sigset_t defaults;
        sigemptyset(&none);
        sigemptyset(&defaults);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ}) {
            sigaddset(&defaults, signal);
        }
        throw_unless_zero(::posix_spawnattr_setsigmask(&m_attributes, &none), "posix_spawn");
        throw_unless_zero(::posix_spawnattr_setsigdefault(&m_attributes, &defaults), "posix_spawn");
        throw_unless_zero(::posix_spawnattr_setpgroup(&m_attributes, 0), "posix_spawn");
        constexpr short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
        throw_unless_zero(::posix_spawnattr_setflags(&m_attributes, flags), "posix_spawn");
    }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
    ~Attributes() { ::posix_spawnattr_destroy(&m_attributes); }

    [[nodiscard]] const posix_spawnattr_t* get() const { return &m_attributes; }

  private:
    posix_spawnattr_t m_attributes{};
};

// Pointers to the strings in the form that the kernel needs; the strings have to outlive them.
std::vector<char*> pointers_to(const std::vector<std::string>& strings)
{
    std::vector<char*> pointers;
    pointers.reserve(strings.size() + 1);
    for (const std::string& string : strings) {
        pointers.push_back(const_cast<char*>(string.c_str())); // posix_spawn does not write to them
    }
    pointers.push_back(nullptr);
    return pointers;
}

// Our environment, but in English and with `variables` replacing those of the same name.
std::vector<std::string> environment_with(std::vector<std::string> variables)
{
    variables.insert(variables.end(), {"LC_ALL=C", "LANGUAGE="});
    std::vector<std::string> all = variables;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view text = *variable;
        const std::string_view name = text.substr(0, text.find('=') + 1);
        if (std::none_of(variables.begin(), variables.end(),
                         [&](const std::string& each) { return each.starts_with(name); })) {
            all.emplace_back(text);
        }
    }
    return all;
}

class Child {
  public:
    Child(const std::vector<std::string>& command, const Actions& actions,
          const std::vector<std::string>& environment)
    {
        const Attributes attributes;
        const int error = ::posix_spawn(&m_pid, command[0].c_str(), actions.get(), attributes.get(),
                                        pointers_to(command).data(), pointers_to(environment).data());
        if (error != 0) {
            m_pid = 0;
            throw Error(ExitStatus::target,
                        fmt::format("{} cannot be run: {}", command[0], errno_text(error)));
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child()
    {
        if (m_pid != 0) {
            (void)::kill(-m_pid, SIGKILL); // the whole group; it may just have ended
            while (::waitpid(m_pid, nullptr, 0) < 0 && errno == EINTR) {
            }
        }
    }

    // Whether the program has ended; sets `status` if so.
    [[nodiscard]] bool has_ended(int& status)
    {
        int raw = 0;
        const pid_t ended = ::waitpid(m_pid, &raw, WNOHANG);
        if (ended == 0 || (ended < 0 && errno == EINTR)) {
            return false;
        }
        throw_unless_zero(ended < 0 ? errno : 0, "waitpid");
        m_pid = 0;
        status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
        return true;
    }

  private:
    pid_t m_pid = 0;
};

// Appends the available data. Returns false at the end.
bool read_some(const Fd& from, std::string& to)
{
    std::array<char, 64_KiB> buffer;
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got > 0) {
        to.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return got > 0 || (got < 0 && errno == EINTR);
}

// Reads both until the program has closed them.
void collect(Fd& output, Fd& errors, ProcessResult& result,
             const std::function<void(const ProcessResult&)>& watch)
{
    while (output || errors) {
        std::array<pollfd, 2> wanted{{{output.get(), POLLIN, 0}, {errors.get(), POLLIN, 0}}};
        (void)::poll(wanted.data(), wanted.size(), tick_ms); // after a failure revents are 0
        if (wanted[0].revents != 0 && !read_some(output, result.output)) {
            output = Fd();
        }
        if (wanted[1].revents != 0 && !read_some(errors, result.errors)) {
            errors = Fd();
        }
        if (result.errors.size() > errors_kept) {
            result.errors.erase(0, result.errors.size() - errors_kept);
        }
        watch(result);
    }
}

} // namespace

std::string find_program(const std::string& name)
{
    const char* path = std::getenv("PATH");
    const std::string places = std::string(path != nullptr ? path : "") + ":/usr/local/sbin:/usr/sbin:/sbin";
    for (std::size_t begin = 0; begin <= places.size();) {
        const std::size_t end = std::min(places.find(':', begin), places.size());
        std::string candidate = places.substr(begin, end - begin) + "/" + name;
        if (end > begin && ::access(candidate.c_str(), X_OK) == 0) {
            return candidate;
        }
        begin = end + 1;
    }
    return {};
}

ProcessResult run_process(const std::vector<std::string>& command,
                          const std::function<void(const ProcessResult&)>& watch, int given,
                          const std::vector<std::string>& variables)
{
    Pipe output = make_pipe();
    Pipe errors = make_pipe();
    const Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    throw_unless_zero(nothing ? 0 : errno, "/dev/null");
    Actions actions;
    actions.redirect(nothing.get(), STDIN_FILENO);
    actions.redirect(output.writer.get(), STDOUT_FILENO);
    actions.redirect(errors.writer.get(), STDERR_FILENO);
    if (given >= 0) {
        actions.redirect(given, given_descriptor); // last: the number may have been in use above
    }
    actions.close_all_from(given >= 0 ? given_descriptor + 1 : STDERR_FILENO + 1);
    Child child(command, actions, environment_with(variables));
    output.writer = Fd();
    errors.writer = Fd();
    ProcessResult result;
    collect(output.reader, errors.reader, result, watch);
    while (!child.has_ended(result.status)) {
        watch(result);
        (void)::poll(nullptr, 0, exit_poll_ms);
    }
    return result;
}

ProcessResult run_process(const std::vector<std::string>& command, std::uint64_t output_limit,
                          const std::function<void()>& tick, int given,
                          const std::vector<std::string>& variables)
{
    const auto watch = [&](const ProcessResult& so_far) {
        tick();
        if (so_far.output.size() > output_limit) {
            throw Error(ExitStatus::target, fmt::format("{} printed more than {}; allow more with --memory",
                                                        command[0], format_bytes(output_limit)));
        }
    };
    return run_process(command, watch, given, variables);
}

std::string last_words(std::span<const std::string_view> lines)
{
    constexpr std::size_t wanted = 3;
    return fmt::format("{}", fmt::join(lines.last(std::min(wanted, lines.size())), "; "));
}

} // namespace ezio
