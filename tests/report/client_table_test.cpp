// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/client_table.hpp"

#include "catch.hpp"

#include "ezio/util/printable.hpp"
#include "ezio/util/units.hpp"

#include <algorithm>

namespace ezio {

using Lines = std::vector<std::string>;

namespace {

ClientStatus client(const std::string& host, ClientState state, double percent,
                    const std::string& target = "/dev/sda")
{
    ClientStatus status;
    status.address = "10.0.0.9:6881";
    status.reports = true;
    status.total_bytes = 10'000;
    status.report.host = host;
    status.report.target = target;
    status.report.state = state;
    status.report.done_bytes = static_cast<std::uint64_t>(percent * 100);
    status.report.received_bytes = status.report.done_bytes;
    status.report.seconds = 10;
    if (state == ClientState::downloading) {
        status.report.rate = 7'500'000;
        status.report.eta_seconds = 41;
    }
    return status;
}

ClientStatus failed(const std::string& host, double percent)
{
    ClientStatus status = client(host, ClientState::failed, percent);
    status.report.status = 5;
    status.report.message = "/dev/sda: write of 4096 bytes at offset 8192 failed: No space left on device";
    return status;
}

ClientList lab(unsigned count)
{
    ClientList clients;
    for (unsigned number = 1; number <= count; ++number) {
        clients.push_back(client("pc" + std::to_string(number), ClientState::downloading, 50));
    }
    return clients;
}

Lines texts(const std::vector<TableLine>& lines)
{
    Lines texts;
    std::transform(lines.begin(), lines.end(), std::back_inserter(texts),
                   [](const TableLine& line) { return line.text; });
    return texts;
}

Lines table(const ClientList& clients, std::size_t columns, std::size_t rows = 24)
{
    return texts(client_table(clients, columns, rows, Glyphs::ascii));
}

std::string first_word(const std::string& line)
{
    return line.substr(0, line.find(' '));
}

Lines names(const Lines& table)
{
    Lines names;
    std::transform(table.begin() + 1, table.end(), std::back_inserter(names), first_word);
    return names;
}

} // namespace

TEST_CASE("client table: 80 columns have everything of each")
{
    CHECK(table({client("pc07", ClientState::downloading, 61.38)}, 79) ==
          Lines{"client  target                            done         rate   left  state",
                "pc07    /dev/sda  [###########--------]  61.3%    7.2 MiB/s   0:41  downloading"});
}

TEST_CASE("client table: failed ones come first, then the slowest, complete ones last, by number")
{
    CHECK(names(table({client("pc10", ClientState::complete, 100), client("pc9", ClientState::complete, 100),
                       client("pc8", ClientState::downloading, 90),
                       client("pc7", ClientState::downloading, 10), failed("pc6", 99),
                       client("pc5", ClientState::lost, 50), client("pc04", ClientState::stopped, 50)},
                      79)) == Lines{"pc04", "pc5", "pc6", "pc7", "pc8", "pc9", "pc10"});
}

TEST_CASE("client table: two that are about equally far do not change places")
{
    const auto order = [](double first, double second) {
        return names(table(
            {client("a", ClientState::downloading, first), client("b", ClientState::downloading, second)},
            79));
    };
    CHECK(order(41, 43) == order(44, 42));
    CHECK(order(41, 46) == Lines{"a", "b"});
    CHECK(order(46, 41) == Lines{"b", "a"});
}

TEST_CASE("client table: one that failed says why in place of how fast it is")
{
    const Lines lines = table({failed("pc07", 61.3)}, 79);
    CHECK(lines[1] ==
          "pc07    /dev/sda  failed at 61.3 %: No space left on device"); // what there is room for
    CHECK_THAT(table({failed("pc07", 61.3)}, 159)[1],
               test::contains(
                   "failed at 61.3 %: /dev/sda: write of 4096 bytes at offset 8192 failed: No space left"));
    CHECK(table({failed("pc07", 61.3)}, 39)[1] == "pc07    failed at 61.3 %: No space lef~");
    ClientStatus late = failed("pc07", 61.3);
    late.report.message =
        "not complete after 2 h (1.0 GiB of 8.0 GiB done): it was still moving; allow more time";
    CHECK(table({late}, 79)[1] ==
          "pc07    /dev/sda  failed at 61.3 %: not complete after 2 h (1.0 GiB of 8.0 GiB~");
    CHECK(table({client("pc07", ClientState::lost, 20)}, 79)[1] == "pc07    /dev/sda  lost at 20.0 %");
}

TEST_CASE("client table: 24 rows show 18 clients, and a line counts the rest")
{
    CHECK(table(lab(18), 79).size() == 19);
    ClientList many = lab(40);
    for (std::size_t at = 0; at < 15; ++at) {
        many[at].report.state = ClientState::complete;
    }
    const Lines lines = table(many, 79);
    REQUIRE(lines.size() == 20);
    CHECK(lines.back() == "and 22 more: 7 downloading, 15 complete");
}

TEST_CASE("client table: a narrow one loses columns from the right, then the bar, and has what failed")
{
    const ClientList clients{client("pc07", ClientState::downloading, 61.3), failed("pc08", 61.3)};
    CHECK_THAT(table(clients, 65)[2], test::contains("0:41  downloading"));
    CHECK_THAT(table(clients, 55)[2], test::contains("0:41") && !test::contains("downloading"));
    CHECK_THAT(table(clients, 46)[2], test::contains("7.2 MiB/s") && !test::contains("0:41"));
    CHECK_THAT(table(clients, 39)[2],
               test::contains("[") && test::contains("61.3%") && !test::contains("MiB/s"));
    CHECK_THAT(table(clients, 32)[1], test::contains("failed at"));
}

TEST_CASE("client table: nothing is wider than it may be, whatever the names are")
{
    ClientList clients = lab(3);
    clients[0].report.host = std::string(64, 'h');
    clients[1].report.target = "/srv/" + std::string(100, 't') + "/disk.img";
    clients.push_back(failed(std::string(64, 'x'), 3));
    for (const Glyphs glyphs : {Glyphs::ascii, Glyphs::unicode}) {
        for (std::size_t width = 31; width < 200; ++width) {
            CAPTURE(width);
            for (const TableLine& line : client_table(clients, width, 24, glyphs)) {
                CAPTURE(line.text);
                CHECK(columns(line.text) <= width);
            }
        }
    }
    CHECK_THAT(table(clients, 79)[3], test::contains("disk.img"));
}

TEST_CASE("client table: nothing in a name moves the cursor, or is wider than it seems")
{
    ClientList clients{client("\033[2J\033]0;owned\007\n", ClientState::downloading, 1)};
    CHECK_THAT(table(clients, 159)[1], test::contains("\\x1b[2J\\x1b]0;owned\\x07\\x0a"));
    clients[0].report.host = "教室"; // takes four columns
    CHECK_THAT(table(clients, 79)[1], test::contains("??"));
    clients[0].report.host = "Büro-Δ";
    CHECK_THAT(table(clients, 79)[1], test::contains("Büro-Δ"));
    clients[0].report.host = "a\u0301"; // of which the second takes none
    CHECK_THAT(table(clients, 79)[1], test::contains("a?"));
}

TEST_CASE("client table: one that does not report is known by its address")
{
    ClientStatus stock;
    stock.address = "10.0.0.7:51413";
    stock.total_bytes = 1000;
    stock.report.state = ClientState::downloading;
    stock.report.done_bytes = 250;
    const Lines lines = table({stock}, 79);
    CHECK_THAT(lines[1],
               test::contains("10.0.0.7:51413") && test::contains("25.0%") && test::contains("downloading"));
}

TEST_CASE("client table: what is good and what is bad has a colour")
{
    const auto lines = client_table({client("a", ClientState::complete, 100), failed("b", 1), lab(1)[0]}, 79,
                                    24, Glyphs::ascii);
    CHECK(lines[1].emphasis == TableLine::Emphasis::bad);
    CHECK(lines[2].emphasis == TableLine::Emphasis::none);
    CHECK(lines[3].emphasis == TableLine::Emphasis::good);
}

TEST_CASE("client table: a small terminal has no room for it")
{
    CHECK(has_room_for_table(79, 24));
    CHECK(has_room_for_table(39, 10));
    CHECK_FALSE(has_room_for_table(31, 24));
    CHECK_FALSE(has_room_for_table(79, 7));
    CHECK(table(lab(5), 79, 8).size() == 4); // heading, two, and the rest
}

TEST_CASE("client results: each has a line, failed ones first, with what it received and why it failed")
{
    ClientStatus stock;
    stock.address = "10.0.0.7:51413";
    stock.report.state = ClientState::complete;
    stock.report.received_bytes = 10'000;
    ClientStatus done = client("pc2", ClientState::complete, 100);
    done.report.received_bytes = 80_MiB;
    CHECK(client_results({done, stock, failed("pc1", 61.3), client("pc3", ClientState::downloading, 10)}) ==
          Lines{"client          target    result       received  time       rate",
                "pc1             /dev/sda  failed        6.0 KiB  0:10    613 B/s  failed at 61.3 %: "
                "/dev/sda: write of 4096 "
                "bytes at offset 8192 failed: No space left on device",
                "pc3             /dev/sda  downloading    1000 B  0:10    100 B/s",
                "10.0.0.7:51413            complete      9.8 KiB                   announced, not reported",
                "pc2             /dev/sda  complete     80.0 MiB  0:10  8.0 MiB/s"});
    CHECK(client_results({}).empty());
}

} // namespace ezio
