// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer/transfer_state.hpp"

#include "catch.hpp"

#include <cerrno>
#include <csignal>

namespace ezio {

using namespace std::chrono_literals;
using Kind = TransferStep::Kind;
using State = TransferState::State;

namespace {

constexpr std::uint64_t total = 1000;

TransferPlan fetch_plan()
{
    TransferPlan plan;
    plan.role = Role::fetch;
    plan.seeding.seed_time = 2min;
    return plan;
}

TransferPlan seed_plan()
{
    TransferPlan plan;
    plan.role = Role::seed;
    return plan;
}

TransferFacts facts()
{
    TransferFacts facts;
    facts.waiting.total_bytes = total;
    facts.waits_for = "no peer is connected";
    return facts;
}

TransferFacts received(std::uint64_t bytes)
{
    TransferFacts now = facts();
    now.received_bytes = bytes;
    now.waiting.done_bytes = bytes;
    return now;
}

TransferFacts hashed(const std::string& fault = "")
{
    TransferFacts now = received(total);
    now.hashing = {true, !fault.empty(), fault};
    return now;
}

TransferFacts synced(std::optional<IoFailure> failure = {}, const std::string& fault = "")
{
    TransferFacts now = received(total);
    now.sync = {true, std::move(failure), fault};
    return now;
}

IoFailure failed(IoFailure::Operation operation)
{
    return {operation, "/dev/fake", EIO, 4096, 512};
}

// A machine in each state, by the shortest way.
TransferState in(State state, TransferPlan plan = fetch_plan())
{
    plan.check = state == State::checking;
    plan.verify |= state == State::verifying;
    TransferState machine(plan);
    const auto step = [&](const TransferFacts& now) { (void)machine.advance(now); };
    if (plan.role == Role::fetch && state != State::checking && state != State::connecting) {
        step(received(1));
        if (state != State::downloading) {
            step(received(total));
        }
        if (state == State::verifying || state == State::seeding || state == State::over) {
            step(synced());
        }
        if (plan.verify && state != State::verifying && machine.state() == State::verifying) {
            step(hashed());
        }
    }
    if (state == State::over) {
        TransferFacts late = received(total);
        late.since_complete = 24h;
        step(late);
    }
    REQUIRE(machine.state() == state);
    return machine;
}

const std::vector<State> before_completion{State::checking, State::connecting, State::downloading,
                                           State::syncing, State::verifying};

} // namespace

TEST_CASE(
    "transfer state: a fetch is complete when every byte is written and a sync has succeeded, not before")
{
    TransferState machine(fetch_plan());
    CHECK(machine.state() == State::connecting);
    CHECK(machine.waits_for_peers());
    CHECK(machine.advance(facts()).kind == Kind::wait);
    CHECK(machine.phase() == Phase::connecting);
    CHECK(machine.advance(received(1)).kind == Kind::wait);
    CHECK(machine.phase() == Phase::downloading);
    CHECK(machine.advance(received(total - 1)).kind == Kind::wait);
    CHECK(machine.advance(received(total)).kind == Kind::begin_sync);
    CHECK(machine.phase() == Phase::syncing);
    CHECK_FALSE(machine.waits_for_peers());
    CHECK(machine.advance(received(total)).kind == Kind::wait);
    CHECK(machine.advance(synced()).kind == Kind::complete);
    CHECK(machine.phase() == Phase::seeding);
}

TEST_CASE("transfer state: what is received is not what is written")
{
    TransferState machine(fetch_plan());
    TransferFacts now = received(total);
    now.waiting.done_bytes = total - 1;
    CHECK(machine.advance(now).kind == Kind::wait);
    CHECK(machine.state() == State::downloading);
}

TEST_CASE("transfer state: an image that is on the target already is synced without a byte from anybody")
{
    TransferState machine = in(State::connecting);
    TransferFacts now = received(total);
    now.received_bytes = 0;
    CHECK(machine.advance(now).kind == Kind::begin_sync);
}

TEST_CASE("transfer state: --resume connects when the check is over, or as soon as something is missing")
{
    TransferPlan plan = fetch_plan();
    plan.check = true;
    for (const bool fetches : {false, true}) {
        plan.fetches_while_checking = fetches;
        TransferState machine(plan);
        TransferFacts now = facts();
        CHECK(machine.advance(now).kind == Kind::wait);
        now.hashing.anything_missing = true;
        CHECK(machine.advance(now).kind == (fetches ? Kind::begin_session : Kind::wait));
        now.has_session = fetches;
        CHECK(machine.advance(now).kind == Kind::wait);
        CHECK(machine.state() == State::checking);
        now.hashing = {true, true, "3 pieces are wrong"};
        CHECK(machine.advance(now).kind == Kind::end_check);
        CHECK(machine.state() == State::connecting);
    }
}

TEST_CASE("transfer state: everything that comes while it checks does not end the check")
{
    TransferState machine = in(State::checking);
    CHECK(machine.advance(received(total)).kind == Kind::wait);
    CHECK(machine.state() == State::checking);
}

TEST_CASE("transfer state: a seed serves at once, or when the check has found the image: otherwise status 8")
{
    CHECK(TransferState(seed_plan()).state() == State::seeding);
    TransferState right = in(State::checking, seed_plan());
    CHECK(right.advance(hashed()).kind == Kind::end_check);
    CHECK(right.state() == State::seeding);
    TransferState wrong = in(State::checking, seed_plan());
    const TransferStep step = wrong.advance(hashed("/dev/sda1 is not the image"));
    REQUIRE(step.kind == Kind::fail);
    CHECK(step.error->status() == ExitStatus::verification);
    CHECK(step.error->what() == std::string("/dev/sda1 is not the image"));
}

TEST_CASE("transfer state: --verify hashes after the sync, and completes when all of it is right: otherwise "
          "status 8")
{
    TransferPlan plan = fetch_plan();
    plan.verify = true;
    TransferState machine = in(State::syncing, plan);
    CHECK(machine.is_last_sync());
    CHECK(machine.advance(synced()).kind == Kind::begin_verification);
    CHECK(machine.phase() == Phase::verifying);
    CHECK(machine.advance(received(total)).kind == Kind::wait);
    CHECK_FALSE(machine.is_verified());
    CHECK(machine.advance(hashed()).kind == Kind::complete);
    CHECK(machine.is_verified());

    TransferState wrong = in(State::verifying);
    const TransferStep step = wrong.advance(hashed("1 piece is wrong"));
    REQUIRE(step.kind == Kind::fail);
    CHECK(step.error->status() == ExitStatus::verification);
}

TEST_CASE("transfer state: what is written after --verify has a sync of its own, and is not verified again")
{
    TransferPlan plan = fetch_plan();
    plan.verify = true;
    plan.writes_after_verify = true;
    TransferState machine = in(State::syncing, plan);
    CHECK_FALSE(machine.is_last_sync());
    CHECK(machine.advance(synced({}, "not asked yet")).kind == Kind::begin_verification);
    CHECK(machine.advance(hashed()).kind == Kind::begin_sync);
    CHECK(machine.state() == State::syncing);
    CHECK(machine.is_last_sync());
    CHECK(machine.advance(received(total)).kind == Kind::wait);
    CHECK(machine.advance(synced()).kind == Kind::complete);
}

TEST_CASE("transfer state: a sync that fails is status 5, what could not be written last is status 4")
{
    TransferState sync = in(State::syncing);
    TransferStep step = sync.advance(synced(failed(IoFailure::Operation::sync)));
    REQUIRE(step.kind == Kind::fail);
    CHECK(step.error->status() == ExitStatus::io);
    TransferState gpt = in(State::syncing);
    step = gpt.advance(synced({}, "--expand-gpt: there is no GPT"));
    REQUIRE(step.kind == Kind::fail);
    CHECK(step.error->status() == ExitStatus::target);
}

TEST_CASE("transfer state: a failed disk ends every state with status 5, also after completion and of a seed")
{
    std::vector<TransferState> machines{in(State::seeding), in(State::seeding, seed_plan()),
                                        in(State::checking, seed_plan())};
    for (const State state : before_completion) {
        machines.push_back(in(state));
    }
    for (TransferState& machine : machines) {
        TransferFacts now = received(total);
        now.disk_failure = failed(IoFailure::Operation::write);
        now.signal = SIGINT; // says less
        const TransferStep step = machine.advance(now);
        REQUIRE(step.kind == Kind::fail);
        CHECK(step.error->status() == ExitStatus::io);
        CHECK(step.error->io_failure()->offset == 4096);
    }
}

TEST_CASE("transfer state: a stop signal ends every state with its status, whatever else is due")
{
    for (const auto& [signal, status] :
         {std::pair(SIGINT, ExitStatus::interrupted), std::pair(SIGTERM, ExitStatus::terminated),
          std::pair(SIGHUP, ExitStatus::hung_up)}) {
        std::vector<TransferState> machines{in(State::seeding), in(State::seeding, seed_plan()),
                                            in(State::checking, seed_plan())};
        for (const State state : before_completion) {
            machines.push_back(in(state));
        }
        for (TransferState& machine : machines) {
            TransferFacts now = synced();
            now.hashing.over = true;
            now.signal = signal;
            now.remark_on_stop = "; the image is not complete";
            const TransferStep step = machine.advance(now);
            REQUIRE(step.kind == Kind::fail);
            CHECK(step.error->status() == status);
            CHECK(std::string(step.error->what()).ends_with("; the image is not complete"));
        }
    }
}

TEST_CASE("transfer state: --timeout and --stall-timeout end every state before completion with status 7")
{
    TransferPlan plan = fetch_plan();
    plan.waiting = {10min, 1min};
    for (const State state : before_completion) {
        for (const bool stalled : {false, true}) {
            TransferState machine = in(state, plan);
            TransferFacts now = facts();
            (stalled ? now.waiting.since_moved : now.waiting.since_start) = stalled ? 1min : 10min;
            const TransferStep step = machine.advance(now);
            REQUIRE(step.kind == Kind::fail);
            CHECK(step.error->status() == ExitStatus::stalled);
        }
    }
}

TEST_CASE("transfer state: after completion, and for a seed, nobody waits: there is no such limit")
{
    TransferPlan fetch = fetch_plan();
    fetch.waiting = {10min, 1min};
    TransferPlan seed = seed_plan();
    seed.waiting = fetch.waiting;
    std::vector<TransferState> machines{in(State::seeding, fetch), in(State::seeding, seed),
                                        in(State::checking, seed)};
    for (TransferState& machine : machines) {
        TransferFacts now = facts();
        now.waiting.since_start = now.waiting.since_moved = 1h;
        CHECK(machine.advance(now).kind == Kind::wait);
    }
}

TEST_CASE(
    "transfer state: a complete fetch leaves with status 0 when it is not needed, or its seed time is over")
{
    TransferState machine = in(State::seeding);
    TransferFacts now = received(total);
    CHECK(machine.advance(now).kind == Kind::wait);
    now.since_complete = 119s;
    now.since_needed = 0s;
    CHECK(machine.advance(now).kind == Kind::wait);
    now.since_complete = 2min;
    const TransferStep step = machine.advance(now);
    CHECK(step.kind == Kind::leave);
    CHECK_FALSE(step.reason.empty());
    CHECK(machine.state() == State::over);
    CHECK(machine.phase() == Phase::seeding);
    CHECK(machine.advance(now).kind == Kind::wait);

    TransferState idle = in(State::seeding);
    now.since_complete = now.since_needed = leave_grace;
    CHECK(idle.advance(now).kind == Kind::leave);
}

TEST_CASE(
    "transfer state: with a seed time of zero others still hear that it is complete; without one it stays")
{
    TransferPlan plan = fetch_plan();
    plan.seeding.seed_time = 0ms;
    TransferState machine = in(State::seeding, plan);
    TransferFacts now = received(total);
    now.since_complete = 299ms;
    CHECK(machine.advance(now).kind == Kind::wait);
    now.since_complete = 300ms;
    CHECK(machine.advance(now).kind == Kind::leave);

    plan.seeding.seed_time.reset();
    TransferState patient = in(State::seeding, plan);
    now.since_complete = now.since_needed = 24h;
    CHECK(patient.advance(now).kind == Kind::wait);
}

TEST_CASE("transfer state: a seed leaves at the first of its limits, and its check is not limited by them")
{
    TransferPlan plan = seed_plan();
    plan.seeding = {1h, 10min, 2U};
    for (const SeedingFacts& due :
         {SeedingFacts{1h, 0ms, 0}, SeedingFacts{1min, 10min, 0}, SeedingFacts{1min, 0ms, 2}}) {
        TransferFacts now = facts();
        now.seeding = due;
        TransferState serving = in(State::seeding, plan);
        const TransferStep step = serving.advance(now);
        CHECK(step.kind == Kind::leave);
        CHECK(step.status == (due.clients_complete == 2 ? ExitStatus::done : ExitStatus::stalled));
        TransferState checking = in(State::checking, plan);
        CHECK(checking.advance(now).kind == Kind::wait);
    }
}

TEST_CASE("transfer state: a seed that is to wait for nobody leaves with status 0 at each of its limits")
{
    TransferPlan plan = seed_plan();
    plan.seeding.seed_time = 1h;
    TransferState machine = in(State::seeding, plan);
    TransferFacts now = facts();
    now.seeding.since_start = 1h;
    const TransferStep step = machine.advance(now);
    CHECK(step.kind == Kind::leave);
    CHECK(step.status == ExitStatus::done);
}

TEST_CASE("transfer state: the deadline is of the limit that is next: a failure before completion, leaving "
          "after it")
{
    TransferPlan plan = fetch_plan();
    plan.waiting = {10min, 1min};
    TransferFacts now = facts();
    now.waiting.since_start = 9min + 30s;
    now.waiting.since_moved = 10s;
    for (const State state : before_completion) {
        const auto limit = in(state, plan).next_limit(now);
        REQUIRE(limit);
        CHECK(limit->is_failure);
        CHECK(limit->next.left == 30s);
    }
    now.since_complete = 30s;
    for (const State state : {State::seeding, State::over}) {
        const auto limit = in(state, plan).next_limit(now);
        REQUIRE(limit);
        CHECK_FALSE(limit->is_failure);
        CHECK(limit->next.left == 90s);
    }
    CHECK_FALSE(in(State::connecting).next_limit(now));
    plan = seed_plan();
    plan.seeding = {1h, 10min, {}};
    now.seeding = {30min, 1min, 0};
    CHECK_FALSE(in(State::checking, plan).next_limit(now));
    CHECK(in(State::seeding, plan).next_limit(now)->next.left == 9min);
    CHECK_FALSE(in(State::seeding, plan).next_limit(now)->is_failure);
    plan.seeding.clients = 1;
    CHECK(in(State::seeding, plan).next_limit(now)->is_failure);
}

} // namespace ezio
