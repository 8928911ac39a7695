// SPDX-License-Identifier: GPL-2.0-or-later
//
// `seed --report FILE`: the clients as JSON, in a file that other programs can read at any moment. Each
// version replaces the previous one atomically. A change of state is written at once, others once a second.
#pragma once

#include "ezio/report/client_status.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/util/clock.hpp"

#include <optional>
#include <string>

namespace ezio {

// Not thread-safe.
class ReportFile {
  public:
    static constexpr milliseconds interval{1000};

    // Writes an empty list. Throws Error (ExitStatus::target, io) on failure. Later failures are warned about
    // once through `reporter`, which must outlive it.
    ReportFile(std::string path, Reporter& reporter);

    ~ReportFile(); // writes the latest changes
    ReportFile(const ReportFile&) = delete;
    ReportFile& operator=(const ReportFile&) = delete;

    void update(const ClientList& clients, Clock::time_point now);

  private:
    void write();

    const std::string m_path;
    Reporter& m_reporter;
    ClientList m_clients;
    std::string m_states;  // of all clients, at the last write
    std::string m_written; // what is in the file
    std::optional<Clock::time_point> m_when;
    bool m_has_warned = false;
};

// The contents of the file.
[[nodiscard]] std::string report_text(const ClientList& clients);

} // namespace ezio
