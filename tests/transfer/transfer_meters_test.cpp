// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer/transfer_meters.hpp"

#include "catch.hpp"

namespace ezio {

using namespace std::chrono_literals;
using Catch::Matchers::WithinAbs;

namespace {

const Clock::time_point start{};

MovedBytes moved(std::uint64_t received, std::uint64_t done)
{
    MovedBytes bytes;
    bytes.received = received;
    bytes.done = done;
    return bytes;
}

ProgressEvent described(TransferMeters& meters, Phase phase, std::uint64_t done, Clock::time_point now)
{
    ProgressEvent event;
    event.phase = phase;
    event.total_bytes = 1'000'000;
    event.done_bytes = done;
    meters.describe(event, now);
    return event;
}

} // namespace

TEST_CASE("transfer meters: each rate is of its own bytes")
{
    TransferMeters meters(start);
    meters.observe({}, start);
    meters.observe({3000, 0, 0, 200, 2000, 1000}, start + 1s);
    const ProgressEvent event = described(meters, Phase::downloading, 1000, start + 1s);
    CHECK_THAT(event.download_rate, WithinAbs(3000, 1e-6));
    CHECK_THAT(event.upload_rate, WithinAbs(200, 1e-6));
    CHECK_THAT(event.done_rate, WithinAbs(1000, 1e-6));
}

TEST_CASE("transfer meters: the ratio is of the payload to what it took of the network, of late")
{
    TransferMeters meters(start);
    meters.observe({}, start);
    CHECK_THAT(described(meters, Phase::downloading, 0, start).download_ratio, WithinAbs(1, 1e-6));
    MovedBytes bytes;
    bytes.received = 3000;
    bytes.received_wire = 1000;
    bytes.uploaded = 500;
    bytes.uploaded_wire = 500;
    meters.observe(bytes, start + 1s);
    const ProgressEvent event = described(meters, Phase::downloading, 1000, start + 1s);
    CHECK_THAT(event.download_ratio, WithinAbs(3, 1e-6));
    CHECK_THAT(event.upload_ratio, WithinAbs(1, 1e-6));
}

TEST_CASE("transfer meters: whatever moves is progress")
{
    TransferMeters meters(start);
    meters.observe({}, start + 10s);
    CHECK(meters.stalled_for(start + 10s) == 10s);
    meters.observe(moved(16384, 0), start + 11s);
    CHECK(meters.stalled_for(start + 11s) == 0s);
    MovedBytes written = moved(16384, 0);
    written.written = 16384;
    meters.observe(written, start + 20s);
    CHECK(meters.stalled_for(start + 21s) == 1s);
    meters.observe(written, start + 30s);
    CHECK(meters.stalled_for(start + 30s) == 10s);
}

TEST_CASE("transfer meters: data that is wrong again and again is no progress")
{
    TransferMeters meters(start);
    meters.observe({65536, 0, 0, 0, 0, 0}, start + 1s);
    meters.observe({65536, 65536, 0, 0, 0, 0}, start + 2s); // the piece is thrown away
    meters.observe({131072, 65536, 0, 0, 0, 0}, start + 10s);
    meters.observe({131072, 131072, 0, 0, 0, 0}, start + 11s);
    CHECK(meters.stalled_for(start + 11s) == 10s);
}

TEST_CASE("transfer meters: blocks that nobody has asked for are no progress")
{
    TransferMeters meters(start);
    meters.observe({65536, 0, 0, 0, 0, 0}, start + 1s);
    for (unsigned second = 2; second <= 11; ++second) {
        const std::uint64_t unasked = std::uint64_t{16384} * second;
        meters.observe({65536 + unasked, 0, unasked, 0, 0, 0}, start + second * 1s);
    }
    CHECK(meters.stalled_for(start + 11s) == 10s);
}

TEST_CASE("transfer meters: a block that is needed is progress, however many come twice with it")
{
    TransferMeters meters(start);
    for (unsigned second = 1; second <= 10; ++second) {
        const std::uint64_t needed = std::uint64_t{16384} * second;
        meters.observe({8 * needed, 0, 7 * needed, 0, 0, 0}, start + second * 1s);
        CHECK(meters.stalled_for(start + second * 1s) == 0s);
    }
}

TEST_CASE("transfer meters: a phase with an end has a time left, the others have none")
{
    for (const Phase phase : {Phase::checking, Phase::downloading, Phase::verifying, Phase::connecting,
                              Phase::syncing, Phase::seeding}) {
        TransferMeters meters(start);
        bool known = false;
        for (unsigned second = 0; second <= 10; ++second) {
            meters.observe(moved(0, second * 10'000), start + second * 1s);
            known = described(meters, phase, second * 10'000, start + second * 1s).eta_seconds.has_value();
        }
        CAPTURE(to_string(phase));
        CHECK(known ==
              (phase == Phase::checking || phase == Phase::downloading || phase == Phase::verifying));
    }
}

TEST_CASE("transfer meters: a phase begins with rates of its own")
{
    TransferMeters meters(start);
    meters.observe({}, start);
    meters.observe(moved(0, 900'000), start + 1s);
    meters.begin_phase();
    meters.observe(moved(0, 0), start + 2s);
    meters.observe(moved(0, 100), start + 3s);
    CHECK_THAT(described(meters, Phase::downloading, 100, start + 3s).done_rate, WithinAbs(100, 1e-6));
}

TEST_CASE("transfer meters: the network's rates begin with the session, and so does the time nothing is sent")
{
    TransferMeters meters(start);
    for (unsigned second = 0; second <= 60; ++second) { // of hashing
        meters.observe({}, start + second * 1s);
    }
    meters.begin_session(start + 60s);
    CHECK(meters.sent_nothing_for(start + 61s) == 1s);
    meters.observe({}, start + 61s);
    meters.observe({5000, 0, 0, 700, 0, 0}, start + 62s);
    const ProgressEvent event = described(meters, Phase::downloading, 0, start + 62s);
    CHECK_THAT(event.download_rate, WithinAbs(5000, 1e-6));
    CHECK_THAT(event.upload_rate, WithinAbs(700, 1e-6));
    CHECK(meters.sent_nothing_for(start + 65s) == 3s);
}

} // namespace ezio
