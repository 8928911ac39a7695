// SPDX-License-Identifier: GPL-2.0-or-later
#include "line_printer.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string_view>

#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ezio {

namespace {

std::string_view variable(const char* name)
{
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

bool is_smart_terminal(int fd)
{
    const std::string_view term = variable("TERM");
    return ::isatty(fd) == 1 && !term.empty() && term != "dumb";
}

// Opens the terminal or pipe again, because non-blocking mode would be shared with other processes that have
// it open. Empty where that is impossible: no /proc, or another user's terminal. Not for a file, which would
// be overwritten from its start.
Fd open_again(int fd)
{
    struct stat status {};
    if (::fstat(fd, &status) != 0 || (!S_ISFIFO(status.st_mode) && ::isatty(fd) != 1)) {
        return {};
    }
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    const Fd again(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    return Fd(again ? ::fcntl(again.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : -1);
}

bool has_room(int fd, std::chrono::milliseconds wait)
{
    pollfd out{fd, POLLOUT, 0};
    return ::poll(&out, 1, static_cast<int>(wait.count())) == 1;
}

bool is_utf8_locale()
{
    const locale_t locale = ::newlocale(LC_CTYPE_MASK, "", nullptr);
    if (locale == nullptr) { // a locale that is not installed
        return false;
    }
    const bool utf8 = std::string_view(::nl_langinfo_l(CODESET, locale)) == "UTF-8";
    ::freelocale(locale);
    return utf8;
}

// When a window gets narrower, most terminals wrap existing lines; these cut them off.
bool breaks_old_lines()
{
    const std::string_view term = variable("TERM");
    const bool cuts = !variable("XTERM_VERSION").empty() || term.starts_with("linux") ||
                      term.starts_with("vt") || term.starts_with("rxvt");
    return !variable("TMUX").empty() || !cuts;
}

} // namespace

LinePrinter::LinePrinter(std::FILE* stream)
    : m_fd(::fileno(stream)), m_smart(is_smart_terminal(m_fd)),
      m_unicode(is_utf8_locale() && !variable("TERM").starts_with("linux")), m_own(open_again(m_fd))
{}

LinePrinter::~LinePrinter()
{
    (void)finish();
}

std::size_t LinePrinter::width() const
{
    winsize size{};
    const bool known = ::ioctl(m_fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

std::size_t LinePrinter::height() const
{
    winsize size{};
    const bool known = ::ioctl(m_fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
    return known ? size.ws_row : 24;
}

void LinePrinter::print(const std::string& line)
{
    write((!m_drawn.empty() ? to_first_line() + "\033[J" : "") + line + "\n");
    m_drawn.clear();
}

void LinePrinter::clear()
{
    if (!m_drawn.empty()) {
        write(to_first_line() + "\033[J");
        m_drawn.clear();
    }
}

// One write, in which no old line is erased before its new text: nothing flickers.
void LinePrinter::redraw(const std::vector<Line>& lines)
{
    if (!flush()) {
        return;
    }
    const bool again = !m_drawn.empty();
    std::string text = again ? to_first_line() : "";
    m_drawn.clear();
    for (const Line& line : lines) {
        text += (m_drawn.empty() ? "" : again ? "\033[K\r\n" : "\r\n") + line.text;
        m_drawn.push_back(line.columns);
    }
    write(text + (again ? "\033[J" : ""));
}

// Moves to the first drawn line. That may be more rows above if the window has become narrower since.
std::string LinePrinter::to_first_line() const
{
    std::size_t rows_above = m_drawn.size() - 1;
    if (breaks_old_lines()) {
        const std::size_t columns = width();
        for (const std::size_t drawn : m_drawn) {
            rows_above += drawn > 0 ? (drawn - 1) / columns : 0;
        }
    }
    return rows_above > 0 ? "\r\033[" + std::to_string(rows_above) + "A" : "\r";
}

void LinePrinter::write(const std::string& text)
{
    if (m_waiting.size() + text.size() <= waiting_allowed) {
        m_waiting += text;
    }
    (void)flush();
}

// If nobody can read any more (a closed pipe), the work still continues.
bool LinePrinter::flush()
{
    std::size_t done = 0;
    while (done < m_waiting.size()) {
        const ssize_t written = write_some(std::string_view(m_waiting).substr(done));
        if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            break;
        }
        if (written < 0 && errno != EINTR) {
            done = m_waiting.size();
        }
        done += written > 0 ? static_cast<std::size_t>(written) : 0;
    }
    m_waiting.erase(0, done);
    return m_waiting.empty();
}

bool LinePrinter::finish()
{
    constexpr std::chrono::milliseconds moment{10};
    const Clock::time_point until = Clock::now() + last_wait;
    while (!flush() && Clock::now() < until) {
        (void)has_room(m_fd, moment);
    }
    return m_waiting.empty();
}

// Like write(2), but fails with EAGAIN instead of blocking.
ssize_t LinePrinter::write_some(std::string_view text) const
{
    if (m_own) {
        return ::write(m_own.get(), text.data(), text.size());
    }
    const ssize_t sent = ::send(m_fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0 || errno != ENOTSOCK) {
        return sent;
    }
    if (!has_room(m_fd, std::chrono::milliseconds(0))) {
        errno = EAGAIN;
        return -1;
    }
    return ::write(m_fd, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
}

} // namespace ezio
