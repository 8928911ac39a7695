// SPDX-License-Identifier: GPL-2.0-or-later
#include "swarm/reporting_clients.hpp"

#include "catch.hpp"

#include <string>

namespace ezio {

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t total = 1000;
const Clock::time_point start{};

ReportOrigin at(const std::string& host, unsigned port = 6881, const std::string& behind = "")
{
    return {host, behind, host + ":" + std::to_string(port)};
}

ClientReport report(ClientState state, std::uint64_t done = 0, const std::string& target = "/dev/sda")
{
    ClientReport report;
    report.host = "pc";
    report.target = target;
    report.state = state;
    report.done_bytes = done;
    return report;
}

struct Lab {
    ReportingClients clients{total};
    Clock::time_point now = start;

    // As over a connection of its own.
    bool comes(const std::string& id, const ReportOrigin& origin, const ClientReport& said)
    {
        const bool kept = clients.reported(id, origin, said, now);
        clients.connected(id);
        return kept;
    }
    void says(const std::string& id, const ClientReport& said) { (void)clients.reported(id, {}, said, now); }
    [[nodiscard]] ReportingClients::Counts count() const { return clients.count(now); }
    [[nodiscard]] std::string states() const
    {
        std::string states;
        for (const ClientStatus& client : clients.list(now)) {
            states += (states.empty() ? "" : " ") + std::string(to_string(client.report.state));
        }
        return states;
    }
};

} // namespace

TEST_CASE("reporting clients: one is complete when it says so, and stays so when it leaves")
{
    Lab lab;
    lab.comes("a", at("10.0.0.1"), report(ClientState::downloading, total));
    CHECK(lab.count().complete == 0); // all pieces are there, and nothing is synced
    CHECK(lab.count().in_progress == 1);
    lab.says("a", report(ClientState::syncing, total));
    CHECK(lab.count().complete == 0);
    lab.says("a", report(ClientState::complete, total));
    CHECK(lab.count().complete == 1);
    CHECK(lab.count().in_progress == 0);
    lab.clients.left("a");
    lab.now += 1h;
    CHECK(lab.count().complete == 1);
    CHECK(lab.states() == "complete");
}

TEST_CASE("reporting clients: one that vanishes is lost after 30 s, with what it had, and may come back")
{
    Lab lab;
    lab.comes("a", at("10.0.0.1"), report(ClientState::downloading, 613));
    lab.clients.left("a");
    lab.now += 29s;
    CHECK(lab.states() == "downloading");
    CHECK(lab.count().failed == 0);
    lab.now += 1s;
    CHECK(lab.states() == "lost");
    CHECK(lab.count().failed == 1);
    CHECK(describe_result(lab.clients.list(lab.now).front()) == "lost at 61.3 %");
    lab.comes("a", at("10.0.0.1"), report(ClientState::downloading, 700));
    CHECK(lab.states() == "downloading");
    CHECK(lab.count().in_progress == 1);
}

TEST_CASE("reporting clients: one that is connected and says nothing any more is lost, too")
{
    Lab lab;
    lab.comes("a", at("10.0.0.1"), report(ClientState::downloading, 100));
    lab.now += 30s;
    CHECK(lab.states() == "lost");
    CHECK(lab.count().in_progress == 0);
}

TEST_CASE("reporting clients: one that failed or was stopped has said its last word")
{
    Lab lab;
    lab.comes("a", at("10.0.0.1"), report(ClientState::failed, 100));
    lab.comes("b", at("10.0.0.2"), report(ClientState::stopped, 100));
    lab.now += 1h;
    CHECK(lab.states() == "failed stopped");
    CHECK(lab.count().failed == 2);
}

TEST_CASE("reporting clients: one that is started again takes the place of what it was")
{
    Lab lab;
    lab.comes("a", at("10.0.0.1"), report(ClientState::failed, 100));
    lab.clients.left("a");
    SECTION("at the same place, to another disk")
    {
        lab.comes("b", at("10.0.0.1"), report(ClientState::connecting, 0, "/dev/sdb"));
        CHECK(lab.states() == "connecting");
    }
    SECTION("at another port, to the same disk")
    {
        lab.comes("b", at("10.0.0.1", 6882), report(ClientState::connecting));
        CHECK(lab.states() == "connecting");
    }
    SECTION("not at another port, to another disk")
    {
        lab.comes("b", at("10.0.0.1", 6882), report(ClientState::connecting, 0, "/dev/sdb"));
        CHECK(lab.states() == "failed connecting");
    }
    SECTION("not from another host that calls itself the same")
    {
        lab.comes("b", at("10.0.0.2"), report(ClientState::connecting));
        CHECK(lab.states() == "failed connecting");
    }
}

TEST_CASE("reporting clients: two on one host, while both are there, are two")
{
    Lab lab;
    lab.comes("a", at("10.0.0.1"), report(ClientState::downloading));
    lab.comes("b", at("10.0.0.1", 6882), report(ClientState::downloading));
    CHECK(lab.states() == "downloading downloading");
}

TEST_CASE("reporting clients: behind one address the own ones tell them apart, and then a number does")
{
    Lab lab;
    lab.comes("a", at("172.17.0.1", 6881, "10.0.0.1"), report(ClientState::complete));
    lab.clients.left("a");
    lab.comes("b", at("172.17.0.1", 6881, "10.0.0.2"), report(ClientState::downloading));
    lab.comes("c", at("172.17.0.1", 6881, "10.0.0.2"), report(ClientState::downloading));
    const ClientList list = lab.clients.list(lab.now);
    REQUIRE(list.size() == 3);
    CHECK(list[0].address == "172.17.0.1:6881 (10.0.0.1)");
    CHECK(list[1].address == "172.17.0.1:6881 (10.0.0.2)");
    CHECK(list[2].address == "172.17.0.1:6881 (10.0.0.2) #2");
}

TEST_CASE("reporting clients: one that was switched off and comes again replaces what seemed to be connected")
{
    Lab lab;
    lab.comes("a", at("10.0.0.1"), report(ClientState::downloading, 100));
    lab.now += 40s;
    lab.comes("b", at("10.0.0.1"), report(ClientState::connecting));
    CHECK(lab.states() == "connecting");
}

TEST_CASE("reporting clients: one with several connections is here until the last has ended")
{
    Lab lab;
    lab.comes("a", at("10.0.0.1"), report(ClientState::downloading, 10));
    lab.comes("a", at("fd00::1"), report(ClientState::downloading, 20));
    CHECK(lab.states() == "downloading");
    lab.clients.left("a");
    CHECK(lab.count().in_progress == 1);
    lab.clients.left("a");
    CHECK(lab.count().in_progress == 0);
}

TEST_CASE("reporting clients: the slowest in progress is known, and nobody has more than there is")
{
    Lab lab;
    lab.comes("a", at("10.0.0.1"), report(ClientState::downloading, 5 * total));
    lab.comes("b", at("10.0.0.2"), report(ClientState::downloading, 200));
    lab.comes("c", at("10.0.0.3"), report(ClientState::failed, 100));
    REQUIRE(lab.count().slowest);
    CHECK(lab.count().slowest->address == "10.0.0.2:6881");
    CHECK(lab.clients.list(lab.now).front().report.done_bytes == total);
    CHECK(percent_done(lab.clients.list(lab.now).front()) < 100);
}

TEST_CASE("reporting clients: ever new names from one address stay few, and cost others nothing")
{
    Lab lab;
    lab.comes("honest", at("10.0.0.2"), report(ClientState::downloading, 10));
    for (unsigned number = 0; number < 10'000; ++number) {
        const std::string id = "liar" + std::to_string(number);
        const bool complete = number % 2 == 0;
        const auto target = "/dev/" + std::to_string(number);
        lab.comes(id, at("10.0.0.1", number),
                  report(complete ? ClientState::complete : ClientState::failed, 0, target));
        lab.clients.left(id);
    }
    CHECK(lab.clients.list(lab.now).size() <= 1 + ReportingClients::most_of_one_address);
    CHECK(lab.count().failed <= ReportingClients::most_gone_of_one_address);
    lab.comes("late", at("10.0.0.3"), report(ClientState::complete, total));
    const ClientList list = lab.clients.list(lab.now);
    CHECK(list.front().address == "10.0.0.2:6881");
    CHECK(list.back().address == "10.0.0.3:6881");
}

TEST_CASE("reporting clients: one behind the same address as those is kept, and counted when it is complete")
{
    Lab lab;
    for (unsigned number = 0; number < 10'000; ++number) {
        const std::string id = "liar" + std::to_string(number);
        lab.comes(id, at("10.0.0.1", number),
                  report(ClientState::failed, 0, "/dev/" + std::to_string(number)));
        lab.clients.left(id);
    }
    CHECK(lab.count().failed == ReportingClients::most_gone_of_one_address);
    lab.comes("honest", at("10.0.0.1", 6881, "192.168.0.7"), report(ClientState::downloading, 10));
    lab.says("honest", report(ClientState::complete, total));
    lab.clients.left("honest");
    CHECK(lab.count().complete == 1);
}

TEST_CASE("reporting clients: from however many addresses they come, there is an end")
{
    Lab lab;
    for (unsigned number = 0; number < ReportingClients::most_clients + 100; ++number) {
        lab.comes(std::to_string(number), at("10.0." + std::to_string(number / 200) + ".1", number),
                  report(ClientState::complete, 0, std::to_string(number)));
    }
    CHECK(lab.clients.list(lab.now).size() == ReportingClients::most_clients);
}

TEST_CASE("reporting clients: who is not kept is nobody")
{
    Lab lab;
    lab.clients.connected("never");
    lab.clients.left("never");
    CHECK(lab.clients.list(lab.now).empty());
}

} // namespace ezio
