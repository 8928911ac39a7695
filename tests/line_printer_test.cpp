// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/line_printer.hpp"

#include "catch.hpp"
#include "terminal.hpp"

#include <memory>

namespace ezio {

using test::PseudoTerminal;
using test::Variable;

namespace {

struct Close {
    void operator()(std::FILE* file) const { (void)std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

File open_terminal(const PseudoTerminal& terminal)
{
    return File(::fdopen(::dup(terminal.device()), "w"));
}

std::string contents(std::FILE* file)
{
    std::string text(4096, '\0');
    text.resize(static_cast<std::size_t>(::pread(::fileno(file), text.data(), text.size(), 0)));
    return text;
}

} // namespace

TEST_CASE("line printer: in a file there are lines and nothing else")
{
    const Variable term("TERM", "xterm");
    const File file(std::tmpfile());
    LinePrinter printer(file.get());
    CHECK_FALSE(printer.is_smart());
    printer.print("one");
    CHECK(contents(file.get()) == "one\n"); // already, not only when the file is closed
    printer.print("");
    printer.print("50 % {} done");
    CHECK(contents(file.get()) == "one\n\n50 % {} done\n");
}

TEST_CASE("line printer: a file is 80 columns wide, and so is a terminal that does not know")
{
    const Variable term("TERM", "xterm");
    const File file(std::tmpfile());
    CHECK(LinePrinter(file.get()).width() == 80);
    const PseudoTerminal terminal(0);
    CHECK(LinePrinter(open_terminal(terminal).get()).width() == 80);
}

TEST_CASE("line printer: a terminal's width is asked for each time")
{
    PseudoTerminal terminal(132);
    const File file = open_terminal(terminal);
    const LinePrinter printer(file.get());
    CHECK(printer.width() == 132);
    terminal.set_width(40);
    CHECK(printer.width() == 40);
}

TEST_CASE("line printer: a terminal is smart unless it says that it is dumb, or nothing")
{
    const PseudoTerminal terminal(80);
    const File file = open_terminal(terminal);
    for (const auto& [value, smart] :
         {std::pair("xterm", true), {"linux", true}, {"dumb", false}, {nullptr, false}}) {
        const Variable term("TERM", value);
        CHECK(LinePrinter(file.get()).is_smart() == smart);
    }
}

TEST_CASE("line printer: on a terminal a redrawn line makes place for the next one")
{
    const Variable term("TERM", "xterm");
    PseudoTerminal terminal(80);
    const File file = open_terminal(terminal);
    LinePrinter printer(file.get());
    printer.redraw("10 %");
    CHECK(terminal.read_to("%") == "10 %");
    printer.redraw("20 %");
    CHECK(terminal.read_to("%") == "\r\033[K20 %");
    printer.print("done");
    CHECK(terminal.read_to("\n") == "\r\033[Kdone\n");
    printer.print("really");
    CHECK(terminal.read_to("\n") == "really\n");
}

TEST_CASE("line printer: a stream that cannot be written to is no reason to stop")
{
    const File full(std::fopen("/dev/full", "w"));
    REQUIRE(full);
    LinePrinter printer(full.get());
    printer.print("nobody reads this");
    printer.print("nor this");
    CHECK_FALSE(printer.is_smart());
}

} // namespace ezio
