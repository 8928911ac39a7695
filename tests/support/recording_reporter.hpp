// SPDX-License-Identifier: GPL-2.0-or-later
//
// A reporter that remembers what it was told, as one line for each event: "warning: ...", "note: ...",
// "peer 10.0.0.2:6881 connected".
#pragma once

#include "ezio/report/reporter.hpp"

#include <string>
#include <utility>
#include <vector>

namespace ezio::test {

class RecordingReporter final : public Reporter {
  public:
    void start(const StartEvent& event) override { m_lines.push_back("start " + event.command); }
    void progress(const ProgressEvent& event) override { last_progress = event; }
    void peer(const PeerEvent& event) override
    {
        m_lines.push_back("peer " + event.address + (event.connected ? " connected" : " left") +
                          (event.reason.empty() ? "" : ": " + event.reason));
    }
    void warning(const std::string& message) override { m_lines.push_back("warning: " + message); }
    void note(const std::string& message) override { m_lines.push_back("note: " + message); }
    void complete(const CompleteEvent&) override { m_lines.emplace_back("complete"); }
    void summary(const SummaryEvent&) override { m_lines.emplace_back("summary"); }
    void error(const Error& error) override { m_lines.push_back(std::string("error: ") + error.what()); }

    // What was told since it was last asked.
    [[nodiscard]] std::vector<std::string> take() { return std::exchange(m_lines, {}); }

    ProgressEvent last_progress;

  private:
    std::vector<std::string> m_lines;
};

} // namespace ezio::test
