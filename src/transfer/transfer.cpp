// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/transfer/transfer.hpp"

#include "client_watch.hpp"
#include "ezio/compression/availability.hpp"
#include "ezio/target/background_sync.hpp"
#include "ezio/transfer/start_event.hpp"
#include "ezio/verify/digest_comparison.hpp"
#include "ezio/verify/image_check.hpp"
#include "fetch_report.hpp"
#include "session_driver.hpp"
#include "target_finish.hpp"
#include "transfer_meters.hpp"
#include "transfer_notes.hpp"
#include "transfer_policy.hpp"
#include "transfer_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

namespace ezio {

namespace {

constexpr milliseconds tick{250};
constexpr milliseconds longest_write{2000}; // a longer one hangs

constexpr const char* network_thread =
    "the network thread does not answer; a peer, a tracker or a web seed keeps "
    "it busy";

// Missing pieces are fetched while the check continues, with two exceptions: a hybrid torrent, because
// libtorrent needs the hashes of all blocks, which the check does not keep; and one with padding, which the
// engine has already.
TransferPlan plan_of(const Image& image, const TransferOptions& options)
{
    const bool is_plain = image.v2_pieces.empty() && image.padding.empty();
    return {options.role,
            options.check,
            options.role == Role::fetch && is_plain,
            options.verify,
            options.gpt_copy != GptCopy::leave,
            {options.timeout, options.stall_timeout},
            {options.seed_time, options.idle_timeout, options.clients}};
}

// Gathers the facts, and carries out the steps that TransferState decides.
class Transfer {
  public:
    Transfer(const LoadedTorrent& torrent, Target& target, const TransferOptions& options, Reporter& reporter,
             Wakeup& wakeup, const StopSignal& stop, Deadline& deadline)
        : m_torrent(torrent), m_target(target), m_options(options), m_reporter(reporter), m_wakeup(wakeup),
          m_stop(stop), m_deadline(deadline), m_state(plan_of(torrent.image, options)),
          m_finish(torrent, target, options)
    {}

    void run();

    // Sends the last report to the seeders, and gives them a moment to receive it.
    void say_last(const std::optional<Error>& error);

    // The results of a seed's clients when it ends with this error.
    void report_clients_at_end(const Error& error);

  private:
    void begin_check(ImageCheck::First first);
    void begin_session(std::vector<bool> on_disk, std::vector<bool> not_yet_known = {});

    void renew_deadline();
    void observe();
    [[nodiscard]] TransferFacts facts() const;
    void hash_on();
    void take_findings();
    void carry_out(const TransferStep& step);
    void end_check();
    void begin_sync();
    void complete();
    [[nodiscard]] std::string describe_wanted_clients() const;

    void report_start();
    void note_waiting();
    void report_progress();
    void report_to_seeders(const ProgressEvent& event);
    void report_clients();
    void report_summary(ExitStatus status);

    [[nodiscard]] milliseconds since(Clock::time_point then) const
    {
        return std::chrono::duration_cast<milliseconds>(m_now - then);
    }
    [[nodiscard]] bool write_hangs() const { return m_write_clock.stalled_for(m_now) >= longest_write; }
    [[nodiscard]] bool sync_is_over() const { return m_sync && m_sync->finished() && !m_sync->failure(); }
    [[nodiscard]] std::string remark_on_stop(const TransferFacts& facts) const;
    [[nodiscard]] std::string describe_wait() const;
    [[nodiscard]] double elapsed() const { return std::chrono::duration<double>(m_now - m_started).count(); }
    [[nodiscard]] DiskEngine::Facts disk() const { return m_swarm ? m_swarm->disk() : DiskEngine::Facts{}; }
    [[nodiscard]] SessionCounts counts() const { return m_swarm ? m_swarm->counts() : SessionCounts{}; }
    [[nodiscard]] std::uint64_t done_bytes() const // in this phase
    {
        // Pieces found by the check may still be on their way to the engine.
        return m_check ? m_check->bytes_done() : std::max(disk().done_bytes, m_kept_bytes);
    }
    [[nodiscard]] std::uint64_t skipped_bytes() const
    {
        return m_options.role == Role::fetch ? m_kept_bytes : 0;
    }
    [[nodiscard]] std::uint64_t total_bytes() const { return m_torrent.image.map.payload_size(); }

    // Constant.
    const LoadedTorrent& m_torrent;
    Target& m_target;
    const TransferOptions& m_options;
    Reporter& m_reporter;
    Wakeup& m_wakeup;
    const StopSignal& m_stop;
    Deadline& m_deadline;

    TransferState m_state;
    TransferFacts::Hashing m_hashing; // of m_check
    Clock::time_point m_now = Clock::now();
    const Clock::time_point m_started = m_now;
    Clock::time_point m_completed;
    TransferMeters m_meters{m_now};
    StallClock m_write_clock{m_now}; // while there are writers
    HoldNotes m_hold_notes;
    StallNotes m_stall_notes;
    ClientWatch m_client_watch;
    ClientList m_clients; // of a seed
    Clock::time_point m_looked_at_clients;
    std::uint64_t m_kept_bytes = 0;
    std::vector<bool> m_on_disk;          // findings of the check, until there is a session
    std::vector<bool> m_unknown;          // not checked yet
    std::optional<ImageCheck> m_check;    // while checking or verifying
    TargetFinish m_finish;                // while syncing used by m_sync's thread only
    std::optional<BackgroundSync> m_sync; // while syncing
    std::optional<ClientReport> m_said;   // to seeders
    std::optional<SessionDriver> m_swarm; // once the first check is over, or something is found missing
};

void Transfer::run()
{
    renew_deadline();
    if (m_options.check) {
        report_start();
        m_on_disk.resize(m_torrent.image.piece_count(), false);
        m_unknown.resize(m_torrent.image.piece_count(), true);
        begin_check(m_options.role == Role::fetch ? ImageCheck::First::sync_and_drop_cache
                                                  : ImageCheck::First::nothing);
    } else { // a reader of the start event may connect
        begin_session(std::vector<bool>(m_torrent.image.piece_count(), m_options.role == Role::seed));
        m_meters.begin_phase();
        report_start();
    }
    while (m_state.state() != TransferState::State::over) {
        m_wakeup.wait_for(tick);
        m_now = Clock::now();
        observe();
        note_waiting();
        carry_out(m_state.advance(facts()));
        if (m_state.state() == TransferState::State::over || since(m_looked_at_clients) >= tick) {
            report_clients();
        }
        report_progress();
        renew_deadline();
    }
    report_summary(ExitStatus::done);
}

void Transfer::begin_check(ImageCheck::First first)
{
    m_hashing = {};
    m_check.emplace(m_torrent.image, m_target, first, m_wakeup);
    m_meters.begin_phase();
}

void Transfer::begin_session(std::vector<bool> on_disk, std::vector<bool> not_yet_known)
{
    m_swarm.emplace(m_torrent, m_target,
                    TorrentSession::Options{
                        m_options.role == Role::seed ? Swarm::Kind::seed : Swarm::Kind::client,
                        m_options.network, m_options.endpoints, m_options.tls ? &*m_options.tls : nullptr,
                        TorrentMemory(m_options.memory).for_data(m_torrent.image), std::move(on_disk),
                        std::move(not_yet_known), m_options.reports_as.has_value(),
                        [this] { m_wakeup.notify(); }},
                    m_reporter, m_now);
    m_meters.begin_session(m_now);
    m_swarm->start();
}

// Sets the deadline for the case that this thread does not return here: every call of the session waits for
// the session's thread.
void Transfer::renew_deadline()
{
    const auto limit = m_state.next_limit(facts());
    if (!limit) {
        m_deadline.call_off();
    } else if (limit->is_failure) {
        m_deadline.fail_at(m_now + limit->next.left, limit->next.reason, network_thread);
    } else {
        m_deadline.leave_at(m_now + limit->next.left, limit->next.reason);
    }
}

// Throws Error: libtorrent gives up, the missing data only arrives wrong, or the target cannot be hashed.
void Transfer::observe()
{
    if (m_swarm) {
        m_swarm->observe(m_state.phase(), m_now);
    }
    m_meters.observe({counts().received_bytes, counts().failed_bytes, counts().redundant_bytes,
                      counts().uploaded_bytes, disk().written_bytes, done_bytes(),
                      counts().received_wire_bytes, counts().uploaded_wire_bytes},
                     m_now);
    if (disk().writers > 0) {
        m_write_clock.observe(disk().written_bytes, m_now);
    } else {
        m_write_clock = StallClock(m_now);
    }
    if (m_state.waits_for_peers() && m_stop.received() == 0 && !m_swarm->disk_failure()) {
        m_swarm->refuse_wrong_source(m_now);
    }
    if (m_check) {
        hash_on();
    }
    if (sync_is_over() && m_state.is_last_sync()) {
        m_finish.report(m_reporter);
    }
}

TransferFacts Transfer::facts() const
{
    TransferFacts facts;
    facts.signal = m_stop.received();
    facts.disk_failure = m_swarm ? m_swarm->disk_failure() : std::nullopt;
    facts.received_bytes = counts().received_bytes;
    facts.waiting = {since(m_options.timed_since), m_meters.stalled_for(m_now), disk().done_bytes,
                     total_bytes(), m_state.phase() != Phase::connecting && !write_hangs()};
    facts.waits_for = describe_wait();
    facts.has_session = m_swarm.has_value();
    facts.hashing = m_hashing;
    if (m_sync && m_sync->finished()) {
        facts.sync = {true, m_sync->failure(),
                      m_state.is_last_sync() ? m_finish.describe_failed_gpt_move() : ""};
    }
    if (m_swarm) {
        facts.seeding = {since(m_started), m_meters.sent_nothing_for(m_now), m_swarm->clients().complete};
        facts.since_complete = since(m_completed);
        facts.since_needed = since(m_swarm->watch().last_needed());
    }
    if (facts.signal != 0) {
        facts.remark_on_stop = remark_on_stop(facts);
    }
    return facts;
}

std::string Transfer::remark_on_stop(const TransferFacts& facts) const
{
    if (m_state.lacks_clients(facts)) {
        return fmt::format("; it has sent {}, and {}", format_bytes(counts().uploaded_bytes),
                           describe_wanted_clients());
    }
    if (m_options.role == Role::seed) {
        const unsigned complete = facts.seeding.clients_complete;
        return fmt::format("; it has sent {}, and {} {} complete", format_bytes(counts().uploaded_bytes),
                           counted(complete, "client"), complete == 1 ? "is" : "are");
    }
    if (m_state.phase() == Phase::seeding) {
        return "; the image is complete";
    }
    return disk().done_bytes > 0 ? "; the image is not complete, --resume continues from here" : "";
}

std::string Transfer::describe_wait() const
{
    if (m_state.waits_for_peers() && disk().writers == 0) {
        return m_swarm ? m_swarm->describe_wait() : "the session is not started yet";
    }
    const char* what = m_state.phase() == Phase::syncing ? "the sync"
                       : m_state.waits_for_peers()       ? "a write"
                                                         : "a read or sync";
    return fmt::format("the target {} does not finish {}", m_target.path(), what);
}

void Transfer::note_waiting()
{
    if (const auto note = m_hold_notes.observe(disk().holds, m_now)) {
        m_reporter.note(*note);
    }
    if (m_state.waits_for_peers() && m_stall_notes.observe(m_meters.stalled_for(m_now))) {
        const auto whole = std::chrono::floor<std::chrono::seconds>(m_meters.stalled_for(m_now));
        m_reporter.note(fmt::format("no data for {}: {}", format_duration(whole), describe_wait()));
    }
}

// Throws the error if the step is one.
void Transfer::carry_out(const TransferStep& step)
{
    switch (step.kind) {
    case TransferStep::Kind::wait:
        break;
    case TransferStep::Kind::begin_session:
        m_reporter.note("pieces are missing: they are fetched while the check continues");
        begin_session(std::move(m_on_disk), std::move(m_unknown));
        break;
    case TransferStep::Kind::end_check:
        end_check();
        break;
    case TransferStep::Kind::begin_sync:
        m_check.reset();
        begin_sync();
        break;
    case TransferStep::Kind::begin_verification:
        m_sync.reset();
        begin_check(ImageCheck::First::drop_cache);
        break;
    case TransferStep::Kind::complete:
        m_check.reset();
        m_sync.reset();
        complete();
        break;
    case TransferStep::Kind::leave:
        m_reporter.note("leaving: " + step.reason);
        if (step.status != ExitStatus::done) {
            throw Error(step.status, fmt::format("{}, and {}", step.reason, describe_wanted_clients()));
        }
        break;
    case TransferStep::Kind::fail:
        throw Error(*step.error);
    }
}

void Transfer::hash_on()
{
    m_hashing.over = m_check->advance();
    if (m_state.phase() == Phase::checking) {
        take_findings();
    }
    if (const auto wrong = m_hashing.over ? m_check->wrong() : std::vector<std::uint32_t>(); !wrong.empty()) {
        const char* what =
            m_state.phase() == Phase::checking ? "is not the image" : "does not hold what was written";
        m_hashing.fault =
            fmt::format("{} {}: {}", m_target.path(), what, describe_wrong(m_torrent.image, wrong));
    }
}

void Transfer::take_findings()
{
    const ImageCheck::Findings found = m_check->take_findings();
    for (const std::uint32_t piece : found.right) {
        m_kept_bytes += m_torrent.image.piece_size(piece);
    }
    m_hashing.anything_missing |= !found.wrong.empty();
    if (m_swarm) {
        m_swarm->learn(found.right, found.wrong);
        return;
    }
    for (const std::uint32_t piece : found.right) {
        m_on_disk[piece] = true;
        m_unknown[piece] = false;
    }
    for (const std::uint32_t piece : found.wrong) {
        m_unknown[piece] = false;
    }
}

void Transfer::end_check()
{
    const auto wrong = static_cast<std::uint32_t>(m_check->wrong().size());
    m_check.reset();
    m_reporter.note(describe_kept(m_torrent.image.piece_count() - wrong, m_torrent.image.piece_count()));
    if (!m_swarm) {
        begin_session(std::move(m_on_disk));
    }
    m_meters.begin_phase();
}

void Transfer::begin_sync()
{
    const bool is_last = m_state.is_last_sync();
    m_sync.emplace(
        m_target, m_wakeup,
        [this, is_last, is_verified = m_state.is_verified()] { return m_finish.write(is_verified, is_last); },
        [this, is_last] {
            if (is_last) {
                m_finish.look_around();
            }
        });
}

void Transfer::complete()
{
    m_completed = m_now;
    m_swarm->needed_from(m_now);
    m_reporter.complete({elapsed(), total_bytes()});
    m_reporter.note(describe_staying(m_options.seed_time));
}

std::string Transfer::describe_wanted_clients() const
{
    const unsigned complete = m_swarm ? m_swarm->clients().complete : 0;
    return describe_clients(complete, *m_options.clients, m_swarm ? m_swarm->client_list() : ClientList());
}

void Transfer::report_start()
{
    m_reporter.start(start_event(m_options.role == Role::fetch ? "fetch" : "seed", m_torrent, m_target.path(),
                                 m_options.endpoints.listen.endpoints));
    m_reporter.note(describe_port(m_options.endpoints.listen));
    m_reporter.note(describe_memory(m_options.memory));
    if (m_options.network.compression && !why_no_compression().empty()) {
        m_reporter.note("compression is off: " + why_no_compression());
    }
    m_reporter.note(describe_page_cache(m_target.page_cache(), m_torrent.image.map.data_bytes()));
    if (m_options.role == Role::fetch) {
        const std::size_t left_out = m_options.network.web_seeds ? 0 : m_torrent.web_seeds.size();
        if (const std::string warning = describe_web_seeds_left_out(left_out); !warning.empty()) {
            m_reporter.warning(warning);
        }
        m_reporter.note(describe_writers(m_target.is_rotational()));
    }
}

void Transfer::report_progress()
{
    ProgressEvent event;
    event.phase = m_state.phase();
    event.seconds = elapsed();
    event.total_bytes = total_bytes();
    event.done_bytes = done_bytes();
    event.skipped_bytes = skipped_bytes();
    if (m_swarm) {
        m_swarm->describe(event);
    }
    m_meters.describe(event, m_now);
    report_to_seeders(event);
    m_reporter.progress(event);
}

void Transfer::report_to_seeders(const ProgressEvent& event)
{
    if (m_swarm && m_options.reports_as) {
        m_said = fetch_report(*m_options.reports_as, event);
        m_swarm->say(*m_said, m_now);
    }
}

void Transfer::say_last(const std::optional<Error>& error)
{
    if (!m_said) {
        return;
    }
    const auto until = Clock::now() + last_report_patience;
    if (error) {
        m_swarm->say(last_report(*m_said, *error), Clock::now());
    }
    while (!m_swarm->is_heard() && Clock::now() < until) {
        m_wakeup.wait_for(std::chrono::ceil<milliseconds>(until - Clock::now()));
    }
}

void Transfer::report_clients()
{
    if (m_options.role != Role::seed || !m_swarm) {
        return;
    }
    m_looked_at_clients = m_now;
    m_clients = m_swarm->client_list();
    for (const ClientStatus& client : m_client_watch.observe(m_clients)) {
        m_reporter.client(client);
    }
    m_reporter.clients(m_clients);
    if (m_options.clients_known) {
        m_options.clients_known(m_clients);
    }
}

void Transfer::report_clients_at_end(const Error& error)
{
    if (m_options.role == Role::seed && m_swarm) {
        report_clients();
        report_summary(error.status());
    }
}

void Transfer::report_summary(ExitStatus status)
{
    SummaryEvent event;
    event.status = status;
    if (m_options.role == Role::seed) {
        event.clients = m_clients;
    }
    event.seconds = elapsed();
    event.total_bytes = total_bytes();
    event.skipped_bytes = skipped_bytes();
    for (const Signature& each : m_finish.wiped()) {
        event.wiped.push_back({each.type, each.magic.offset, each.magic.length});
    }
    m_swarm->describe(event);
    if (const auto units = m_swarm->unit_counts(); units.sent_payload > 0) {
        m_reporter.note(describe_forwarded(units.sent_payload, units.forwarded_payload));
    }
    m_reporter.summary(event);
}

} // namespace

void run_transfer(const LoadedTorrent& torrent, Target& target, const TransferOptions& options,
                  Reporter& reporter, Wakeup& wakeup, const StopSignal& stop, Deadline& deadline)
{
    Transfer transfer(torrent, target, options, reporter, wakeup, stop, deadline);
    try {
        transfer.run();
        deadline.end({}); // all work is done, and everything written is synced
        transfer.say_last({});
    } catch (const Error& error) {
        deadline.end(error);
        transfer.say_last(error);
        transfer.report_clients_at_end(error);
        throw;
    } catch (const std::exception& error) {
        const Error told(ExitStatus::internal, fmt::format("internal error: {}", error.what()));
        deadline.end(told);
        transfer.say_last(told);
        throw;
    }
}

} // namespace ezio
