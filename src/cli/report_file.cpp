// SPDX-License-Identifier: GPL-2.0-or-later
#include "report_file.hpp"

#include "ezio/report/json_events.hpp"
#include "ezio/util/atomic_file.hpp"
#include "ezio/util/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace ezio {

namespace {

std::string states_of(const ClientList& clients)
{
    std::string states;
    for (const ClientStatus& client : clients) {
        states += fmt::format("{} {} {}\n", client.address, client.report.target,
                              static_cast<int>(client.report.state));
    }
    return states;
}

} // namespace

std::string report_text(const ClientList& clients)
{
    const auto count = [&](auto is) { return std::count_if(clients.begin(), clients.end(), is); };
    return to_line(
               {{"version", EZIO_VERSION},
                {"complete", count([](const ClientStatus& client) {
                     return client.report.state == ClientState::complete;
                 })},
                {"failed", count([](const ClientStatus& client) { return has_failed(client.report.state); })},
                {"clients", to_json(clients)}}) +
           "\n";
}

ReportFile::ReportFile(std::string path, Reporter& reporter) : m_path(std::move(path)), m_reporter(reporter)
{
    m_written = report_text({});
    write_file_atomically(m_path, m_written);
}

ReportFile::~ReportFile()
{
    write();
}

void ReportFile::update(const ClientList& clients, Clock::time_point now)
{
    std::string states = states_of(clients);
    m_clients = clients;
    if (states != m_states || !m_when || now - *m_when >= interval) {
        m_states = std::move(states);
        m_when = now;
        write();
    }
}

void ReportFile::write()
{
    std::string text = report_text(m_clients);
    if (text == m_written) {
        return;
    }
    try {
        write_file_atomically(m_path, text);
        m_written = std::move(text);
    } catch (const std::exception& error) {
        if (!std::exchange(m_has_warned, true)) {
            m_reporter.warning(fmt::format("--report: {}", error.what()));
        }
    }
}

} // namespace ezio
