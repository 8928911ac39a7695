// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer/peer_watch.hpp"

#include "catch.hpp"
#include "expect_error.hpp"
#include "recording_reporter.hpp"

namespace ezio {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;
using Search = PeerWatch::Search;

namespace {

const Clock::time_point start{};

Endpoint peer_at(const std::string& address, std::uint16_t port = 6881)
{
    return {boost::asio::ip::make_address(address), port};
}

ConnectedPeer complete_peer(const std::string& address)
{
    return {address, true, true, true};
}
ConnectedPeer empty_peer(const std::string& address)
{
    return {address, false, false, false};
}

struct Watched {
    NetworkEndpoints endpoints;
    test::RecordingReporter reporter;
    PeerWatch watch{endpoints, reporter};

    Watched() { watch.begin(0, 0, true, start); }
};

} // namespace

TEST_CASE("swarm watch: who comes and goes is reported once")
{
    Watched it;
    it.watch.look({complete_peer("10.0.0.2:6881"), empty_peer("10.0.0.3:6881")}, start);
    CHECK(it.reporter.take() == Lines{"peer 10.0.0.2:6881 connected", "peer 10.0.0.3:6881 connected"});
    it.watch.look({complete_peer("10.0.0.2:6881"), empty_peer("10.0.0.4:6881")}, start + 1s);
    CHECK(it.reporter.take() == Lines{"peer 10.0.0.4:6881 connected", "peer 10.0.0.3:6881 left"});
    it.watch.look({complete_peer("10.0.0.2:6881"), empty_peer("10.0.0.4:6881")}, start + 2s);
    CHECK(it.reporter.take().empty());
}

TEST_CASE("swarm watch: who becomes complete while others are served is counted, and stays so when it leaves")
{
    Watched it;
    it.watch.look({empty_peer("a")}, start);
    it.watch.look({complete_peer("a")}, start); // a seeder, of which nothing was known at first
    CHECK(it.watch.became_complete() == 0);
    it.watch.needed_from(start);
    it.watch.look({complete_peer("a"), empty_peer("b"), empty_peer("c")}, start);
    CHECK(it.watch.peers_in_progress() == 2);
    CHECK(it.watch.became_complete() == 0); // it was before
    it.watch.look({complete_peer("a"), complete_peer("b"), empty_peer("c")}, start);
    CHECK(it.watch.peers_in_progress() == 1);
    CHECK(it.watch.became_complete() == 1);
    it.watch.look({complete_peer("b"), empty_peer("d")}, start);
    it.watch.look({}, start);
    CHECK(it.watch.peers_in_progress() == 0);
    CHECK(it.watch.became_complete() == 1);
}

TEST_CASE("swarm watch: it knows how many are connected, complete, have something, have what is missing")
{
    Watched it;
    it.watch.look({complete_peer("a"), {"b", false, true, false}, empty_peer("c")}, start);
    CHECK(it.watch.peers() == 3);
    CHECK(it.watch.peers_complete() == 1);
    CHECK(it.watch.facts().peers_with_data == 2);
    CHECK(it.watch.has_source());
    it.watch.look({{"b", false, true, false}}, start);
    CHECK(it.watch.peers() == 1);
    CHECK(it.watch.peers_complete() == 0);
    CHECK_FALSE(it.watch.has_source());
}

TEST_CASE("swarm watch: it is needed by those who are not complete")
{
    Watched it;
    it.watch.look({empty_peer("a")}, start + 5s);
    it.watch.look({complete_peer("a")}, start + 6s);
    it.watch.look({}, start + 7s);
    CHECK(it.watch.last_needed() == start + 5s);
    it.watch.needed_from(start + 8s);
    CHECK(it.watch.last_needed() == start + 8s);
}

TEST_CASE("swarm watch: while somebody is there, only the local network is asked, and seldom")
{
    Watched it;
    it.watch.look({empty_peer("a")}, start);
    CHECK(it.watch.search(start + 59s) == Search::none);
    CHECK(it.watch.search(start + 60s) == Search::local);
    CHECK(it.watch.search(start + 61s) == Search::none);
}

TEST_CASE("swarm watch: while nobody is there, everybody is asked, often at first")
{
    Watched it;
    CHECK(it.watch.search(start + 2s) == Search::none);
    CHECK(it.watch.search(start + 3s) == Search::everywhere);
    CHECK(it.watch.search(start + 5s) == Search::none);
    CHECK(it.watch.search(start + 6s) == Search::everywhere);
    CHECK(it.watch.search(start + 130s) == Search::everywhere);
    CHECK(it.watch.search(start + 140s) == Search::none);
    CHECK(it.watch.search(start + 160s) == Search::everywhere);
}

TEST_CASE("swarm watch: a long check before the session does not count as looking in vain")
{
    Watched it;
    it.watch.begin(0, 0, true, start + 1h);
    CHECK(it.watch.search(start + 1h + 2s) == Search::none);
    CHECK(it.watch.search(start + 1h + 3s) == Search::everywhere);
}

TEST_CASE("swarm watch: a named peer is missing while it is not connected, whoever else is")
{
    Watched it;
    it.endpoints.peers = {peer_at("10.0.0.2"), peer_at("10.0.0.3")};
    CHECK(it.watch.missing_peers() == it.endpoints.peers);
    it.watch.look({empty_peer("10.0.0.2:6881"), empty_peer("10.0.0.4:6881"), empty_peer("10.0.0.5:6881")},
                  start);
    CHECK(it.watch.missing_peers() == std::vector{peer_at("10.0.0.3")});
    it.watch.look({empty_peer("10.0.0.2:6881"), empty_peer("10.0.0.3:6881")}, start);
    CHECK(it.watch.missing_peers().empty());
    it.watch.look({empty_peer("10.0.0.3:6881")}, start);
    CHECK(it.watch.missing_peers() == std::vector{peer_at("10.0.0.2")});
}

TEST_CASE("swarm watch: a named peer that hangs up at once pauses for a minute, or until somebody leaves")
{
    Watched it;
    it.endpoints.peers = {peer_at("10.0.0.2"), peer_at("fd00::2")};
    it.watch.look({empty_peer("10.0.0.2:6881")}, start);
    it.watch.handle(PeerGone{peer_at("fd00::2"), "it has another connection"});
    it.watch.look({empty_peer("10.0.0.2:6881"), empty_peer("10.0.0.4:6881")}, start + 59s);
    CHECK(it.watch.missing_peers().empty());
    it.watch.look({empty_peer("10.0.0.2:6881"), empty_peer("10.0.0.4:6881")}, start + 60s);
    CHECK(it.watch.missing_peers() == std::vector{peer_at("fd00::2")});
    it.watch.handle(PeerGone{peer_at("fd00::2"), "it closed the connection"});
    CHECK(it.watch.missing_peers().empty());
    it.watch.look({empty_peer("10.0.0.2:6881")}, start + 61s);
    CHECK(it.watch.missing_peers() == std::vector{peer_at("fd00::2")});
    it.watch.look({}, start + 62s);
    CHECK(it.watch.missing_peers() == it.endpoints.peers);
}

TEST_CASE("swarm watch: a named peer that cannot be reached pauses for 5 s, unless nobody is connected")
{
    Watched it;
    it.endpoints.peers = {peer_at("10.0.0.2")};
    it.watch.look({empty_peer("10.0.0.4:6881")}, start);
    it.watch.handle(PeerUnreachable{peer_at("10.0.0.2"), "Connection refused"});
    it.watch.look({empty_peer("10.0.0.4:6881")}, start + 4s);
    CHECK(it.watch.missing_peers().empty());
    it.watch.look({empty_peer("10.0.0.4:6881")}, start + 5s);
    CHECK(it.watch.missing_peers() == it.endpoints.peers);
    it.watch.handle(PeerUnreachable{peer_at("10.0.0.2"), "Connection refused"});
    it.watch.look({}, start + 6s);
    CHECK(it.watch.missing_peers() == it.endpoints.peers);
}

TEST_CASE(
    "swarm watch: where it cannot listen at the start ends it, later, when an address has gone, it warns")
{
    const ListenFailed failure{"10.0.0.1:6881", "Cannot assign requested address"};
    Watched it;
    const auto refusal = test::refusal_of([&] { it.watch.handle(failure); });
    CHECK(refusal.status == ExitStatus::network);
    CHECK(refusal.message == "cannot listen on 10.0.0.1:6881: Cannot assign requested address");
    it.watch.handle(Listening{});
    it.watch.handle(failure);
    CHECK(it.reporter.take() ==
          Lines{"warning: cannot listen on 10.0.0.1:6881: Cannot assign requested address"});
}

TEST_CASE("swarm watch: a host that sends wrong data is to be kept out, from any port")
{
    Watched it;
    CHECK(it.watch.handle(PeerBanned{peer_at("10.0.0.2", 1)}) == peer_at("10.0.0.2").address());
    CHECK(it.watch.handle(PeerBanned{peer_at("10.0.0.3", 1)}) == peer_at("10.0.0.3").address());
    CHECK_FALSE(it.watch.handle(PeerBanned{peer_at("10.0.0.2", 2)})); // it has been said
    CHECK(it.watch.facts().banned_peers == 3);
    CHECK(it.reporter.take() == Lines{"warning: 10.0.0.2:1 has sent wrong data; it is disconnected",
                                      "warning: 10.0.0.2 has sent wrong data; it is banned from now on",
                                      "warning: 10.0.0.3:1 has sent wrong data; it is disconnected",
                                      "warning: 10.0.0.3 has sent wrong data; it is banned from now on",
                                      "warning: 10.0.0.2:2 has sent wrong data; it is disconnected"});
}

TEST_CASE("swarm watch: an address that others share is kept out when wrong data comes from it three times")
{
    Watched it;
    const auto lie = [&](std::uint16_t port) {
        return it.watch.handle(PeerBanned{peer_at("10.0.0.2", port), false, true});
    };
    CHECK_FALSE(lie(1));
    CHECK_FALSE(lie(2));
    CHECK(lie(3) == peer_at("10.0.0.2").address());
    CHECK(it.reporter.take().back() ==
          "warning: 10.0.0.2 has sent wrong data 3 times; it is banned from now on");
}

TEST_CASE("swarm watch: an address is not kept out while another peer there is wanted by name")
{
    Watched it;
    it.endpoints.peers = {peer_at("10.0.0.2", 7), peer_at("10.0.0.2", 8), peer_at("10.0.0.3", 7)};
    CHECK_FALSE(it.watch.handle(PeerBanned{peer_at("10.0.0.2", 7)}));
    CHECK(it.watch.handle(PeerBanned{peer_at("10.0.0.2", 8)}) == peer_at("10.0.0.2").address());
    CHECK(it.watch.handle(PeerBanned{peer_at("10.0.0.3", 7)}) == peer_at("10.0.0.3").address());
}

TEST_CASE("swarm watch: the address of a web seed is not kept out, for a seeder may be there, too")
{
    Watched it;
    CHECK_FALSE(it.watch.handle(PeerBanned{peer_at("10.0.0.2", 80), true, false, 7}));
}

TEST_CASE("swarm watch: a host that floods is named, and kept out when it does so three times")
{
    Watched it;
    const auto flood = [&](std::uint16_t port) {
        return it.watch.handle(PeerMisbehaved{peer_at("10.0.0.2", port), "sends too much"});
    };
    CHECK_FALSE(flood(1));
    CHECK_FALSE(flood(2));
    CHECK(flood(3) == peer_at("10.0.0.2").address());
    CHECK_FALSE(it.watch.handle(PeerMisbehaved{peer_at("127.0.0.1", 1), "sends too much"}));
    CHECK(it.reporter.take() == Lines{"warning: 10.0.0.2 sends too much; it is disconnected",
                                      "warning: 10.0.0.2 was disconnected 3 times; it is banned from now on",
                                      "warning: 127.0.0.1 sends too much; it is disconnected"});
}

TEST_CASE(
    "swarm watch: a host that has been hung up on for wrong data, and was not kept out, is when it floods")
{
    Watched it;
    it.endpoints.peers = {peer_at("10.0.0.2", 7), peer_at("10.0.0.2", 8)};
    for (int time = 0; time < 3; ++time) {
        CHECK_FALSE(it.watch.handle(PeerBanned{peer_at("10.0.0.2", 7)})); // the other is wanted by name
    }
    const PeerMisbehaved flood{peer_at("10.0.0.2", 7), "sends too much"};
    CHECK(it.watch.handle(flood) == peer_at("10.0.0.2").address());
    CHECK(it.reporter.take().back() ==
          "warning: 10.0.0.2 was disconnected 4 times; it is banned from now on");
    CHECK_FALSE(it.watch.handle(flood)); // once is enough
}

TEST_CASE("swarm watch: this machine itself is never kept out, for it has several processes")
{
    Watched it;
    for (std::uint16_t port = 1; port < 10; ++port) {
        CHECK_FALSE(it.watch.handle(PeerBanned{peer_at("127.0.0.1", port)}));
    }
}

TEST_CASE("swarm watch: who was refused for --allow is told, who was kept out is not told again")
{
    Watched it;
    it.endpoints.allowed = resolve_allowed({"10.0.0.0/8"});
    it.watch.handle(PeerBlocked{peer_at("10.0.0.2").address()});
    CHECK(it.reporter.take().empty());
    it.watch.handle(PeerBlocked{peer_at("192.168.0.2").address()});
    CHECK(it.reporter.take() ==
          Lines{"warning: 192.168.0.2 is refused: it is in none of the networks of --allow"});
}

TEST_CASE("swarm watch: the last trouble with trackers and certificates is what waiting is explained by")
{
    Watched it;
    it.watch.begin(2, 1, false, start);
    it.watch.handle(TrackerFailed{"http://a/announce", "Connection refused"});
    it.watch.handle(PeerRefused{"10.0.0.7", "certificate verify failed"});
    CHECK(describe_wait(it.watch.facts()) ==
          "no peer is connected (tried: 2 --peer, 1 tracker, local service discovery off; "
          "tracker: http://a/announce: Connection refused; refused: 10.0.0.7: certificate verify failed)");
    CHECK(it.reporter.take() == Lines{"warning: tracker http://a/announce: Connection refused",
                                      "warning: no TLS connection with 10.0.0.7: certificate verify failed"});
}

TEST_CASE("swarm watch: a trouble that lasts is told once")
{
    Watched it;
    for (int i = 0; i < 3; ++i) {
        it.watch.handle(DiscoveryFailed{"No such device"});
        it.watch.handle(ListenTroubled{"Too many open files"});
        it.watch.handle(PieceRejected{7});
    }
    CHECK(it.reporter.take() == Lines{"warning: local service discovery receives nothing: No such device",
                                      "warning: a connection could not be accepted: Too many open files",
                                      "warning: piece 7 arrived with wrong data; it is fetched again"});
}

TEST_CASE("swarm watch: why a peer has left is told with it")
{
    Watched it;
    it.watch.look({empty_peer("10.0.0.2:6881")}, start);
    it.watch.handle(PeerGone{peer_at("10.0.0.2"), "it closed the connection"});
    (void)it.reporter.take();
    it.watch.look({}, start + 1s);
    CHECK(it.reporter.take() == Lines{"peer 10.0.0.2:6881 left: it closed the connection"});
    it.watch.look({empty_peer("10.0.0.2:6881")}, start + 2s); // again
    it.watch.look({}, start + 3s);
    CHECK(it.reporter.take() == Lines{"peer 10.0.0.2:6881 connected", "peer 10.0.0.2:6881 left"});
}

TEST_CASE("swarm watch: a peer that was never seen connected is noted once")
{
    Watched it;
    it.endpoints.peers = {peer_at("10.0.0.2")};
    for (int i = 0; i < 3; ++i) {
        it.watch.handle(PeerUnreachable{peer_at("10.0.0.2"), "Connection refused"});
        it.watch.handle(PeerUnreachable{peer_at("10.0.0.3"), "No route to host"});
        it.watch.handle(PeerGone{peer_at("10.0.0.4"), "it has another image"});
    }
    CHECK(it.reporter.take() ==
          Lines{"note: no connection with 10.0.0.2:6881: Connection refused; it is tried again",
                "note: no connection with 10.0.0.3:6881: No route to host",
                "note: 10.0.0.4:6881 was connected only for a moment: it has another image"});
}

TEST_CASE("swarm watch: what a tracker answers is noted when it changes")
{
    Watched it;
    it.watch.handle(TrackerFailed{"http://a/announce", "Connection refused"});
    (void)it.reporter.take();
    it.watch.handle(TrackerAnswered{"http://a/announce", 1});
    it.watch.handle(TrackerAnswered{"http://a/announce", 1});
    it.watch.handle(TrackerAnswered{"http://a/announce", 2});
    CHECK(it.reporter.take() == Lines{"note: tracker http://a/announce: it returned 1 peer",
                                      "note: tracker http://a/announce: it returned 2 peers"});
    CHECK(it.watch.facts().last_tracker_error.empty()); // which is mended
}

TEST_CASE("swarm watch: who local discovery finds is noted once")
{
    Watched it;
    it.watch.handle(PeerFound{peer_at("10.0.0.2")});
    it.watch.handle(PeerFound{peer_at("10.0.0.2")});
    CHECK(it.reporter.take() == Lines{"note: local service discovery has found 10.0.0.2:6881"});
}

TEST_CASE("swarm watch: whose data was in a wrong piece is noted")
{
    Watched it;
    it.watch.handle(WrongDataFrom{7, "10.0.0.2:6881"});
    it.watch.handle(WrongDataFrom{7, "10.0.0.3:6881"});
    CHECK(it.reporter.take() == Lines{"note: piece 7 with the wrong hash had data from 10.0.0.2:6881",
                                      "note: piece 7 with the wrong hash had data from 10.0.0.3:6881"});
}

TEST_CASE("swarm watch: that it searches is noted when it begins, and when it becomes more seldom")
{
    Watched it;
    it.watch.begin(0, 2, true, start);
    for (auto now = start; now < start + 5min; now += 1s) {
        (void)it.watch.search(now);
    }
    CHECK(it.reporter.take() ==
          Lines{"note: no peer is connected: asking 2 trackers and the local network every 3 s",
                "note: no peer is connected: asking 2 trackers and the local network every 30 s"});
}

} // namespace ezio
