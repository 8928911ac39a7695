// SPDX-License-Identifier: GPL-2.0-or-later
//
// Decides when a transfer is complete, and what it does next: a state machine without a session, a target, a
// thread or a clock. The loop around it (transfer.cpp) gathers the facts and carries out the steps.
//
//     fetch:  [checking ->] connecting -> downloading -> syncing -> [verifying -> [syncing ->]]
//             -> seeding -> over
//     seed:   [checking ->] seeding -> over
//
// A stop signal, a failed disk and a passed limit end every state. After completion the only limit of a fetch
// is its seed time.
#pragma once

#include "ezio/process/stop_signal.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/transfer/transfer.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/error.hpp"
#include "transfer_policy.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ezio {

// The user's options.
struct TransferPlan {
    Role role = Role::fetch;
    bool check = false; // hash the target first
    bool fetches_while_checking = false;
    bool verify = false;              // after the sync, hash the contents of the medium
    bool writes_after_verify = false; // outside the image, with a sync of its own
    WaitingLimits waiting;            // of a fetch, until it is complete
    SeedingLimits seeding;            // for a complete fetch only the seed time
};

// The facts for choosing the next step.
struct TransferFacts {
    // The check or the verification, which hash the target.
    struct Hashing {
        bool over = false;
        bool anything_missing = false; // so far
        std::string fault;             // when finished: how the target differs from the image; or empty
    };
    struct Sync {
        bool finished = false;
        std::optional<IoFailure> failure; // of the sync, or of the last writes
        std::string fault;                // why the last writes were impossible; empty: they were done
    };

    int signal = 0;                        // the signal received, or 0
    std::string remark_on_stop;            // for the message of a signal
    std::optional<IoFailure> disk_failure; // the engine's first failure
    std::uint64_t received_bytes = 0;      // of payload
    WaitingFacts waiting;
    std::string waits_for; // for the end of a sentence
    bool has_session = false;
    Hashing hashing;                // in checking and verifying
    Sync sync;                      // in syncing
    SeedingFacts seeding;           // of a seed
    milliseconds since_complete{0}; // of a fetch
    milliseconds since_needed{0};   // of a fetch: by an incomplete peer
};

struct TransferStep {
    enum class Kind {
        wait,
        begin_session, // while the check continues
        end_check,     // the target's pieces are known; connect, or stay connected
        begin_sync,
        begin_verification,
        complete, // every byte is verified, written and synced
        leave,    // with `status`
        fail,
    };
    Kind kind = Kind::wait;
    std::string reason{};         // for leaving
    ExitStatus status{};          // stalled for a seed that still waits for clients, otherwise done
    std::optional<Error> error{}; // for fail
};

// Not thread-safe.
class TransferState {
  public:
    enum class State { checking, connecting, downloading, syncing, verifying, seeding, over };

    explicit TransferState(const TransferPlan& plan);

    [[nodiscard]] State state() const { return m_state; }
    [[nodiscard]] Phase phase() const; // for reports

    // Data is missing, and may arrive.
    [[nodiscard]] bool waits_for_peers() const
    {
        return m_state == State::connecting || m_state == State::downloading;
    }
    // Whether the next or current sync is the last one: data outside the image is written before it.
    [[nodiscard]] bool is_last_sync() const
    {
        return !m_plan.verify || !m_plan.writes_after_verify || m_verified;
    }
    [[nodiscard]] bool is_verified() const { return m_verified; }

    // Whether a seed still waits for clients.
    [[nodiscard]] bool lacks_clients(const TransferFacts& facts) const;

    // Returns the next step, for the caller to carry out. After leave and fail there is none.
    [[nodiscard]] TransferStep advance(const TransferFacts& facts);

    // The limit that ends it if nothing moves from now on, and the status.
    struct Limit {
        NextLimit next;
        bool is_failure = false; // false: it then leaves with status 0
    };
    [[nodiscard]] std::optional<Limit> next_limit(const TransferFacts& facts) const;

  private:
    [[nodiscard]] std::optional<Error> reason_to_fail(const TransferFacts& facts) const;
    [[nodiscard]] TransferStep advance_check(const TransferFacts::Hashing& hashing, bool has_session);
    [[nodiscard]] TransferStep advance_sync(const TransferFacts::Sync& sync);
    [[nodiscard]] TransferStep advance_verification(const TransferFacts::Hashing& hashing);
    [[nodiscard]] std::optional<std::string> reason_to_leave(const TransferFacts& facts) const;
    [[nodiscard]] bool is_complete() const
    {
        return m_plan.role == Role::seed || m_state == State::seeding || m_state == State::over;
    }
    TransferStep go(State state, TransferStep::Kind kind);

    const TransferPlan m_plan;
    State m_state;
    bool m_verified = false;
};

} // namespace ezio
