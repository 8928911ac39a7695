// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/line_printer.hpp"

#include <cstdlib>
#include <string_view>
#include <utility>

#include <langinfo.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace ezio {

namespace {

std::string_view variable(const char* name)
{
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

bool is_smart_terminal(std::FILE* stream)
{
    const std::string_view term = variable("TERM");
    return ::isatty(::fileno(stream)) == 1 && !term.empty() && term != "dumb";
}

bool is_utf8_locale()
{
    const locale_t locale = ::newlocale(LC_CTYPE_MASK, "", nullptr);
    if (locale == nullptr) { // one that is not installed
        return false;
    }
    const bool utf8 = std::string_view(::nl_langinfo_l(CODESET, locale)) == "UTF-8";
    ::freelocale(locale);
    return utf8;
}

// When a window gets narrower, most terminals break lines that were written already into several; these cut
// them off.
bool breaks_old_lines()
{
    const std::string_view term = variable("TERM");
    const bool cuts = !variable("XTERM_VERSION").empty() || term.starts_with("linux") ||
                      term.starts_with("vt") || term.starts_with("rxvt");
    return !variable("TMUX").empty() || !cuts;
}

} // namespace

LinePrinter::LinePrinter(std::FILE* stream)
    : m_stream(stream), m_smart(is_smart_terminal(stream)),
      m_unicode(is_utf8_locale() && !variable("TERM").starts_with("linux"))
{}

std::size_t LinePrinter::width() const
{
    winsize size{};
    const bool known = ::ioctl(::fileno(m_stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

void LinePrinter::print(const std::string& line)
{
    write((m_drawn_columns > 0 ? to_line_begin() + "\033[J" : "") + line + "\n");
    m_drawn_columns = 0;
}

void LinePrinter::clear()
{
    if (m_drawn_columns > 0) {
        write(to_line_begin() + "\033[J");
        m_drawn_columns = 0;
    }
}

// In one write, and the old line is not erased before the new one stands there: nothing flickers.
void LinePrinter::redraw(const std::string& line, std::size_t columns)
{
    write((m_drawn_columns > 0 ? to_line_begin() : "") + line + (m_drawn_columns > 0 ? "\033[J" : ""));
    m_drawn_columns = columns;
}

// To where the drawn line begins; that may be rows above, when the window has become narrower since.
std::string LinePrinter::to_line_begin() const
{
    const std::size_t rows_above = (m_drawn_columns - 1) / width();
    return rows_above > 0 && breaks_old_lines() ? "\r\033[" + std::to_string(rows_above) + "A" : "\r";
}

// When nobody can be told any more (a closed pipe), the work still goes on.
void LinePrinter::write(const std::string& text)
{
    (void)std::fputs(text.c_str(), m_stream);
    (void)std::fflush(m_stream);
}

} // namespace ezio
