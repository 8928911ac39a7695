// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer/client_watch.hpp"

#include "catch.hpp"

namespace ezio {

namespace {

ClientStatus client(const std::string& host, ClientState state, std::uint64_t done = 0,
                    const std::string& target = "/dev/sda")
{
    ClientStatus status;
    status.address = host + ":6881";
    status.reports = true;
    status.total_bytes = 1000;
    status.report.host = host;
    status.report.target = target;
    status.report.state = state;
    status.report.done_bytes = done;
    return status;
}

std::string told(ClientWatch& watch, const ClientList& clients)
{
    std::string text;
    for (const ClientStatus& each : watch.observe(clients)) {
        text +=
            (text.empty() ? "" : ", ") + each.report.host + " " + std::string(to_string(each.report.state));
    }
    return text;
}

} // namespace

TEST_CASE("client watch: each state of each client is told once")
{
    ClientWatch watch;
    CHECK(told(watch, {client("a", ClientState::connecting)}) == "a connecting");
    CHECK(told(watch, {client("a", ClientState::connecting)}).empty());
    CHECK(told(watch, {client("a", ClientState::downloading, 1), client("b", ClientState::downloading)}) ==
          "a downloading, b downloading");
    CHECK(told(watch, {client("a", ClientState::downloading, 500), client("b", ClientState::failed)}) ==
          "b failed");
}

TEST_CASE("client watch: one that comes again is told again")
{
    ClientWatch watch;
    CHECK(told(watch, {client("a", ClientState::complete)}) == "a complete");
    CHECK(told(watch, {client("a", ClientState::complete, 0, "/dev/sdb")}) == "a complete");
    CHECK(told(watch, {}).empty());
    CHECK(told(watch, {client("a", ClientState::complete)}) == "a complete");
}

TEST_CASE("client watch: who is not complete is named, with the reason")
{
    ClientStatus failed = client("pc3", ClientState::failed, 613);
    failed.report.message = "No space left on device";
    CHECK(describe_clients(2, 5,
                           {client("pc1", ClientState::complete, 1000), failed,
                            client("pc4", ClientState::downloading, 200),
                            client("pc5", ClientState::lost, 100)}) ==
          "2 of 5 clients are complete: pc3 (/dev/sda) failed at 61.3 %: No space left on device; "
          "pc5 (/dev/sda) lost at 10.0 %; pc4 (/dev/sda) is downloading, 20.0 %");
    CHECK(describe_clients(1, 2, {client("pc1", ClientState::complete)}) ==
          "1 of 2 clients is complete: 1 has not connected");
    CHECK(describe_clients(0, 3, {client("pc1", ClientState::stopped)}) ==
          "0 of 3 clients are complete: pc1 (/dev/sda) stopped at 0.0 %; 2 have not connected");
}

TEST_CASE("client watch: not more than ten are named")
{
    ClientList clients;
    for (unsigned number = 0; number < 12; ++number) {
        clients.push_back(client("pc" + std::to_string(number), ClientState::lost));
    }
    CHECK_THAT(describe_clients(0, 12, clients), test::contains("pc9 (/dev/sda) lost at 0.0 %; and 2 more"));
}

} // namespace ezio
