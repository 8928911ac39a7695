// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/swarm/client_registry.hpp"

#include "catch.hpp"

#include <string>

using namespace ezio;

TEST_CASE("client registry: clients are in progress until they have every piece")
{
    ClientRegistry registry(10);
    CHECK(registry.count().in_progress == 0);
    CHECK_FALSE(registry.count().slowest);
    registry.has("10.0.0.1:6881", 0);
    registry.has("10.0.0.2:6881", 9);
    CHECK(registry.count().in_progress == 2);
    CHECK(registry.count().complete == 0);
    registry.has("10.0.0.2:6881", 10);
    CHECK(registry.count().in_progress == 1);
    CHECK(registry.count().complete == 1);
}

TEST_CASE("client registry: the slowest is the one in progress that has the least")
{
    ClientRegistry registry(10);
    registry.has("10.0.0.1:6881", 5);
    registry.has("10.0.0.2:6881", 3);
    registry.has("10.0.0.3:6881", 10);
    REQUIRE(registry.count().slowest);
    CHECK(registry.count().slowest->address == "10.0.0.2:6881");
    CHECK(registry.count().slowest->pieces == 3);
    registry.left("10.0.0.2:6881");
    CHECK(registry.count().slowest->address == "10.0.0.1:6881");
}

TEST_CASE("client registry: one that is complete stays counted when it leaves")
{
    ClientRegistry registry(10);
    registry.has("10.0.0.1:6881", 10);
    registry.left("10.0.0.1:6881");
    CHECK(registry.count().complete == 1);
    CHECK(registry.count().in_progress == 0);
}

TEST_CASE("client registry: one that leaves half way is nothing, until it comes back")
{
    ClientRegistry registry(10);
    registry.has("10.0.0.1:6881", 5);
    registry.left("10.0.0.1:6881");
    registry.left("10.0.0.9:6881"); // never seen
    CHECK(registry.count().in_progress == 0);
    CHECK(registry.count().complete == 0);
    registry.has("10.0.0.1:6881", 6);
    CHECK(registry.count().in_progress == 1);
}

TEST_CASE("client registry: one that is started again counts once, by what it has now")
{
    ClientRegistry registry(10);
    registry.has("10.0.0.1:6881", 10);
    registry.left("10.0.0.1:6881");
    registry.has("10.0.0.1:6881", 0);
    CHECK(registry.count().complete == 0);
    CHECK(registry.count().in_progress == 1);
    registry.has("10.0.0.1:6881", 10);
    CHECK(registry.count().complete == 1);
}

TEST_CASE("client registry: several on one host are several")
{
    ClientRegistry registry(10);
    registry.has("10.0.0.1:6881", 10);
    registry.has("10.0.0.1:6882", 10);
    CHECK(registry.count().complete == 2);
}

TEST_CASE("client registry: a process keeps its first name, whatever its addresses")
{
    ClientRegistry registry(10);
    CHECK(registry.name_of("one", "10.0.0.1:6881") == "10.0.0.1:6881");
    CHECK(registry.name_of("one", "10.1.0.1:6881") == "10.0.0.1:6881");
    CHECK(registry.name_of("two", "10.1.0.1:6881") == "10.1.0.1:6881");
}

TEST_CASE("client registry: who does not say which process it is has the name of its address")
{
    ClientRegistry registry(10);
    CHECK(registry.name_of("", "10.0.0.1:6881") == "10.0.0.1:6881");
    CHECK(registry.name_of("", "10.0.0.2:6881") == "10.0.0.2:6881");
}

TEST_CASE("client registry: clients behind one address are told apart by the one each has itself")
{
    ClientRegistry registry(10);
    const std::string first = registry.name_of("one", "172.17.0.1:6881", "10.0.0.1");
    CHECK(first == "172.17.0.1:6881 (10.0.0.1)");
    registry.has(first, 10);
    registry.left(first);
    registry.has(registry.name_of("two", "172.17.0.1:6881", "10.0.0.2"), 10);
    CHECK(registry.count().complete == 2);
    CHECK(registry.name_of("again", "172.17.0.1:6881", "10.0.0.1") == first); // the first, started again
}

TEST_CASE("client registry: clients that have that in common, too, are told apart while they are connected")
{
    ClientRegistry registry(10);
    const auto name_of = [&](const char* process) {
        return registry.name_of(process, "172.17.0.1:6881", "172.17.0.2");
    };
    const std::string first = name_of("one");
    registry.has(first, 4);
    const std::string second = name_of("two");
    registry.has(second, 5);
    registry.has(name_of("three"), 6);
    CHECK(registry.count().in_progress == 3);
    CHECK(name_of("two") == second); // by another connection
    registry.left(first);
    registry.has(name_of("four"), 7); // has the first one's name now
    registry.has(name_of("one"), 4);
    CHECK(registry.count().in_progress == 4);
}

namespace {

// Other programs behind one address, on one port.
struct OtherPrograms {
    ClientRegistry registry{10};

    std::string come(const std::string& peer_id, std::uint32_t pieces)
    {
        std::string name = registry.name_of_other(peer_id, "172.17.0.1:6881", pieces);
        registry.has(name, pieces);
        return name;
    }
    void come_and_complete(const std::string& peer_id)
    {
        const std::string name = come(peer_id, 0);
        registry.has(name, 10);
        registry.left(name);
    }
};

} // namespace

TEST_CASE("client registry: other programs behind one address are told apart while they are connected")
{
    OtherPrograms behind;
    const std::string one = behind.come("one", 0);
    const std::string two = behind.come("two", 0);
    CHECK(behind.registry.count().in_progress == 2);
    CHECK(behind.come("two", 0) == two); // once more, before the older connection has ended
    CHECK(behind.come("", 0) == one);    // connected from here: may be one of those
    for (const std::string& name : {one, two}) {
        behind.registry.has(name, 10);
        behind.registry.left(name);
    }
    CHECK(behind.registry.count().complete == 2);
}

TEST_CASE("client registry: whoever reconnects with ever new peer ids counts once")
{
    OtherPrograms behind;
    for (unsigned number = 0; number < 1000; ++number) {
        behind.come_and_complete(std::to_string(number));
    }
    CHECK(behind.registry.count().complete == 1);
    const std::string name = behind.come("with everything", 10);
    behind.come("with everything, too", 10);
    CHECK(behind.registry.count().complete == 1);
    behind.registry.left(name);
    for (unsigned number = 0; number < 1000; ++number) {
        behind.registry.left(behind.come("half way " + std::to_string(number), 5));
    }
    CHECK(behind.registry.count().complete + behind.registry.count().in_progress == 0);
    behind.come("at last", 10);
    CHECK(behind.registry.count().complete == 1);
}

TEST_CASE("client registry: of several behind one address each is known by what it had when it comes back")
{
    OtherPrograms behind;
    const std::string one = behind.come("one", 0);
    const std::string two = behind.come("two", 0);
    const std::string three = behind.come("three", 0);
    behind.registry.has(one, 10);
    behind.registry.has(two, 4);
    behind.registry.has(three, 9); // and hangs up when it gets the last one
    for (const std::string& name : {one, two, three}) {
        behind.registry.left(name);
    }
    CHECK(behind.come("three again", 10) == three);
    CHECK(behind.come("two again", 5) == two);
    CHECK(behind.registry.count().complete == 2);
    CHECK(behind.registry.count().in_progress == 1);
    CHECK(behind.come("one again", 0) == one);
    CHECK(behind.registry.count().complete == 1);
}

TEST_CASE("client registry: who was here is known, whether it is complete or has left")
{
    ClientRegistry registry(10);
    CHECK_FALSE(registry.has_seen("10.0.0.1:6881"));
    registry.has("10.0.0.1:6881", 9);
    CHECK(registry.has_seen("10.0.0.1:6881"));
    registry.left("10.0.0.1:6881");
    CHECK(registry.has_seen("10.0.0.1:6881"));
    CHECK(registry.count().in_progress == 0);
    registry.has("10.0.0.1:6881", 10);
    registry.left("10.0.0.1:6881");
    CHECK(registry.has_seen("10.0.0.1:6881"));
}

TEST_CASE("client registry: those that are counted are listed, by what they have announced")
{
    ClientRegistry registry(10);
    registry.has("10.0.0.1:6881", 10);
    registry.left("10.0.0.1:6881");
    registry.has("10.0.0.2:6881", 3);
    registry.has("10.0.0.3:6881", 3);
    registry.left("10.0.0.3:6881");
    ClientList list;
    registry.add_to(list, 100, 950);
    REQUIRE(list.size() == 2);
    CHECK(list[0].address == "10.0.0.1:6881");
    CHECK(list[0].report.state == ClientState::complete);
    CHECK(list[0].report.done_bytes == 950);
    CHECK(list[1].report.state == ClientState::downloading);
    CHECK(percent_done(list[1]) == 31.5);
    CHECK_FALSE(list[1].reports);
}

TEST_CASE("client registry: who comes under ever new names is not remembered without end")
{
    ClientRegistry registry(10);
    const auto come_and_go = [&](std::uint32_t pieces) {
        for (std::size_t number = 0; number < ClientRegistry::most_clients + 10; ++number) {
            const std::string name = "10.0.0.1:" + std::to_string(number);
            registry.has(name, pieces);
            registry.left(name);
        }
    };
    come_and_go(9);
    CHECK_FALSE(registry.has_seen("10.0.0.1:0"));
    CHECK(registry.has_seen("10.0.0.1:" + std::to_string(ClientRegistry::most_clients + 9)));
    registry.has("10.0.0.2:6881", 9);
    CHECK(registry.count().in_progress == 1);
    come_and_go(10);
    CHECK(registry.count().complete < ClientRegistry::most_clients);
    registry.has("10.0.0.2:6881", 10);
    CHECK(registry.count().complete == ClientRegistry::most_clients);
}

TEST_CASE(
    "client registry: one that was sent away before it said what it has counts when it returns complete")
{
    ClientRegistry registry(10);
    registry.sent_away("10.0.0.1:6881");
    CHECK(registry.count().in_progress == 0);
    CHECK(registry.has_seen("10.0.0.1:6881"));
    const std::string name = registry.name_of_other("", "10.0.0.1:6881", 10);
    CHECK(name == "10.0.0.1:6881");
    registry.has(name, 10);
    registry.sent_away(name); // changes nothing
    CHECK(registry.count().complete == 1);
}
