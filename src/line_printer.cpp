// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/line_printer.hpp"

#include <cstdlib>
#include <string_view>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

namespace ezio {

namespace {

bool is_smart_terminal(std::FILE* stream)
{
    const char* term = std::getenv("TERM");
    return ::isatty(::fileno(stream)) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

} // namespace

LinePrinter::LinePrinter(std::FILE* stream) : m_stream(stream), m_smart(is_smart_terminal(stream)) {}

std::size_t LinePrinter::width() const
{
    winsize size{};
    const bool known = ::ioctl(::fileno(m_stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

void LinePrinter::print(const std::string& line)
{
    clear();
    // When nobody can be told any more (a closed pipe), the work still goes on.
    std::fputs((line + "\n").c_str(), m_stream);
    std::fflush(m_stream);
}

void LinePrinter::redraw(const std::string& line)
{
    clear();
    std::fputs(line.c_str(), m_stream);
    std::fflush(m_stream);
    m_drawn = true;
}

void LinePrinter::clear()
{
    if (std::exchange(m_drawn, false)) {
        std::fputs("\r\033[K", m_stream);
    }
}

} // namespace ezio
