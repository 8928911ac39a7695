// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/report/json_events.hpp"

#include "captured_output.hpp"
#include "catch.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <map>
#include <sstream>

namespace ezio {

using nlohmann::json;
using test::CapturedOutput;

namespace {

enum class Type { text, count, number, number_or_null, client_or_null, list, truth };

bool is(const json& value, Type type)
{
    switch (type) {
    case Type::text:
        return value.is_string();
    case Type::count:
        return value.is_number_unsigned() || (value.is_number_integer() && value >= 0);
    case Type::number:
        return value.is_number();
    case Type::number_or_null:
        return value.is_number() || value.is_null();
    case Type::client_or_null:
        return value.is_null() || (is(value["address"], Type::text) && is(value["percent"], Type::number));
    case Type::list:
        return value.is_array();
    case Type::truth:
        return value.is_boolean();
    }
    return false;
}

// The event has these members, of these types, and no others: scripts depend on it.
void check_members(const json& event, const std::map<std::string, Type>& expected)
{
    CAPTURE(event.dump());
    CHECK(event.size() == expected.size());
    for (const auto& [name, type] : expected) {
        CAPTURE(name);
        REQUIRE(event.contains(name));
        CHECK(is(event[name], type));
    }
}

std::vector<json> lines_of(const std::string& text)
{
    std::vector<json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(json::parse(line));
    }
    return lines;
}

ProgressEvent progress(Phase phase, double seconds)
{
    ProgressEvent event;
    event.phase = phase;
    event.seconds = seconds;
    return event;
}

} // namespace

TEST_CASE("json: start says what is done, with what")
{
    const json event = to_json(StartEvent{"fetch", "sda1.torrent", "/dev/sda1", "sda1", std::string(40, 'a'),
                                          "10.0.0.1:6881", 1000, 2000, 3, 4, 65536});
    check_members(event, {{"event", Type::text},
                          {"version", Type::text},
                          {"command", Type::text},
                          {"torrent", Type::text},
                          {"target", Type::text},
                          {"name", Type::text},
                          {"info_hash", Type::text},
                          {"listen", Type::text},
                          {"payload_bytes", Type::count},
                          {"device_bytes", Type::count},
                          {"extents", Type::count},
                          {"pieces", Type::count},
                          {"piece_length", Type::count}});
    CHECK(event["event"] == "start");
    CHECK(event["command"] == "fetch");
    CHECK(event["target"] == "/dev/sda1");
    CHECK(event["listen"] == "10.0.0.1:6881");
    CHECK(event["payload_bytes"] == 1000);
    CHECK(event["device_bytes"] == 2000);
    CHECK(event["version"] == EZIO_VERSION);
}

TEST_CASE(
    "json: progress has bytes, seconds and rates as numbers, and null for a time left that is not known")
{
    ProgressEvent event = progress(Phase::downloading, 1.5);
    event.total_bytes = (1ULL << 62) + 1; // not to be rounded on the way
    event.done_bytes = 3;
    event.peers = 2;
    const std::map<std::string, Type> members{{"event", Type::text},
                                              {"phase", Type::text},
                                              {"seconds", Type::number},
                                              {"total_bytes", Type::count},
                                              {"received_bytes", Type::count},
                                              {"done_bytes", Type::count},
                                              {"uploaded_bytes", Type::count},
                                              {"received_wire_bytes", Type::count},
                                              {"uploaded_wire_bytes", Type::count},
                                              {"download_rate", Type::number},
                                              {"upload_rate", Type::number},
                                              {"done_rate", Type::number},
                                              {"eta_seconds", Type::number_or_null},
                                              {"peers", Type::count},
                                              {"peers_complete", Type::count},
                                              {"skipped_bytes", Type::count},
                                              {"clients_complete", Type::count},
                                              {"clients_in_progress", Type::count},
                                              {"clients_failed", Type::count},
                                              {"slowest", Type::client_or_null}};
    check_members(to_json(event), members);
    CHECK(to_json(event)["eta_seconds"].is_null());
    CHECK(to_json(event)["total_bytes"] == (1ULL << 62) + 1);
    CHECK(json::parse(to_line(to_json(event)))["total_bytes"] == (1ULL << 62) + 1);

    event.eta_seconds = 12.5;
    check_members(to_json(event), members);
    CHECK(to_json(event)["eta_seconds"] == 12.5);

    event.slowest = {"10.0.0.7:6881", 31.5};
    check_members(to_json(event), members);
    CHECK(to_json(event)["slowest"] == json{{"address", "10.0.0.7:6881"}, {"percent", 31.5}});
}

TEST_CASE("json: every phase has a name of its own")
{
    const std::map<Phase, std::string> names{
        {Phase::metadata, "metadata"}, {Phase::connecting, "connecting"},   {Phase::checking, "checking"},
        {Phase::hashing, "hashing"},   {Phase::downloading, "downloading"}, {Phase::syncing, "syncing"},
        {Phase::seeding, "seeding"},   {Phase::verifying, "verifying"},     {Phase::mapping, "mapping"}};
    for (const auto& [phase, name] : names) {
        CHECK(to_json(progress(phase, 0))["phase"] == name);
    }
}

TEST_CASE("json: a peer comes or goes")
{
    const json came = to_json(PeerEvent{true, "10.0.0.2:6881"});
    check_members(
        came,
        {{"event", Type::text}, {"action", Type::text}, {"address", Type::text}, {"reason", Type::text}});
    CHECK(came ==
          json{{"event", "peer"}, {"action", "connected"}, {"address", "10.0.0.2:6881"}, {"reason", ""}});
    const json left = to_json(PeerEvent{false, "10.0.0.2:6881", "it closed the connection"});
    CHECK(left["action"] == "left");
    CHECK(left["reason"] == "it closed the connection");
}

TEST_CASE("json: a client of a seed has what it said, and null for what it did not")
{
    ClientStatus client;
    client.address = "10.0.0.2:6881";
    client.report.host = "pc07";
    const std::map<std::string, Type> members{{"host", Type::text},
                                              {"address", Type::text},
                                              {"target", Type::text},
                                              {"serial", Type::text},
                                              {"reports", Type::truth},
                                              {"state", Type::text},
                                              {"done_bytes", Type::count},
                                              {"total_bytes", Type::count},
                                              {"received_bytes", Type::count},
                                              {"rate", Type::count},
                                              {"seconds", Type::count},
                                              {"eta_seconds", Type::number_or_null},
                                              {"status", Type::number_or_null},
                                              {"message", Type::text}};
    check_members(to_json(client), members);
    CHECK(to_json(client)["eta_seconds"].is_null());
    CHECK(to_json(client)["status"].is_null());
    client.report.state = ClientState::failed;
    client.report.status = 5;
    client.report.eta_seconds = 41;
    check_members(to_json(client), members);
    CHECK(to_json(client)["state"] == "failed");
    CHECK(to_json(client)["status"] == 5);
    CHECK(to_json(client)["eta_seconds"] == 41);
    CHECK(client_to_json(client)["event"] == "client");
    SummaryEvent summary;
    CHECK_FALSE(to_json(summary).contains("clients")); // of other commands
    summary.clients = ClientList{client};
    CHECK(to_json(summary)["clients"] == json::array({to_json(client)}));
}

TEST_CASE("json: a warning is its message")
{
    CHECK(warning_to_json("tracker: no") == json{{"event", "warning"}, {"message", "tracker: no"}});
}

TEST_CASE("json: a note is there when it was asked for")
{
    const CapturedOutput out(STDOUT_FILENO);
    make_json_reporter(Verbosity::normal)->note("why");
    make_json_reporter(Verbosity::verbose)->note("why");
    CHECK(out.text() == "{\"event\":\"note\",\"message\":\"why\"}\n");
}

TEST_CASE("json: nothing that a terminal would obey is in a line")
{
    const std::string line = to_line(warning_to_json("\033[31m \177 \u009b31m \u202e"));
    CHECK(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; }));
    CHECK(json::parse(line)["message"] == "\033[31m \177 \u009b31m \u202e");
}

TEST_CASE("json: complete and summary count")
{
    check_members(to_json(CompleteEvent{2.5, 1000}),
                  {{"event", Type::text}, {"seconds", Type::number}, {"bytes", Type::count}});
    CHECK(to_json(CompleteEvent{2.5, 1000}) ==
          json{{"event", "complete"}, {"seconds", 2.5}, {"bytes", 1000}});

    const json summary = to_json(SummaryEvent{ExitStatus::done,
                                              2.5,
                                              1,
                                              2,
                                              3,
                                              4,
                                              5,
                                              6,
                                              7,
                                              {{"10.0.0.1:6881", true, 2, 4}},
                                              {{"zfs_member", 4096, 8}},
                                              8,
                                              9});
    check_members(summary, {{"event", Type::text},
                            {"status", Type::count},
                            {"seconds", Type::number},
                            {"total_bytes", Type::count},
                            {"received_bytes", Type::count},
                            {"written_bytes", Type::count},
                            {"uploaded_bytes", Type::count},
                            {"received_wire_bytes", Type::count},
                            {"uploaded_wire_bytes", Type::count},
                            {"redundant_bytes", Type::count},
                            {"failed_pieces", Type::count},
                            {"skipped_bytes", Type::count},
                            {"peers", Type::list},
                            {"wiped_signatures", Type::list}});
    CHECK(summary["wiped_signatures"] == json{{{"type", "zfs_member"}, {"offset", 4096}, {"length", 8}}});
    CHECK(summary["status"] == 0);
    CHECK(summary["written_bytes"] == 3);
    CHECK(summary["failed_pieces"] == 6);
    CHECK(summary["received_wire_bytes"] == 8);
    CHECK(summary["uploaded_wire_bytes"] == 9);
    REQUIRE(summary["peers"].size() == 1);
    check_members(summary["peers"][0], {{"address", Type::text},
                                        {"seeder", Type::truth},
                                        {"received_bytes", Type::count},
                                        {"uploaded_bytes", Type::count}});
    CHECK(summary["peers"][0]["seeder"] == true);
}

TEST_CASE("json: an error has its message and the status to exit with")
{
    const json event = to_json(Error(ExitStatus::target, "no such device"));
    check_members(event, {{"event", Type::text}, {"status", Type::count}, {"message", Type::text}});
    CHECK(event == json{{"event", "error"}, {"status", 4}, {"message", "no such device"}});
}

TEST_CASE("json: an I/O error says where it was, too")
{
    const json event =
        to_json(Error(IoFailure{IoFailure::Operation::write, "/dev/sda1", ENOSPC, 8192, 4096}));
    check_members(event, {{"event", Type::text},
                          {"status", Type::count},
                          {"message", Type::text},
                          {"path", Type::text},
                          {"offset", Type::count},
                          {"length", Type::count},
                          {"errno", Type::count}});
    CHECK(event["status"] == 5);
    CHECK(event["path"] == "/dev/sda1");
    CHECK(event["offset"] == 8192);
    CHECK(event["length"] == 4096);
    CHECK(event["errno"] == ENOSPC);
}

TEST_CASE("json: whatever bytes are in a message, it is one line of valid JSON")
{
    for (const std::string& message :
         {std::string("/mnt/b\xfcro"), std::string("\xff\xfe\x80"), std::string("cut \xe2\x82"),
          std::string("two\nlines\r\n"), std::string("a\0b", 3), std::string("\033[31m \"\\")}) {
        const std::string line = to_line(warning_to_json(message));
        CAPTURE(line);
        CHECK(line.find_first_of("\r\n") == std::string::npos);
        CHECK(json::parse(line)["message"].is_string());
    }
    CHECK(json::parse(to_line(warning_to_json("/mnt/b\xfcro")))["message"] == "/mnt/b\ufffdro");
    CHECK(json::parse(to_line(warning_to_json("Büro \"3\"\n")))["message"] == "Büro \"3\"\n");
}

TEST_CASE("json: a rate that is no number is null, not a broken line")
{
    ProgressEvent event = progress(Phase::downloading, 1);
    event.done_rate = std::numeric_limits<double>::infinity();
    CHECK(json::parse(to_line(to_json(event)))["done_rate"].is_null());
}

TEST_CASE("json reporter: events are lines on standard output, errors sentences on standard error too")
{
    const CapturedOutput out(STDOUT_FILENO);
    const CapturedOutput err(STDERR_FILENO);
    const auto reporter = make_json_reporter(Verbosity::normal);
    reporter->start({});
    reporter->peer({true, "10.0.0.2:6881"});
    reporter->warning("slow");
    reporter->complete({});
    reporter->summary({});
    reporter->error({ExitStatus::io, "b\xfcro: gone"});
    const auto lines = lines_of(out.text());
    REQUIRE(lines.size() == 6);
    const std::vector<std::string> expected{"start", "peer", "warning", "complete", "summary", "error"};
    for (std::size_t i = 0; i < lines.size(); ++i) {
        CHECK(lines[i]["event"] == expected[i]);
    }
    CHECK(err.text() == "ezio-cli: b\\xfcro: gone\n");
}

TEST_CASE("json reporter: progress is there once a second, and whenever the phase changes")
{
    const CapturedOutput out(STDOUT_FILENO);
    const auto reporter = make_json_reporter(Verbosity::normal);
    for (int quarter = 0; quarter < 12; ++quarter) { // three seconds
        reporter->progress(progress(Phase::downloading, 0.25 * quarter));
    }
    reporter->progress(progress(Phase::syncing, 2.8));
    reporter->progress(progress(Phase::seeding, 2.9));
    reporter->progress(progress(Phase::seeding, 3.0));
    std::vector<double> seconds;
    for (const json& line : lines_of(out.text())) {
        seconds.push_back(line["seconds"]);
    }
    CHECK(seconds == std::vector<double>{0, 1, 2, 2.8, 2.9});
}

} // namespace ezio
