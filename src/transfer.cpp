// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/transfer.hpp"

#include "ezio/piece_scan.hpp"
#include "ezio/torrent_session.hpp"
#include "ezio/transfer_policy.hpp"
#include "ezio/verifier.hpp"
#include "ezio/watchdog.hpp"
#include "ezio/wrong_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include <unistd.h>

namespace ezio {

namespace {

constexpr milliseconds tick{250};
constexpr milliseconds last_words{300}; // what is said last is heard within this
constexpr milliseconds peers_interval{1000}; // a list of all peers is asked for this often

// After a failure, for threads that may be waiting for a dead disk; less than StopSignal::patience.
constexpr milliseconds end_patience{2000};

// fsync can take long; meanwhile the main thread goes on reporting, and listening to signals.
class BackgroundSync {
  public:
    BackgroundSync(Target& target, Wakeup& wakeup)
        : m_thread([this, &target, &wakeup] {
              m_failure = target.sync();
              m_finished = true;
              wakeup.notify();
          })
    {}
    ~BackgroundSync() { m_thread.join(); }
    BackgroundSync(const BackgroundSync&) = delete;
    BackgroundSync& operator=(const BackgroundSync&) = delete;

    [[nodiscard]] bool finished() const { return m_finished; }
    [[nodiscard]] const std::optional<IoFailure>& failure() const { return m_failure; } // when finished

  private:
    std::optional<IoFailure> m_failure;
    std::atomic<bool> m_finished = false;
    std::thread m_thread; // last: it uses the rest
};

class Transfer {
  public:
    Transfer(const LoadedTorrent& torrent, Target& target, const TransferOptions& options, Reporter& reporter,
             Wakeup& wakeup, const StopSignal& stop)
        : m_torrent(torrent), m_target(target), m_options(options), m_reporter(reporter), m_wakeup(wakeup),
          m_stop(stop)
    {}

    void run();

  private:
    void begin_check();
    void begin_session(std::vector<bool> on_disk);
    void start_scan(Phase phase);
    void report_start();

    void handle(const ListenFailed& event) const;
    void handle(const ListenTroubled& event);
    void handle(const DiscoveryFailed& event);
    void handle(const TrackerFailed& event);
    void handle(const PeerRefused& event);
    void handle(const PeerBanned& event);
    void handle(const PeerBlocked& event);
    void handle(const PieceRejected& event);
    void refuse_wrong_source() const;
    void handle(const TorrentFailed& event) const;
    bool warn_once(const std::string& message);
    void look_at_peers();
    void look_for_peers();
    void observe();
    void report_progress();
    [[nodiscard]] bool waits_for_peers() const
    {
        return m_phase == Phase::connecting || m_phase == Phase::downloading;
    }
    void refuse_to_wait_longer() const;
    [[nodiscard]] bool advance();
    void advance_check();
    [[nodiscard]] bool advance_sync();
    [[nodiscard]] bool advance_verification();
    void complete();
    [[nodiscard]] bool may_leave_now() const;
    void report_summary();

    [[nodiscard]] milliseconds since(Clock::time_point then) const
    {
        return std::chrono::duration_cast<milliseconds>(m_now - then);
    }
    [[nodiscard]] double elapsed() const { return std::chrono::duration<double>(m_now - m_started).count(); }
    [[nodiscard]] std::uint64_t done_bytes() const
    {
        return m_scan ? m_scan->bytes_done() : m_facts.done_bytes;
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

    Phase m_phase = Phase::checking;
    Clock::time_point m_now = Clock::now();
    Clock::time_point m_started = m_now;
    Clock::time_point m_completed;
    Clock::time_point m_last_needed;
    Clock::time_point m_last_peers;
    Clock::time_point m_lonely_since = m_now;
    Clock::time_point m_last_search = m_now;
    StallClock m_stall{m_now};
    std::uint64_t m_right_bytes = 0; // received and not found wrong, at most so far
    WrongData m_wrong_data;
    RateMeter m_done_rate;
    RateMeter m_download_rate;
    RateMeter m_upload_rate;
    TimeLeft m_left; // of the phase
    DiskEngine::Facts m_facts;
    SessionCounts m_counts;
    StallClock m_sending{m_now};
    Clients m_clients;
    SwarmFacts m_swarm;
    unsigned m_peers_complete = 0;
    bool m_has_source = false; // somebody has what is missing
    std::uint64_t m_kept_bytes = 0;
    std::set<std::string> m_known_peers;
    std::set<std::string> m_warned;
    std::map<boost::asio::ip::address, unsigned> m_bans; // of each host
    std::optional<BackgroundSync> m_sync;
    std::optional<PieceScan> m_scan;
    std::optional<TorrentSession> m_session; // once the check is over
};

void Transfer::run()
{
    if (m_options.check) {
        report_start();
        begin_check();
    } else { // who reads that it listens may connect
        begin_session(std::vector<bool>(m_torrent.image.piece_count(), m_options.role == Role::seed));
        report_start();
    }
    for (bool over = false; !over;) {
        m_wakeup.wait_for(tick);
        m_now = Clock::now();
        if (m_session) {
            for (const SessionEvent& event : m_session->take_events()) {
                std::visit([this](const auto& what) { handle(what); }, event);
            }
        }
        observe();
        if (m_session) {
            throw_if(m_session->engine().failure());
        }
        m_stop.throw_if_received(
            m_options.role == Role::fetch && m_phase == Phase::seeding ? "; the image is complete" : "");
        refuse_wrong_source();
        refuse_to_wait_longer();
        over = advance();
        report_progress();
    }
    report_summary();
}

// What another process has written and left behind has to be on the medium, and be read from there: what the
// kernel has in memory says nothing of a disk that has failed since.
void Transfer::begin_check()
{
    if (m_options.role == Role::fetch) {
        m_sync.emplace(m_target, m_wakeup);
    } else {
        start_scan(Phase::checking);
    }
}

void Transfer::start_scan(Phase phase)
{
    const Image& image = m_torrent.image;
    m_scan.emplace(image.map, image.piece_length, m_target, scan_threads(), m_wakeup);
    m_done_rate = RateMeter();
    m_left = {};
    m_phase = phase;
}

void Transfer::begin_session(std::vector<bool> on_disk)
{
    m_session.emplace(m_torrent, m_target,
                      TorrentSession::Options{m_options.network, m_options.endpoints,
                                              m_options.tls ? &*m_options.tls : nullptr, m_options.memory,
                                              std::move(on_disk), [this] { m_wakeup.notify(); }});
    m_swarm.named_peers = static_cast<unsigned>(m_options.network.peers.size());
    m_swarm.trackers = m_session->tracker_count();
    m_swarm.lsd = m_session->discovers_locally();
    m_phase = m_options.role == Role::seed ? Phase::seeding : Phase::connecting;
    m_done_rate = RateMeter();
    m_left = {};
    m_session->start();
}

void Transfer::report_start()
{
    std::string listening;
    for (const Endpoint& endpoint : m_options.endpoints.listen.endpoints) {
        listening += (listening.empty() ? "" : ", ") + to_string(endpoint);
    }
    const Image& image = m_torrent.image;
    m_reporter.start({m_options.role == Role::fetch ? "fetch" : "seed", m_torrent.path, m_target.path(),
                      image.name, m_torrent.info_hash, listening, image.map.payload_size(),
                      image.map.device_end(), image.extents.size(), image.piece_count(), image.piece_length});
}

void Transfer::handle(const ListenFailed& event) const
{
    throw Error(ExitStatus::network, fmt::format("cannot listen on {}: {}", event.where, event.reason));
}

void Transfer::handle(const DiscoveryFailed& event)
{
    warn_once("local service discovery hears nothing: " + event.reason);
}

void Transfer::handle(const TrackerFailed& event)
{
    m_swarm.last_tracker_error = fmt::format("{}: {}", event.url, event.reason);
    warn_once("tracker " + m_swarm.last_tracker_error);
}

void Transfer::handle(const ListenTroubled& event)
{
    warn_once("a connection could not be accepted: " + event.reason);
}

void Transfer::handle(const PeerRefused& event)
{
    m_swarm.last_refusal = fmt::format("{}: {}", event.address, event.reason);
    warn_once("no TLS connection with " + m_swarm.last_refusal);
}

void Transfer::handle(const PeerBanned& event)
{
    const auto host = event.peer.address();
    if (warn_once(fmt::format("{} has sent wrong data; it is dropped", to_string(event.peer)))) {
        ++m_swarm.banned_peers;
    }
    if (++m_bans[host] == bans_until_kept_out && !host.is_loopback()) { // this machine has several processes
        m_session->keep_out(host);
        warn_once(fmt::format("{} has sent wrong data {} times; it is kept out from now on", host.to_string(),
                              bans_until_kept_out));
    }
}

void Transfer::handle(const PeerBlocked& event)
{
    if (!allows(m_options.endpoints.allowed, event.host)) {
        warn_once(
            fmt::format("{} is kept out: it is in no network that --allow names", event.host.to_string()));
    }
}

void Transfer::handle(const PieceRejected& event)
{
    m_wrong_data.rejected(event.piece, m_now);
    warn_once(fmt::format("piece {} arrived with wrong data; it is fetched again", event.piece));
}

void Transfer::refuse_wrong_source() const
{
    if (m_options.role == Role::seed || !waits_for_peers()) {
        return;
    }
    if (const auto piece = m_wrong_data.hopeless(m_now)) {
        throw Error(
            ExitStatus::verification,
            fmt::format("the source does not match the torrent: what it sends as piece {} is wrong ({}), and "
                        "nobody else has it; has its disk changed since the torrent was made?",
                        *piece, describe_wrong(m_torrent.image, {*piece})));
    }
}

void Transfer::handle(const TorrentFailed& event) const
{
    if (!m_session->engine().failure()) { // which is the reason then, and says more
        throw Error(ExitStatus::internal, "libtorrent: " + event.reason);
    }
}

// Returns whether it is new.
bool Transfer::warn_once(const std::string& message)
{
    if (m_warned.size() >= warning_limit || !m_warned.insert(message).second) {
        return false;
    }
    m_reporter.warning(message);
    if (m_warned.size() == warning_limit) {
        m_reporter.warning("further warnings are not shown");
    }
    return true;
}

void Transfer::observe()
{
    if (m_session) {
        m_facts = m_session->engine().facts();
        m_counts = m_session->counts();
        m_download_rate.observe(m_counts.received_bytes, m_now);
        m_upload_rate.observe(m_counts.uploaded_bytes, m_now);
        m_swarm.target_hangs = m_facts.writers > 0;
        const bool is_eager = m_phase == Phase::connecting; // to see the first byte when it comes
        if (since(m_last_peers) >= (is_eager ? tick : peers_interval)) {
            m_last_peers = m_now;
            look_at_peers();
            m_clients = m_session->clients();
            m_sending.observe(m_counts.uploaded_bytes, m_now);
            if (m_swarm.peers < m_options.endpoints.peers.size() && m_phase != Phase::seeding) {
                m_session->connect_named_peers();
            }
        }
        look_for_peers();
        m_wrong_data.observe(m_facts.done_bytes, m_has_source, m_now);
    } else {
        m_sending = StallClock(m_now); // it has not begun to seed
    }
    m_done_rate.observe(done_bytes(), m_now);
    // What is received, found wrong and thrown away, over and over, is no progress.
    m_right_bytes = std::max(m_right_bytes, m_counts.received_bytes -
                                                std::min(m_counts.received_bytes, m_counts.failed_bytes));
    m_stall.observe(m_right_bytes + m_facts.written_bytes + m_facts.done_bytes + done_bytes(), m_now);
    if (m_phase == Phase::connecting && m_counts.received_bytes > 0) {
        m_phase = Phase::downloading;
    }
}

void Transfer::look_for_peers()
{
    const bool lonely = m_swarm.peers == 0;
    m_lonely_since = lonely ? m_lonely_since : m_now;
    if (since(m_last_search) < search_interval(since(m_lonely_since))) {
        return;
    }
    m_last_search = m_now;
    m_session->announce_locally();
    if (lonely) {
        m_session->announce_to_trackers();
    }
}

void Transfer::look_at_peers()
{
    std::set<std::string> connected;
    m_swarm.peers_with_data = m_peers_complete = 0;
    m_has_source = false;
    for (const ConnectedPeer& peer : m_session->peers()) {
        connected.insert(peer.address);
        m_peers_complete += peer.complete ? 1 : 0;
        m_swarm.peers_with_data += peer.has_data ? 1 : 0;
        m_has_source = m_has_source || peer.is_source;
        if (!peer.complete) {
            m_last_needed = m_now;
        }
    }
    m_swarm.peers = static_cast<unsigned>(connected.size());
    for (const std::string& address : connected) {
        if (m_known_peers.count(address) == 0) {
            m_reporter.peer({true, address});
        }
    }
    for (const std::string& address : m_known_peers) {
        if (connected.count(address) == 0) {
            m_reporter.peer({false, address});
        }
    }
    m_known_peers = std::move(connected);
}

void Transfer::refuse_to_wait_longer() const
{
    if (m_options.role == Role::seed || m_phase == Phase::seeding) {
        return;
    }
    if (m_options.timeout && since(m_started) >= *m_options.timeout) {
        throw Error(ExitStatus::stalled,
                    fmt::format("not complete after {} ({} of {} done): {}",
                                format_duration(*m_options.timeout), format_bytes(m_facts.done_bytes),
                                format_bytes(total_bytes()),
                                waits_for_peers() ? describe_wait(m_swarm) : "waiting for the target"));
    }
    if (m_options.stall_timeout && m_stall.stalled_for(m_now) >= *m_options.stall_timeout) {
        throw Error(ExitStatus::stalled,
                    fmt::format("no data for {}: {}", format_duration(*m_options.stall_timeout),
                                waits_for_peers() ? describe_wait(m_swarm) : "waiting for the target"));
    }
}

// Takes the next step if it is time. Returns true when the work is over.
bool Transfer::advance()
{
    switch (m_phase) {
    case Phase::checking:
        advance_check();
        return false;
    case Phase::connecting:
    case Phase::downloading:
        if (m_facts.done_bytes == total_bytes()) {
            m_phase = Phase::syncing;
            m_sync.emplace(m_target, m_wakeup);
        }
        return false;
    case Phase::syncing:
        return advance_sync();
    case Phase::seeding:
        return may_leave_now();
    case Phase::verifying:
        return advance_verification();
    case Phase::metadata:
    case Phase::mapping:
    case Phase::hashing:
        break;
    }
    return false;
}

void Transfer::advance_check()
{
    if (m_sync) {
        if (m_sync->finished()) {
            throw_if(m_sync->failure());
            m_sync.reset();
            m_target.drop_cache();
            start_scan(Phase::checking);
        }
        return;
    }
    if (!m_scan->finished()) {
        return;
    }
    throw_if(m_scan->failure());
    const Image& image = m_torrent.image;
    const auto wrong = wrong_pieces(image, m_scan->digests());
    if (m_options.role == Role::seed && !wrong.empty()) {
        throw Error(ExitStatus::verification,
                    fmt::format("{} is not the image: {}", m_target.path(), describe_wrong(image, wrong)));
    }
    m_scan.reset();
    std::vector<bool> on_disk(image.piece_count(), true);
    m_kept_bytes = total_bytes();
    for (const std::uint32_t piece : wrong) {
        on_disk[piece] = false;
        m_kept_bytes -= image.piece_size(piece);
    }
    begin_session(std::move(on_disk));
}

bool Transfer::advance_sync()
{
    if (!m_sync->finished()) {
        return false;
    }
    throw_if(m_sync->failure());
    m_sync.reset();
    if (!m_options.verify) {
        complete();
        return false;
    }
    m_target.drop_cache();
    start_scan(Phase::verifying);
    return false;
}

bool Transfer::advance_verification()
{
    if (!m_scan->finished()) {
        return false;
    }
    throw_if(m_scan->failure());
    const auto wrong = wrong_pieces(m_torrent.image, m_scan->digests());
    if (!wrong.empty()) {
        throw Error(ExitStatus::verification,
                    fmt::format("{} does not hold what was written: {}", m_target.path(),
                                describe_wrong(m_torrent.image, wrong)));
    }
    m_scan.reset();
    complete();
    return false;
}

void Transfer::complete()
{
    m_phase = Phase::seeding;
    m_completed = m_last_needed = m_now;
    m_last_peers = {}; // look at them anew
    m_reporter.complete({elapsed(), total_bytes()});
}

bool Transfer::may_leave_now() const
{
    if (m_options.role == Role::seed) {
        return seed_may_leave({since(m_started), m_sending.stalled_for(m_now), m_clients.complete},
                              {m_options.seed_time, m_options.idle_timeout, m_options.clients});
    }
    // At least until the others have heard that we are complete: a seeder may be counting.
    const milliseconds serve = std::max(m_options.seed_time.value_or(last_words), last_words);
    return m_options.seed_time && may_leave(since(m_completed), since(m_last_needed), serve);
}

void Transfer::report_progress()
{
    ProgressEvent event;
    event.phase = m_phase;
    event.seconds = elapsed();
    event.total_bytes = total_bytes();
    event.received_bytes = m_counts.received_bytes;
    event.done_bytes = done_bytes();
    event.uploaded_bytes = m_counts.uploaded_bytes;
    event.download_rate = m_download_rate.per_second();
    event.upload_rate = m_upload_rate.per_second();
    event.done_rate = m_done_rate.per_second();
    if (m_phase == Phase::downloading || m_phase == Phase::verifying || m_phase == Phase::checking) {
        m_left.observe(event.done_bytes, event.total_bytes, m_now);
        event.eta_seconds = m_left.seconds();
    }
    event.peers = m_swarm.peers;
    event.peers_complete = m_peers_complete;
    event.skipped_bytes = skipped_bytes();
    event.clients_complete = m_clients.complete;
    event.clients_in_progress = m_clients.in_progress;
    if (const auto& slowest = m_clients.slowest) {
        event.slowest = SlowestClient{slowest->address, 100.0 * slowest->pieces / m_torrent.image.piece_count()};
    }
    m_reporter.progress(event);
}

void Transfer::report_summary()
{
    m_counts = m_session->counts();
    SummaryEvent event;
    event.seconds = elapsed();
    event.total_bytes = total_bytes();
    event.received_bytes = m_counts.received_bytes;
    event.written_bytes = m_facts.written_bytes;
    event.uploaded_bytes = m_counts.uploaded_bytes;
    event.redundant_bytes = m_counts.redundant_bytes;
    event.failed_pieces = m_facts.failed_pieces;
    event.skipped_bytes = skipped_bytes();
    event.peers = m_session->peer_totals();
    m_reporter.summary(event);
}

} // namespace

void run_transfer(const LoadedTorrent& torrent, Target& target, const TransferOptions& options,
                  Reporter& reporter, Wakeup& wakeup, const StopSignal& stop)
{
    std::optional<Watchdog> end; // outlives the transfer, whose end it watches
    Transfer transfer(torrent, target, options, reporter, wakeup, stop);
    try {
        transfer.run();
    } catch (const Error& error) {
        end.emplace(end_patience, [&reporter, error] { // nobody else reports: they wait
            reporter.error(error);
            ::_exit(static_cast<int>(error.status()));
        });
        throw;
    }
}

} // namespace ezio
