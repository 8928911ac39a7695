// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer_state.hpp"

#include <algorithm>
#include <utility>

namespace ezio {

namespace {

using Kind = TransferStep::Kind;

TransferStep fail(ExitStatus status, const std::string& message)
{
    return {Kind::fail, {}, {}, Error(status, message)};
}

} // namespace

TransferState::TransferState(const TransferPlan& plan)
    : m_plan(plan), m_state(plan.check                 ? State::checking
                            : plan.role == Role::fetch ? State::connecting
                                                       : State::seeding)
{}

Phase TransferState::phase() const
{
    switch (m_state) {
    case State::checking:
        return Phase::checking;
    case State::connecting:
        return Phase::connecting;
    case State::downloading:
        return Phase::downloading;
    case State::syncing:
        return Phase::syncing;
    case State::verifying:
        return Phase::verifying;
    case State::seeding:
    case State::over:
        break;
    }
    return Phase::seeding;
}

TransferStep TransferState::go(State state, Kind kind)
{
    m_state = state;
    return {kind};
}

TransferStep TransferState::advance(const TransferFacts& facts)
{
    if (m_state == State::connecting && facts.received_bytes > 0) {
        m_state = State::downloading;
    }
    if (auto error = reason_to_fail(facts)) {
        return {Kind::fail, {}, {}, std::move(error)};
    }
    switch (m_state) {
    case State::checking:
        return advance_check(facts.hashing, facts.has_session);
    case State::connecting:
    case State::downloading:
        return facts.waiting.done_bytes == facts.waiting.total_bytes ? go(State::syncing, Kind::begin_sync)
                                                                     : TransferStep{};
    case State::syncing:
        return advance_sync(facts.sync);
    case State::verifying:
        return advance_verification(facts.hashing);
    case State::seeding:
        if (auto reason = reason_to_leave(facts)) {
            m_state = State::over;
            return {Kind::leave, *std::move(reason),
                    lacks_clients(facts) ? ExitStatus::stalled : ExitStatus::done};
        }
        break;
    case State::over:
        break;
    }
    return {};
}

std::optional<Error> TransferState::reason_to_fail(const TransferFacts& facts) const
{
    if (facts.disk_failure) {
        return Error(*facts.disk_failure);
    }
    if (facts.signal != 0) {
        return stopped_by(facts.signal, facts.remark_on_stop);
    }
    if (is_complete()) {
        return std::nullopt; // no limit applies
    }
    const auto reason = waited_too_long(facts.waiting, m_plan.waiting, facts.waits_for);
    return reason ? std::optional(Error(ExitStatus::stalled, *reason)) : std::nullopt;
}

// A fetch requests nothing before a piece is found missing.
TransferStep TransferState::advance_check(const TransferFacts::Hashing& hashing, bool has_session)
{
    if (!hashing.over) {
        const bool begins = m_plan.fetches_while_checking && hashing.anything_missing && !has_session;
        return {begins ? Kind::begin_session : Kind::wait};
    }
    if (m_plan.role == Role::fetch) {
        return go(State::connecting, Kind::end_check);
    }
    return hashing.fault.empty() ? go(State::seeding, Kind::end_check)
                                 : fail(ExitStatus::verification, hashing.fault);
}

TransferStep TransferState::advance_sync(const TransferFacts::Sync& sync)
{
    if (!sync.finished) {
        return {};
    }
    if (sync.failure) {
        return {Kind::fail, {}, {}, Error(*sync.failure)};
    }
    if (!sync.fault.empty() && is_last_sync()) {
        return fail(ExitStatus::target, sync.fault);
    }
    return m_plan.verify && !m_verified ? go(State::verifying, Kind::begin_verification)
                                        : go(State::seeding, Kind::complete);
}

TransferStep TransferState::advance_verification(const TransferFacts::Hashing& hashing)
{
    if (!hashing.over) {
        return {};
    }
    if (!hashing.fault.empty()) {
        return fail(ExitStatus::verification, hashing.fault);
    }
    const bool is_synced = is_last_sync(); // everything, before the verification
    m_verified = true;
    return is_synced ? go(State::seeding, Kind::complete) : go(State::syncing, Kind::begin_sync);
}

std::optional<std::string> TransferState::reason_to_leave(const TransferFacts& facts) const
{
    if (m_plan.role == Role::seed) {
        return seed_may_leave(facts.seeding, m_plan.seeding);
    }
    // At least until others know that it is complete: a seeder may be counting.
    const auto& seed_time = m_plan.seeding.seed_time;
    return seed_time ? may_leave(facts.since_complete, facts.since_needed, std::max(*seed_time, last_words))
                     : std::nullopt;
}

// A script that waits for this many clients relies on the status.
bool TransferState::lacks_clients(const TransferFacts& facts) const
{
    return m_plan.role == Role::seed && m_plan.seeding.clients &&
           facts.seeding.clients_complete < *m_plan.seeding.clients;
}

std::optional<TransferState::Limit> TransferState::next_limit(const TransferFacts& facts) const
{
    std::optional<NextLimit> next;
    if (!is_complete()) {
        next = ezio::next_limit(facts.waiting, m_plan.waiting);
    } else if (m_state == State::checking) { // a seed: its time has not begun
        return std::nullopt;
    } else if (m_plan.role == Role::seed) {
        next = ezio::next_limit(facts.seeding, {m_plan.seeding.seed_time, m_plan.seeding.idle_timeout, {}});
    } else {
        next =
            ezio::next_limit(SeedingFacts{facts.since_complete, {}, 0}, {m_plan.seeding.seed_time, {}, {}});
    }
    return next ? std::optional(Limit{*std::move(next), !is_complete() || lacks_clients(facts)})
                : std::nullopt;
}

} // namespace ezio
