// SPDX-License-Identifier: GPL-2.0-or-later
#include "client_table.hpp"

#include "ezio/util/printable.hpp"
#include "ezio/util/text.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <tuple>

namespace ezio {

namespace {

constexpr std::size_t rows_beside_clients = 6; // heading, rest, progress line, and some earlier output
constexpr std::size_t fewest_rows = rows_beside_clients + 2;
constexpr std::size_t fewest_columns = 32;
constexpr std::size_t narrowest_client_bar = 7;
constexpr std::size_t widest_client_bar = 30;
constexpr std::size_t column_gap = 2;
constexpr std::size_t narrow = 60; // columns; a table with more than `wide` is wide
constexpr std::size_t wide = 100;

// --- texts ---

// Printable text in which each character takes one column; others are shown as "?".
std::string one_column_each(std::string_view text)
{
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
        const auto first = static_cast<unsigned char>(text[at]);
        const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        const bool is_narrow =
            length == 1 || (length == 2 && (first < 0xcc || (first > 0xcd && first < 0xd2)));
        result += is_narrow ? std::string(text.substr(at, length)) : "?";
        at += length;
    }
    return result;
}

std::string shown(const std::string& text)
{
    return one_column_each(printable(text));
}

std::string last_columns(const std::string& text, std::size_t count)
{
    const std::size_t all = columns(text);
    return all <= count ? text : text.substr(first_columns(text, all - count).size());
}

std::string cut_end(const std::string& text, std::size_t width)
{
    return columns(text) <= width ? text : first_columns(text, width - 1) + "~";
}

// Cuts the start of a path, whose end identifies it.
std::string cut_start(const std::string& text, std::size_t width)
{
    return columns(text) <= width ? text : "~" + last_columns(text, width - 1);
}

std::string left(const std::string& text, std::size_t width)
{
    return text + std::string(width - std::min(width, columns(text)), ' ');
}

std::string right(const std::string& text, std::size_t width)
{
    return std::string(width - std::min(width, columns(text)), ' ') + text;
}

// --- order ---

// Sorts "pc2" before "pc10".
bool is_before(std::string_view a, std::string_view b)
{
    const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
    while (!a.empty() && !b.empty()) {
        if (!is_digit(a[0]) || !is_digit(b[0])) {
            if (a[0] != b[0]) {
                return a[0] < b[0];
            }
            a.remove_prefix(1);
            b.remove_prefix(1);
            continue;
        }
        const auto take_number = [&](std::string_view& text) {
            text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
            const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
            const auto digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
            text.remove_prefix(digits.size());
            return digits;
        };
        const auto x = take_number(a);
        const auto y = take_number(b);
        if (x != y) {
            return std::tuple(x.size(), x) < std::tuple(y.size(), y);
        }
    }
    return a.size() < b.size();
}

bool is_before_by_name(const ClientStatus& a, const ClientStatus& b)
{
    const std::string& x = name_of(a);
    const std::string& y = name_of(b);
    return x != y ? is_before(x, y) : is_before(a.address, b.address);
}

// Failed clients first, then slow ones, then complete ones.
int urgency(const ClientStatus& client)
{
    constexpr int step = 5; // percent
    if (has_failed(client.report.state)) {
        return -1;
    }
    return static_cast<int>(percent_done(client)) / step;
}

using Pointers = std::vector<const ClientStatus*>;

template <typename Rank>
Pointers in_order(const ClientList& clients, Rank rank)
{
    Pointers sorted;
    sorted.reserve(clients.size());
    for (const ClientStatus& client : clients) {
        sorted.push_back(&client);
    }
    std::sort(sorted.begin(), sorted.end(), [&](const ClientStatus* a, const ClientStatus* b) {
        const int x = rank(*a);
        const int y = rank(*b);
        return x != y ? x < y : is_before_by_name(*a, *b);
    });
    return sorted;
}

// --- the table that is redrawn ---

struct Layout {
    std::size_t columns = 0; // all of them
    std::size_t name = 0;
    std::size_t target = 0; // 0 for all clients: left out
    std::size_t bar = 0;
    std::size_t percent = 6;
    std::size_t rate = 12;
    std::size_t eta = 6;
    std::size_t state = 11;
    Glyphs glyphs = Glyphs::ascii;

    [[nodiscard]] std::size_t width() const
    {
        const auto with_gap = [](std::size_t column, std::size_t before) {
            return column == 0 ? 0 : before + column;
        };
        return name + with_gap(target, column_gap) + with_gap(bar, column_gap) + with_gap(percent, 1) +
               with_gap(rate, 1) + with_gap(eta, 1) + with_gap(state, column_gap);
    }
};

Layout make_layout(const ClientList& clients, std::size_t columns, Glyphs glyphs)
{
    const std::size_t longest = columns < narrow ? 10 : columns < wide ? 16 : 32;
    Layout layout;
    layout.columns = columns;
    layout.glyphs = glyphs;
    layout.name = 6;
    for (const ClientStatus& client : clients) {
        layout.name = std::max(layout.name, ezio::columns(shown(name_of(client))));
        layout.target = std::max(layout.target, ezio::columns(shown(client.report.target)));
    }
    layout.name = std::min(layout.name, longest);
    layout.target = std::min(layout.target, columns < wide && columns >= narrow ? longest - 4 : longest);
    layout.bar = narrowest_client_bar;
    for (std::size_t* column : {&layout.state, &layout.eta, &layout.rate, &layout.bar, &layout.target}) {
        if (layout.width() > columns) {
            *column = 0;
        }
    }
    if (layout.bar != 0) {
        layout.bar = std::min(layout.bar + columns - layout.width(), widest_client_bar);
    }
    return layout;
}

std::string beginning(const Layout& layout, const std::string& name, const std::string& target)
{
    std::string line = left(cut_end(name, layout.name), layout.name);
    if (layout.target != 0) {
        line += std::string(column_gap, ' ') + left(cut_start(target, layout.target), layout.target);
    }
    return line;
}

std::string heading(const Layout& layout)
{
    std::string line = beginning(layout, "client", "target");
    const std::size_t done = (layout.bar != 0 ? column_gap + layout.bar : 0) + layout.percent + 1;
    line += right("done", done);
    line += layout.rate != 0 ? " " + right("rate", layout.rate) : "";
    line += layout.eta != 0 ? " " + right("left", layout.eta) : "";
    line += layout.state != 0 ? std::string(column_gap, ' ') + "state" : "";
    return line;
}

// The end of "write of 4096 bytes at offset 8192 failed: No space left on device" if there is little room.
std::string result_in(const ClientStatus& client, std::size_t width)
{
    constexpr std::string_view before_cause = " failed: ";
    std::string result = shown(describe_result(client));
    const auto cause = client.report.message.rfind(before_cause);
    if (columns(result) > width && cause != std::string::npos) {
        ClientStatus brief = client;
        brief.report.message.erase(0, cause + before_cause.size());
        result = shown(describe_result(brief));
    }
    return cut_end(result, width);
}

TableLine failed_line(Layout layout, const ClientStatus& client)
{
    layout.target = layout.columns < narrow ? 0 : layout.target;
    const std::string line =
        beginning(layout, shown(name_of(client)), shown(client.report.target)) + std::string(column_gap, ' ');
    return {line + result_in(client, layout.columns - columns(line)), TableLine::Emphasis::bad};
}

TableLine line_of(const Layout& layout, const ClientStatus& client)
{
    const ClientReport& report = client.report;
    if (has_failed(report.state)) {
        return failed_line(layout, client);
    }
    const double percent = percent_done(client);
    std::string line = beginning(layout, shown(name_of(client)), shown(report.target));
    if (layout.bar != 0) {
        line += std::string(column_gap, ' ') + progress_bar(percent, layout.bar, layout.glyphs);
    }
    line += " " + right(fmt::format("{:.1f}%", percent), layout.percent);
    const bool moves = report.state != ClientState::complete && report.rate > 0;
    if (layout.rate != 0) {
        line += " " + right(moves ? format_rate(static_cast<double>(report.rate)) : "", layout.rate);
    }
    if (layout.eta != 0) {
        const bool knows = moves && report.eta_seconds;
        line += " " + right(knows ? format_eta(static_cast<double>(*report.eta_seconds)) : "", layout.eta);
    }
    if (layout.state != 0) {
        line += std::string(column_gap, ' ') + std::string(to_string(report.state));
    }
    return {without_trailing_space(line),
            report.state == ClientState::complete ? TableLine::Emphasis::good : TableLine::Emphasis::none};
}

// "and 12 more: 3 downloading, 9 complete"
std::string rest_line(const Pointers& clients, std::size_t from)
{
    std::map<ClientState, unsigned> counts;
    for (std::size_t at = from; at < clients.size(); ++at) {
        ++counts[clients[at]->report.state];
    }
    std::string states;
    for (const auto& [state, count] : counts) {
        states += fmt::format("{}{} {}", states.empty() ? "" : ", ", count, to_string(state));
    }
    return fmt::format("and {} more: {}", clients.size() - from, states);
}

// --- the results ---

std::string rate_text(const ClientStatus& client)
{
    const ClientReport& report = client.report;
    const auto seconds = static_cast<double>(std::max<std::uint64_t>(report.seconds, 1));
    return client.reports ? format_rate(static_cast<double>(report.received_bytes) / seconds) : "";
}

std::string reason_text(const ClientStatus& client)
{
    if (!client.reports && client.report.state == ClientState::complete) {
        return "announced, not reported";
    }
    return has_failed(client.report.state) ? shown(describe_result(client)) : "";
}

using ResultCells = std::array<std::string, 7>;

ResultCells cells_of(const ClientStatus& client)
{
    const ClientReport& report = client.report;
    const auto seconds = std::chrono::seconds(
        static_cast<std::int64_t>(std::min<std::uint64_t>(report.seconds, 1'000'000'000)));
    return {shown(name_of(client)),
            shown(report.target),
            std::string(to_string(report.state)),
            format_bytes(report.received_bytes),
            client.reports ? format_clock(seconds) : "",
            rate_text(client),
            reason_text(client)};
}

} // namespace

bool has_room_for_table(std::size_t columns, std::size_t rows)
{
    return columns >= fewest_columns && rows >= fewest_rows;
}

std::vector<TableLine> client_table(const ClientList& clients, std::size_t columns, std::size_t rows,
                                    Glyphs glyphs)
{
    const Layout layout = make_layout(clients, columns, glyphs);
    const Pointers sorted = in_order(clients, urgency);
    const std::size_t shown_clients = std::min(sorted.size(), rows - rows_beside_clients);
    std::vector<TableLine> lines{{heading(layout)}};
    for (std::size_t at = 0; at < shown_clients; ++at) {
        lines.push_back(line_of(layout, *sorted[at]));
    }
    if (shown_clients < sorted.size()) {
        lines.push_back({cut_end(rest_line(sorted, shown_clients), columns)});
    }
    return lines;
}

std::vector<std::string> client_results(const ClientList& clients)
{
    if (clients.empty()) {
        return {};
    }
    std::vector<ResultCells> rows{{"client", "target", "result", "received", "time", "rate", ""}};
    for (const ClientStatus* client : in_order(clients, [](const ClientStatus& each) {
             return has_failed(each.report.state) ? 0 : each.report.state != ClientState::complete ? 1 : 2;
         })) {
        rows.push_back(cells_of(*client));
    }
    std::array<std::size_t, std::tuple_size_v<ResultCells>> widths{};
    for (const ResultCells& row : rows) {
        for (std::size_t column = 0; column < row.size(); ++column) {
            widths.at(column) = std::max(widths.at(column), columns(row.at(column)));
        }
    }
    std::vector<std::string> lines;
    for (const ResultCells& row : rows) {
        std::string line;
        for (std::size_t column = 0; column < row.size(); ++column) {
            const bool is_number = column >= 3 && column <= 5;
            line += (column == 0 ? "" : std::string(column_gap, ' ')) +
                    (is_number ? right(row.at(column), widths.at(column))
                               : left(row.at(column), widths.at(column)));
        }
        lines.push_back(without_trailing_space(line));
    }
    return lines;
}

} // namespace ezio
