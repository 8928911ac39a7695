// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/report/json_events.hpp"
#include "ezio/util/printable.hpp"
#include "line_printer.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace ezio {

namespace {

using nlohmann::json;

class JsonReporter final : public Reporter {
  public:
    JsonReporter(Verbosity verbosity, std::chrono::milliseconds interval)
        : m_verbosity(verbosity), m_interval(std::chrono::duration<double>(interval).count())
    {}

    void start(const StartEvent& event) override { print(to_json(event)); }

    void progress(const ProgressEvent& event) override
    {
        if (!m_events.flush()) {
            return;
        }
        const bool new_phase = std::exchange(m_phase, event.phase) != event.phase;
        if (new_phase || event.seconds - m_last >= m_interval) {
            m_last = event.seconds;
            print(to_json(event));
        }
    }

    void peer(const PeerEvent& event) override { print(to_json(event)); }
    void client(const ClientStatus& client) override { print(client_to_json(client)); }
    void warning(const std::string& message) override { print(warning_to_json(message)); }

    void note(const std::string& message) override
    {
        if (m_verbosity == Verbosity::verbose) {
            print(note_to_json(message));
        }
    }

    void complete(const CompleteEvent& event) override { print(to_json(event)); }
    void summary(const SummaryEvent& event) override { print(to_json(event)); }

    void error(const Error& error) override
    {
        print(to_json(error));
        m_errors.print("ezio-cli: " + printable(error.what()));
    }

    void make_way() override // a result also waits while the reader reads
    {
        std::size_t before = 0;
        do {
            before = m_events.waiting();
        } while (!m_events.finish() && m_events.waiting() < before);
    }

    void finish() override
    {
        (void)m_events.finish();
        (void)m_errors.finish();
    }

  private:
    void print(const json& object) { m_events.print(to_line(object)); }

    const Verbosity m_verbosity;
    const double m_interval; // seconds between two progress events of the same phase
    LinePrinter m_events{stdout};
    LinePrinter m_errors{stderr};
    std::optional<Phase> m_phase; // of the last progress
    double m_last = 0;
};

json to_json(const std::optional<SlowestClient>& slowest)
{
    return slowest ? json{{"address", slowest->address}, {"percent", slowest->percent}} : json();
}

} // namespace

json to_json(const StartEvent& event)
{
    return {{"event", "start"},
            {"version", EZIO_VERSION},
            {"command", event.command},
            {"torrent", event.torrent},
            {"target", event.target},
            {"name", event.name},
            {"info_hash", event.info_hash},
            {"listen", event.listen},
            {"payload_bytes", event.payload_bytes},
            {"device_bytes", event.device_bytes},
            {"extents", event.extents},
            {"pieces", event.pieces},
            {"piece_length", event.piece_length}};
}

json to_json(const ProgressEvent& event)
{
    return {{"event", "progress"},
            {"phase", to_string(event.phase)},
            {"seconds", event.seconds},
            {"total_bytes", event.total_bytes},
            {"received_bytes", event.received_bytes},
            {"received_wire_bytes", event.received_wire_bytes},
            {"done_bytes", event.done_bytes},
            {"uploaded_bytes", event.uploaded_bytes},
            {"uploaded_wire_bytes", event.uploaded_wire_bytes},
            {"download_rate", event.download_rate},
            {"upload_rate", event.upload_rate},
            {"done_rate", event.done_rate},
            {"eta_seconds", event.eta_seconds ? json(*event.eta_seconds) : json()},
            {"peers", event.peers},
            {"peers_complete", event.peers_complete},
            {"skipped_bytes", event.skipped_bytes},
            {"clients_complete", event.clients_complete},
            {"clients_in_progress", event.clients_in_progress},
            {"clients_failed", event.clients_failed},
            {"slowest", to_json(event.slowest)}};
}

json to_json(const PeerEvent& event)
{
    return {{"event", "peer"},
            {"action", event.connected ? "connected" : "left"},
            {"address", event.address},
            {"reason", event.reason}};
}

json to_json(const ClientStatus& client)
{
    const ClientReport& report = client.report;
    return {{"host", report.host},
            {"address", client.address},
            {"target", report.target},
            {"serial", report.serial},
            {"reports", client.reports},
            {"state", to_string(report.state)},
            {"done_bytes", report.done_bytes},
            {"total_bytes", client.total_bytes},
            {"received_bytes", report.received_bytes},
            {"rate", report.rate},
            {"seconds", report.seconds},
            {"eta_seconds", report.eta_seconds ? json(*report.eta_seconds) : json()},
            {"status", report.status ? json(*report.status) : json()},
            {"message", report.message}};
}

json client_to_json(const ClientStatus& client)
{
    json object = to_json(client);
    object["event"] = "client";
    return object;
}

json to_json(const ClientList& clients)
{
    json list = json::array();
    for (const ClientStatus& client : clients) {
        list.push_back(to_json(client));
    }
    return list;
}

json to_json(const CompleteEvent& event)
{
    return {{"event", "complete"}, {"seconds", event.seconds}, {"bytes", event.bytes}};
}

json to_json(const SummaryEvent& event)
{
    json peers = json::array();
    for (const PeerTotals& peer : event.peers) {
        peers.push_back({{"address", peer.address},
                         {"seeder", peer.seeder},
                         {"received_bytes", peer.received_bytes},
                         {"uploaded_bytes", peer.uploaded_bytes}});
    }
    json wiped = json::array();
    for (const WipedSignature& each : event.wiped) {
        wiped.push_back({{"type", each.type}, {"offset", each.offset}, {"length", each.length}});
    }
    json summary{{"event", "summary"},
                 {"status", static_cast<int>(event.status)},
                 {"seconds", event.seconds},
                 {"total_bytes", event.total_bytes},
                 {"received_bytes", event.received_bytes},
                 {"received_wire_bytes", event.received_wire_bytes},
                 {"written_bytes", event.written_bytes},
                 {"uploaded_bytes", event.uploaded_bytes},
                 {"uploaded_wire_bytes", event.uploaded_wire_bytes},
                 {"redundant_bytes", event.redundant_bytes},
                 {"failed_pieces", event.failed_pieces},
                 {"skipped_bytes", event.skipped_bytes},
                 {"peers", std::move(peers)},
                 {"wiped_signatures", std::move(wiped)}};
    if (event.clients) {
        summary["clients"] = to_json(*event.clients);
    }
    return summary;
}

json to_json(const Error& error)
{
    json object{{"event", "error"}, {"status", static_cast<int>(error.status())}, {"message", error.what()}};
    if (const auto& failure = error.io_failure()) {
        object["path"] = failure->path;
        object["offset"] = failure->offset;
        object["length"] = failure->length;
        object["errno"] = failure->error == end_of_file ? 0 : failure->error;
    }
    return object;
}

json warning_to_json(const std::string& message)
{
    return {{"event", "warning"}, {"message", message}};
}

json note_to_json(const std::string& message)
{
    return {{"event", "note"}, {"message", message}};
}

std::string to_line(const json& object)
{
    constexpr bool ascii_only = true; // control characters of all kinds are escaped, then
    return object.dump(-1, ' ', ascii_only, json::error_handler_t::replace);
}

std::unique_ptr<Reporter> make_json_reporter(Verbosity verbosity, std::chrono::milliseconds interval)
{
    return std::make_unique<JsonReporter>(verbosity, interval);
}

} // namespace ezio
