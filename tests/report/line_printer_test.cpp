// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/line_printer.hpp"

#include "ezio/util/clock.hpp"

#include "catch.hpp"
#include "terminal.hpp"

#include <array>
#include <memory>
#include <tuple>

#include <sys/socket.h>

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

struct Pipe {
    Pipe()
    {
        std::array<int, 2> ends{};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        reader = Fd(ends[0]);
        writer = File(::fdopen(ends[1], "w"));
        REQUIRE(::fcntl(ends[1], F_SETPIPE_SZ, 4096) == 4096);
    }

    // What is in it, at least one byte.
    [[nodiscard]] std::string read() const
    {
        std::string text(65536, '\0');
        text.resize(static_cast<std::size_t>(::read(reader.get(), text.data(), text.size())));
        return text;
    }

    Fd reader;
    File writer;
};

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

TEST_CASE("line printer: several lines are redrawn in place, and none of them is erased first")
{
    const Variable term("TERM", "xterm");
    PseudoTerminal terminal(80);
    const File file = open_terminal(terminal);
    LinePrinter printer(file.get());
    CHECK(printer.height() == 24);
    printer.redraw({{"one", 3}, {"two", 3}, {"3", 1}});
    CHECK(terminal.read_to("3") == "one\r\ntwo\r\n3");
    printer.redraw({{"ONE", 3}, {"4", 1}});
    CHECK(terminal.read_to("J") == "\r\033[2AONE\033[K\r\n4\033[J");
    printer.print("done");
    CHECK(terminal.read_to("\n") == "\r\033[1A\033[Jdone\n");
    printer.redraw({{"5", 1}});
    CHECK(terminal.read_to("5") == "5");
}

TEST_CASE("line printer: several lines are found again when the terminal has broken them into more")
{
    const Variable term("TERM", "xterm-256color");
    const Variable xterm("XTERM_VERSION", nullptr);
    PseudoTerminal terminal(80);
    const File file = open_terminal(terminal);
    LinePrinter printer(file.get());
    printer.redraw({{std::string(70, 'a'), 70}, {std::string(30, 'b'), 30}, {"c", 1}});
    CHECK_FALSE(terminal.read_to("c").empty());
    terminal.set_width(40);
    printer.clear();
    CHECK(terminal.read_to("J") == "\r\033[3A\033[J");
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
    printer.redraw({{"10 %", 4}});
    CHECK(terminal.read_to("%") == "10 %");
    printer.redraw({{"20 %", 4}});
    CHECK(terminal.read_to("J") == "\r20 %\033[J");
    printer.print("done");
    CHECK(terminal.read_to("\n") == "\r\033[Jdone\n");
    printer.redraw({{"30 %", 4}});
    printer.clear();
    printer.clear();
    printer.print("really");
    CHECK(terminal.read_to("J") == "30 %\r\033[J");
    CHECK(terminal.read_to("\n") == "really\n");
}

TEST_CASE("line printer: what was drawn on a wider terminal is drawn over where the terminal has broken it")
{
    const Variable term("TERM", "xterm-256color");
    const Variable xterm("XTERM_VERSION", nullptr);
    PseudoTerminal terminal(100);
    const File file = open_terminal(terminal);
    LinePrinter printer(file.get());
    printer.redraw({{std::string(99, 'x'), 99}});
    CHECK(terminal.read_to("x") == "x");
    terminal.set_width(40); // it stands in three rows now
    printer.redraw({{"50 %", 4}});
    CHECK(terminal.read_to("J") == std::string(98, 'x') + "\r\033[2A50 %\033[J");
}

TEST_CASE("line printer: a terminal that cuts old lines loses nothing above")
{
    const Variable tmux("TMUX", nullptr);
    for (const char* name : {"linux", "vt220", "rxvt-unicode"}) {
        const Variable term("TERM", name);
        PseudoTerminal terminal(100);
        const File file = open_terminal(terminal);
        LinePrinter printer(file.get());
        printer.redraw({{std::string(99, 'x'), 99}});
        terminal.set_width(40);
        printer.print("done");
        CHECK(terminal.read_to("\n") == std::string(99, 'x') + "\r\033[Jdone\n");
    }
}

TEST_CASE("line printer: Unicode is for UTF-8 locales, and not for a console")
{
    const PseudoTerminal terminal(80);
    const File file = open_terminal(terminal);
    for (const auto& [locale, name, unicode] : {std::tuple("C.UTF-8", "xterm", true),
                                                {"C", "xterm", false},
                                                {"no_SUCH.locale", "xterm", false},
                                                {"C.UTF-8", "linux", false}}) {
        const Variable all("LC_ALL", locale);
        const Variable term("TERM", name);
        CAPTURE(locale, name);
        CHECK(LinePrinter(file.get()).has_unicode() == unicode);
    }
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

TEST_CASE("line printer: lines wait for the reader of a pipe, nobody waits for lines")
{
    const Pipe pipe;
    const std::string line(3000, 'x');
    LinePrinter printer(pipe.writer.get());
    printer.print(line);
    printer.print(line);
    printer.print("last");
    CHECK_FALSE(printer.flush());
    std::string all = pipe.read();
    while (!printer.flush()) {
        all += pipe.read();
    }
    CHECK(all + pipe.read() == line + "\n" + line + "\nlast\n");
    CHECK((::fcntl(::fileno(pipe.writer.get()), F_GETFL) & O_NONBLOCK) == 0); // others write there, too
}

TEST_CASE("line printer: what waits has a limit, and so has the wait at the end")
{
    const Pipe pipe;
    const Clock::time_point before = Clock::now();
    {
        LinePrinter printer(pipe.writer.get());
        for (std::size_t bytes = 0; bytes < 2 * LinePrinter::waiting_allowed; bytes += 65536) {
            printer.print(std::string(65536, 'x'));
        }
    }
    CHECK(Clock::now() - before >= LinePrinter::last_wait);
}

TEST_CASE("line printer: a socket is not waited for either")
{
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const Fd reader(ends[0]);
    const File writer(::fdopen(ends[1], "w"));
    LinePrinter printer(writer.get());
    for (int lines = 0; printer.flush(); ++lines) {
        REQUIRE(lines < 10'000);
        printer.print(std::string(4096, 'x'));
    }
    CHECK(::shutdown(reader.get(), SHUT_RD) == 0); // nobody will ever read it: no wait at the end
}

TEST_CASE("line printer: on a terminal that was stopped lines wait, and redrawn ones are left out")
{
    const Variable term("TERM", "xterm");
    PseudoTerminal terminal(80);
    const File file = open_terminal(terminal);
    LinePrinter printer(file.get());
    REQUIRE(::tcflow(terminal.device(), TCOOFF) == 0); // Ctrl-S
    printer.print("one");
    printer.redraw({{"10 %", 4}});
    printer.redraw({{"20 %", 4}});
    CHECK_FALSE(printer.flush());
    REQUIRE(::tcflow(terminal.device(), TCOON) == 0);
    CHECK(printer.flush());
    printer.redraw({{"30 %", 4}});
    CHECK(terminal.read_to("%") == "one\n30 %");
}

} // namespace ezio
