// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/line_printer.hpp"
#include "ezio/progress_line.hpp"
#include "ezio/reporter.hpp"
#include "ezio/units.hpp"

#include <fmt/format.h>

#include <utility>

namespace ezio {

namespace {

// Seconds between two plain lines when there is no terminal.
constexpr double plain_interval = 10;

class TextReporter final : public Reporter {
  public:
    TextReporter(Verbosity verbosity, Color color) : m_printer(stderr), m_verbosity(verbosity), m_color(color) {}

    void start(const StartEvent& event) override
    {
        if (m_verbosity == Verbosity::quiet) {
            return;
        }
        m_printer.print(fmt::format("{} {}: {} in {} extents, {} pieces of {}", event.command, event.name,
                                    format_bytes(event.payload_bytes), format_count(event.extents),
                                    format_count(event.pieces), format_bytes(event.piece_length)));
        if (!event.listen.empty()) {
            m_printer.print("listening on " + event.listen);
        }
    }

    void progress(const ProgressEvent& event) override
    {
        const bool new_phase = std::exchange(m_phase, event.phase) != event.phase;
        if (m_verbosity == Verbosity::quiet) {
            return;
        }
        if (m_printer.is_smart()) {
            m_printer.redraw(progress_line(event, m_printer.width() - 1));
        } else if (new_phase || event.seconds - m_last_plain >= plain_interval) {
            m_last_plain = event.seconds;
            m_printer.print(progress_line(event, 200));
        }
    }

    void peer(const PeerEvent& event) override
    {
        if (m_verbosity == Verbosity::verbose) {
            m_printer.print(fmt::format("peer {} {}", event.address, event.connected ? "connected" : "left"));
        }
    }

    void warning(const std::string& message) override
    {
        if (m_verbosity != Verbosity::quiet) {
            m_printer.print(colored("33", "warning:") + " " + message);
        }
    }

    void note(const std::string& message) override
    {
        if (m_verbosity == Verbosity::verbose) {
            m_printer.print(message);
        }
    }

    void complete(const CompleteEvent& event) override
    {
        if (m_verbosity != Verbosity::quiet) {
            m_printer.print(fmt::format("{}: {} verified, written and synced in {:.1f} s ({})",
                                        colored("32", "complete"), format_bytes(event.bytes), event.seconds,
                                        format_rate(static_cast<double>(event.bytes) / std::max(event.seconds, 1e-3))));
        }
    }

    void summary(const SummaryEvent& event) override
    {
        if (m_verbosity != Verbosity::quiet && event.uploaded_bytes + event.received_bytes > 0) {
            m_printer.print(fmt::format("received {}, sent {} in {:.1f} s{}", format_bytes(event.received_bytes),
                                        format_bytes(event.uploaded_bytes), event.seconds,
                                        event.failed_pieces > 0
                                            ? fmt::format(", {} pieces failed their hash", event.failed_pieces)
                                            : ""));
        }
    }

    void error(const Error& error) override
    {
        m_printer.print(colored("31", "ezio-cli:") + " " + error.what());
    }

  private:
    [[nodiscard]] std::string colored(std::string_view code, std::string_view text) const
    {
        const bool use = m_color == Color::yes && m_printer.is_smart();
        return use ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
    }

    LinePrinter m_printer;
    const Verbosity m_verbosity;
    const Color m_color;
    std::optional<Phase> m_phase; // of the last progress
    double m_last_plain = 0;
};

} // namespace

std::unique_ptr<Reporter> make_text_reporter(Verbosity verbosity, Color color)
{
    return std::make_unique<TextReporter>(verbosity, color);
}

} // namespace ezio
