// SPDX-License-Identifier: GPL-2.0-or-later
#include "client_table.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/util/printable.hpp"
#include "ezio/util/units.hpp"
#include "line_printer.hpp"
#include "progress_line.hpp"
#include "summary_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ezio {

namespace {

class TextReporter final : public Reporter {
  public:
    TextReporter(Verbosity verbosity, Color color, std::chrono::milliseconds interval)
        : m_printer(stderr), m_verbosity(verbosity),
          m_colored(color == Color::always || (color == Color::yes && m_printer.is_smart())),
          m_interval(std::chrono::duration<double>(interval).count())
    {}

    void start(const StartEvent& event) override
    {
        m_command = event.command;
        say(fmt::format("{} {}: {} in {}, {} of {}", event.command, event.name,
                        format_bytes(event.payload_bytes), counted(event.extents, "extent"),
                        counted(event.pieces, "piece"), format_bytes(event.piece_length)));
        if (!event.listen.empty()) {
            say("listening on " + event.listen);
        }
    }

    void progress(const ProgressEvent& event) override
    {
        if (m_verbosity == Verbosity::quiet || !m_printer.flush()) {
            return;
        }
        const bool new_phase = std::exchange(m_phase, event.phase) != event.phase;
        if (m_printer.is_smart()) {
            draw_if_time(event, new_phase);
        } else if (new_phase || event.seconds - m_last_plain >= m_interval) {
            m_last_plain = event.seconds;
            m_printer.print(plain_progress(event));
        }
    }

    void peer(const PeerEvent& event) override
    {
        note(fmt::format("peer {} {}{}", event.address, event.connected ? "connected" : "left",
                         event.reason.empty() ? "" : ": " + event.reason));
    }

    // Left out if the table shows it.
    void client(const ClientStatus& client) override
    {
        const ClientState state = client.report.state;
        if (!shows_table() && (state == ClientState::complete || has_failed(state))) {
            say(fmt::format("{}: {}", describe_client(client), describe_result(client)),
                has_failed(state) ? yellow : green, "client ");
        }
    }

    void clients(const ClientList& all) override { m_clients = all; }

    void warning(const std::string& message) override { say(message, yellow, "warning: "); }

    void note(const std::string& message) override
    {
        if (m_verbosity == Verbosity::verbose) {
            say(message);
        }
    }

    void complete(const CompleteEvent& event) override
    {
        say(fmt::format("{} verified, written and synced in {:.1f} s ({})", format_bytes(event.bytes),
                        event.seconds,
                        format_rate(static_cast<double>(event.bytes) / std::max(event.seconds, 1e-3))),
            green, "complete: ");
    }

    void summary(const SummaryEvent& event) override
    {
        for (const std::string& line : summary_text(m_command, event)) {
            say(line);
        }
        for (const PeerTotals& peer : event.peers) {
            note(fmt::format("peer {}{}: received {}, sent {}", peer.address, peer.seeder ? " (seeder)" : "",
                             format_bytes(peer.received_bytes), format_bytes(peer.uploaded_bytes)));
        }
    }

    void error(const Error& error) override
    {
        m_printer.print(colored(red, "ezio-cli: ") + printable(error.what()));
    }

    void make_way() override { m_printer.clear(); }
    void finish() override { (void)m_printer.finish(); }

  private:
    static constexpr std::string_view red = "31";
    static constexpr std::string_view green = "32";
    static constexpr std::string_view yellow = "33";

    // Prints a message unless quiet. `message` is untrusted text; `label` is not.
    void say(const std::string& message, std::string_view color = "", std::string_view label = "")
    {
        if (m_verbosity != Verbosity::quiet) {
            m_printer.print(colored(color, label) + printable(message));
        }
    }

    // Even before there are clients: those that come before the first drawing would be printed otherwise.
    [[nodiscard]] bool shows_table() const
    {
        return m_verbosity != Verbosity::quiet && m_printer.is_smart() &&
               has_room_for_table(m_printer.width() - 1, m_printer.height());
    }

    // Limits the rate: many lines that change ten times a second are not calm, and slow terminals need time.
    void draw_if_time(const ProgressEvent& event, bool new_phase)
    {
        constexpr double interval = 0.2; // seconds
        const std::size_t width = m_printer.width();
        const std::size_t height = m_printer.height();
        const bool is_table = !m_clients.empty() && has_room_for_table(width - 1, height);
        if (!is_table || new_phase || event.seconds - m_last_drawn >= interval) {
            m_last_drawn = event.seconds;
            draw(event, width, is_table ? table_lines(width - 1, height) : std::vector<LinePrinter::Line>());
        }
    }

    void draw(const ProgressEvent& event, std::size_t width, std::vector<LinePrinter::Line> lines)
    {
        // The terminal shows Ctrl-C as ^C after the line, which must not wrap; in a narrow window it may.
        const std::size_t rest = width >= 60 ? 3 : 1;
        const std::string line =
            progress_line(event, width - rest, m_printer.has_unicode() ? Glyphs::unicode : Glyphs::ascii);
        lines.push_back({line, columns(line)});
        m_printer.redraw(lines);
    }

    [[nodiscard]] std::vector<LinePrinter::Line> table_lines(std::size_t width, std::size_t height) const
    {
        std::vector<LinePrinter::Line> lines;
        for (const TableLine& line : client_table(
                 m_clients, width, height, m_printer.has_unicode() ? Glyphs::unicode : Glyphs::ascii)) {
            lines.push_back({colored(color_of(line.emphasis), line.text), columns(line.text)});
        }
        return lines;
    }

    static std::string_view color_of(TableLine::Emphasis emphasis)
    {
        switch (emphasis) {
        case TableLine::Emphasis::good:
            return green;
        case TableLine::Emphasis::bad:
            return red;
        case TableLine::Emphasis::none:
            break;
        }
        return "";
    }

    [[nodiscard]] std::string colored(std::string_view code, std::string_view text) const
    {
        return m_colored && !code.empty() && !text.empty() ? fmt::format("\033[{}m{}\033[0m", code, text)
                                                           : std::string(text);
    }

    LinePrinter m_printer;
    const Verbosity m_verbosity;
    const bool m_colored;
    const double m_interval; // seconds between two plain lines
    std::string m_command;
    std::optional<Phase> m_phase; // of the last progress
    ClientList m_clients;
    double m_last_drawn = 0;
    double m_last_plain = 0;
};

} // namespace

std::unique_ptr<Reporter> make_text_reporter(Verbosity verbosity, Color color,
                                             std::chrono::milliseconds interval)
{
    return std::make_unique<TextReporter>(verbosity, color, interval);
}

} // namespace ezio
