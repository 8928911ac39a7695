// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/summary_text.hpp"

#include "catch.hpp"

#include "ezio/util/units.hpp"

namespace ezio {

namespace {

using Lines = std::vector<std::string>;

SummaryEvent fetched()
{
    SummaryEvent event;
    event.seconds = 72.4;
    event.total_bytes = event.received_bytes = event.written_bytes = 8_GiB;
    event.uploaded_bytes = 1_GiB;
    event.peers = {{"10.0.0.5:6881", false, 4_GiB, 1_GiB},
                   {"10.0.0.6:6881", false, 3_GiB, 0},
                   {"10.0.0.1:6881", true, 1_GiB, 0}};
    return event;
}

} // namespace

TEST_CASE("summary: a fetch says what came from the seeder and what from other clients")
{
    CHECK(summary_text("fetch", fetched()) ==
          Lines{"received 8.0 GiB: 1.0 GiB from 1 seeder, 7.0 GiB from 2 other clients",
                "wrote 8.0 GiB; sent 1.0 GiB; 1:12 in all"});
}

TEST_CASE("summary: a fetch says which signatures of what was there before it has wiped")
{
    SummaryEvent event = fetched();
    CHECK(summary_text("fetch", event).size() == 2);
    event.wiped = {{"zfs_member", 4096, 8}, {"linux_raid_member", 65536, 4}, {"zfs_member", 5120, 8}};
    CHECK(summary_text("fetch", event)[2] ==
          "wiped leftover signatures: linux_raid_member at byte 65536, zfs_member at 2 places");
}

TEST_CASE("summary: a fetch from one seeder alone, and one with nobody known")
{
    SummaryEvent event = fetched();
    event.peers = {{"10.0.0.1:6881", true, 8_GiB, 0}, {"10.0.0.9:6881", false, 0, 1_GiB}};
    CHECK(summary_text("fetch", event)[0] == "received 8.0 GiB: 8.0 GiB from 1 seeder");
    event.peers.clear();
    CHECK(summary_text("fetch", event)[0] == "received 8.0 GiB");
}

TEST_CASE("summary: what was there already, came twice or was wrong is told when there is any")
{
    SummaryEvent event = fetched();
    event.received_bytes = event.written_bytes = 2_GiB;
    event.skipped_bytes = 6_GiB;
    event.redundant_bytes = 1_MiB;
    event.failed_pieces = 1;
    event.peers.clear();
    CHECK(summary_text("fetch", event) ==
          Lines{"received 2.0 GiB; 1.0 MiB of it twice; 1 piece failed the hash",
                "wrote 2.0 GiB, skipped 6.0 GiB that was already right; sent 1.0 GiB; 1:12 in all"});
    event.failed_pieces = 1200;
    CHECK_THAT(summary_text("fetch", event)[0], test::contains("; 1,200 pieces failed the hash"));
}

TEST_CASE("summary: a seeder says what it sent, to how many")
{
    SummaryEvent event;
    event.seconds = 100;
    event.uploaded_bytes = 1000_MiB;
    event.peers = {
        {"10.0.0.5:6881", false, 0, 600_MiB}, {"10.0.0.6:6881", false, 0, 400_MiB}, {"10.0.0.7:1", false}};
    CHECK(summary_text("seed", event) == Lines{"sent 1000.0 MiB to 2 clients in 1:40 (10.0 MiB/s)"});
    event.peers.resize(1);
    CHECK(summary_text("seed", event) == Lines{"sent 1000.0 MiB to 1 client in 1:40 (10.0 MiB/s)"});
    CHECK(summary_text("seed", {}) == Lines{"sent 0 B in 0:00 (0 B/s)"});

    event.clients.emplace(2);
    CHECK(summary_text("seed", event).size() == 4); // a table before it
    event.status = ExitStatus::terminated;
    CHECK(summary_text("seed", event).size() == 3); // the error says what was sent
}

TEST_CASE("summary: a verification says how fast it read")
{
    SummaryEvent event;
    event.seconds = 4;
    event.total_bytes = 8_GiB;
    CHECK(summary_text("verify", event) == Lines{"read 8.0 GiB in 4.0 s (2.0 GiB/s)"});
}

} // namespace ezio
