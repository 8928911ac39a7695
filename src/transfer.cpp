// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/transfer.hpp"

#include "ezio/disk_io.hpp"
#include "ezio/piece_scan.hpp"
#include "ezio/session_settings.hpp"
#include "ezio/swarm.hpp"
#include "ezio/transfer_policy.hpp"
#include "ezio/verifier.hpp"

#include <fmt/format.h>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/ip_filter.hpp>
#include <libtorrent/peer_class.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_status.hpp>
#include <libtorrent/version.hpp>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>
#include <vector>

namespace ezio {

namespace {

constexpr milliseconds tick{250};
constexpr milliseconds peers_interval{1000}; // a list of all peers is asked for this often

// One of them never writes. A rotating disk gets one writer, who goes from one end to the other.
unsigned disk_threads(const Target& target)
{
    return target.is_rotational() ? 2U : std::clamp(std::thread::hardware_concurrency(), 2U, 8U);
}

// fsync can take long; meanwhile the main thread goes on reporting, and listening to signals.
class BackgroundSync {
  public:
    BackgroundSync(Target& target, Wakeup& wakeup)
        : m_thread([this, &target, &wakeup] {
              m_failure = target.sync();
              m_finished = true;
              wakeup.notify();
          })
    {
    }
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

// Peers on a LAN count as "local" for libtorrent, to which rate limits do not apply: make them ordinary.
lt::ip_filter everybody_in_the_global_class()
{
    constexpr std::uint32_t global = 1U << static_cast<std::uint32_t>(lt::session_handle::global_peer_class_id);
    lt::ip_filter filter;
    filter.add_rule(lt::make_address("0.0.0.0"), lt::make_address("255.255.255.255"), global);
    filter.add_rule(lt::make_address("::"), lt::make_address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), global);
    return filter;
}

Endpoint address_of(const lt::peer_info& peer)
{
#if LIBTORRENT_VERSION_NUM >= 20100
    return peer.remote_endpoint();
#else
    return peer.ip;
#endif
}

class Transfer {
  public:
    Transfer(const LoadedTorrent& torrent, Target& target, const TransferOptions& options, Reporter& reporter,
             Wakeup& wakeup, const StopSignal& stop)
        : m_torrent(torrent), m_target(target), m_options(options), m_reporter(reporter), m_wakeup(wakeup),
          m_stop(stop), m_phase(options.role == Role::seed ? Phase::seeding : Phase::connecting),
          m_plugin(options.role == Role::seed ? Swarm::Steering::yes : Swarm::Steering::no,
                   torrent.image.piece_count(), torrent.image.piece_length)
    {
    }

    void run();

  private:
    void start();
    void start_session();
    void add_torrent();
    void connect_named_peers();

    void handle_alerts();
    void handle(const lt::alert& alert);
    void warn_once(const std::string& message);
    void look_at_peers();
    void observe();
    void report_progress();
    [[nodiscard]] bool waits_for_peers() const
    {
        return m_phase == Phase::connecting || m_phase == Phase::downloading;
    }
    void refuse_to_wait_longer() const;
    [[nodiscard]] bool advance();
    [[nodiscard]] bool advance_sync();
    [[nodiscard]] bool advance_verification();
    [[nodiscard]] bool complete();
    [[nodiscard]] bool may_leave_now() const;
    void report_summary();

    [[nodiscard]] milliseconds since(Clock::time_point then) const
    {
        return std::chrono::duration_cast<milliseconds>(m_now - then);
    }
    [[nodiscard]] double elapsed() const { return std::chrono::duration<double>(m_now - m_started).count(); }
    [[nodiscard]] std::uint64_t done_bytes() const { return m_scan ? m_scan->bytes_done() : m_facts.done_bytes; }
    [[nodiscard]] std::uint64_t total_bytes() const { return m_torrent.image.map.payload_size(); }

    // Constant after start().
    const LoadedTorrent& m_torrent;
    Target& m_target;
    const TransferOptions& m_options;
    Reporter& m_reporter;
    Wakeup& m_wakeup;
    const StopSignal& m_stop;
    const DiskIo* m_disk = nullptr; // the session's

    Phase m_phase;
    Clock::time_point m_now = Clock::now();
    Clock::time_point m_started = m_now;
    Clock::time_point m_completed;
    Clock::time_point m_last_needed;
    Clock::time_point m_last_peers;
    StallClock m_stall{m_now};
    RateMeter m_done_rate;
    DiskEngine::Facts m_facts;
    lt::torrent_status m_status;
    SwarmFacts m_swarm;
    unsigned m_peers_complete = 0;
    std::set<std::string> m_known_peers;
    std::set<std::string> m_warned;
    std::optional<BackgroundSync> m_sync;
    std::optional<PieceScan> m_scan;

    Swarm m_plugin;
    std::optional<lt::session> m_session; // ends before what its threads use
    lt::torrent_handle m_handle;
};

void Transfer::run()
{
    start();
    for (bool over = false; !over;) {
        m_wakeup.wait_for(tick);
        m_now = Clock::now();
        handle_alerts();
        observe();
        if (const auto failure = m_disk->engine().failure()) {
            throw Error(*failure);
        }
        m_stop.throw_if_received(m_options.role == Role::fetch && m_phase == Phase::seeding
                                     ? "; the image is complete"
                                     : "");
        refuse_to_wait_longer();
        over = advance();
        report_progress();
    }
    report_summary();
}

void Transfer::start()
{
    const auto& listen = m_options.endpoints.listen;
    start_session();
    add_torrent();
    connect_named_peers();
    m_handle.resume(); // it connects to those it knows at this moment; later ones wait for its next second
    std::string listening;
    for (const Endpoint& endpoint : listen) {
        listening += (listening.empty() ? "" : ", ") + to_string(endpoint);
    }
    const Image& image = m_torrent.image;
    m_reporter.start({m_options.role == Role::fetch ? "fetch" : "seed", m_torrent.path, m_target.path(), image.name,
                      m_torrent.info_hash, listening, image.map.payload_size(), image.map.device_end(),
                      image.extents.size(), image.piece_count(), image.piece_length});
}

void Transfer::start_session()
{
    lt::session_params params;
    params.settings = session_settings(m_options.network, m_options.endpoints.listen);
    params.disk_io_constructor = [this](lt::io_context& context, const lt::settings_interface&, lt::counters&) {
        const std::vector<bool> on_disk(m_torrent.image.piece_count(), m_options.role == Role::seed);
        auto disk = std::make_unique<DiskIo>(
            context, m_torrent.image, m_target, on_disk,
            DiskIo::Options{m_options.memory, disk_threads(m_target), [this] { m_wakeup.notify(); }});
        m_disk = disk.get();
        return disk;
    };
    m_session.emplace(std::move(params));
    m_session->set_alert_notify([this] { m_wakeup.notify(); });
    m_session->set_peer_class_filter(everybody_in_the_global_class());
}

void Transfer::add_torrent()
{
    lt::add_torrent_params params = m_torrent.params;
    params.save_path = "/"; // must not be empty; DiskIo has no use for it
    params.flags &= ~lt::torrent_flags::auto_managed;
    params.flags |= lt::torrent_flags::paused | lt::torrent_flags::disable_dht | lt::torrent_flags::no_verify_files;
    if (!m_options.network.lsd) {
        params.flags |= lt::torrent_flags::disable_lsd;
    }
    params.url_seeds.clear(); // nothing is contacted that the user did not name
    if (!m_options.network.torrent_trackers) {
        params.trackers.clear();
        params.tracker_tiers.clear();
    }
    params.trackers.insert(params.trackers.end(), m_options.network.trackers.begin(),
                           m_options.network.trackers.end());
    m_plugin.extend(params);
    if (m_options.role == Role::seed) {
        params.have_pieces.resize(static_cast<int>(m_torrent.image.piece_count()), true);
    }
    m_swarm.named_peers = static_cast<unsigned>(m_options.network.peers.size());
    m_swarm.trackers = static_cast<unsigned>(params.trackers.size());
    m_swarm.lsd = m_options.network.lsd;
    m_handle = m_session->add_torrent(std::move(params));
}

void Transfer::connect_named_peers()
{
    for (const Endpoint& peer : m_options.endpoints.peers) {
        m_handle.connect_peer(peer);
    }
}

void Transfer::handle_alerts()
{
    std::vector<lt::alert*> alerts;
    m_session->pop_alerts(&alerts);
    for (const lt::alert* alert : alerts) {
        handle(*alert);
    }
}

void Transfer::handle(const lt::alert& alert)
{
    if (const auto* failed = lt::alert_cast<lt::listen_failed_alert>(&alert)) {
        if (failed->socket_type == lt::socket_type_t::tcp) {
            throw Error(ExitStatus::network,
                        fmt::format("cannot listen on {}: {}", failed->listen_interface(), failed->error.message()));
        }
    } else if (const auto* tracker = lt::alert_cast<lt::tracker_error_alert>(&alert)) {
        m_swarm.last_tracker_error = fmt::format("{}: {}", tracker->tracker_url(), tracker->error.message());
        warn_once("tracker " + m_swarm.last_tracker_error);
    } else if (const auto* hash = lt::alert_cast<lt::hash_failed_alert>(&alert)) {
        warn_once(fmt::format("piece {} arrived with wrong data; it is fetched again",
                              static_cast<int>(hash->piece_index)));
    } else if (lt::alert_cast<lt::torrent_error_alert>(&alert) != nullptr && !m_disk->engine().failure()) {
        throw Error(ExitStatus::internal, "libtorrent: " + alert.message());
    }
}

void Transfer::warn_once(const std::string& message)
{
    if (m_warned.insert(message).second) {
        m_reporter.warning(message);
    }
}

void Transfer::observe()
{
    m_facts = m_disk->engine().facts();
    m_done_rate.observe(done_bytes(), m_now);
    if (since(m_last_peers) >= peers_interval) {
        m_last_peers = m_now;
        m_status = m_handle.status({});
        look_at_peers();
        if (m_swarm.peers < m_options.endpoints.peers.size() && m_phase != Phase::seeding) {
            connect_named_peers();
        }
    }
    const auto received = static_cast<std::uint64_t>(m_status.total_payload_download);
    m_stall.observe(received + m_facts.written_bytes + m_facts.done_bytes, m_now);
    if (m_phase == Phase::connecting && received > 0) {
        m_phase = Phase::downloading;
    }
}

void Transfer::look_at_peers()
{
    std::vector<lt::peer_info> peers;
    m_handle.get_peer_info(peers);
    std::set<std::string> connected;
    m_swarm.peers_with_data = m_peers_complete = 0;
    for (const lt::peer_info& peer : peers) {
        if (peer.flags & (lt::peer_info::connecting | lt::peer_info::handshake)) {
            continue;
        }
        connected.insert(to_string(address_of(peer)));
        const bool complete = bool(peer.flags & lt::peer_info::seed);
        m_peers_complete += complete ? 1 : 0;
        m_swarm.peers_with_data += peer.num_pieces > 0 ? 1 : 0;
        if (!complete) {
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
                    fmt::format("not complete after {} ({} of {} done): {}", format_duration(*m_options.timeout),
                                format_bytes(m_facts.done_bytes), format_bytes(total_bytes()),
                                waits_for_peers() ? describe_wait(m_swarm) : "waiting for the target"));
    }
    if (waits_for_peers() && m_options.stall_timeout && m_stall.stalled_for(m_now) >= *m_options.stall_timeout) {
        throw Error(ExitStatus::stalled, fmt::format("no data for {}: {}", format_duration(*m_options.stall_timeout),
                                                     describe_wait(m_swarm)));
    }
}

// Takes the next step if it is time. Returns true when the work is over.
bool Transfer::advance()
{
    switch (m_phase) {
    case Phase::connecting:
    case Phase::downloading:
        if (m_facts.done_bytes == total_bytes()) {
            m_phase = Phase::syncing;
            m_sync.emplace(m_target, m_wakeup);
        }
        return false;
    case Phase::syncing: return advance_sync();
    case Phase::seeding: return may_leave_now();
    case Phase::verifying: return advance_verification();
    }
    return false;
}

bool Transfer::advance_sync()
{
    if (!m_sync->finished()) {
        return false;
    }
    throw_if(m_sync->failure());
    m_sync.reset();
    if (!m_options.verify) {
        return complete();
    }
    m_target.drop_cache();
    const Image& image = m_torrent.image;
    m_scan.emplace(image.map, image.piece_length, m_target, scan_threads(), m_wakeup);
    m_done_rate = {};
    m_phase = Phase::verifying;
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
    return complete();
}

// Returns true when that is all.
bool Transfer::complete()
{
    m_phase = Phase::seeding;
    m_completed = m_last_needed = m_now;
    m_last_peers = {}; // look at them anew
    m_reporter.complete({elapsed(), total_bytes()});
    return m_options.seed_time == milliseconds(0);
}

bool Transfer::may_leave_now() const
{
    if (m_options.role == Role::seed) {
        return m_options.seed_time && since(m_started) >= *m_options.seed_time;
    }
    return m_options.seed_time && may_leave(since(m_completed), since(m_last_needed), *m_options.seed_time);
}

void Transfer::report_progress()
{
    ProgressEvent event;
    event.phase = m_phase;
    event.seconds = elapsed();
    event.total_bytes = total_bytes();
    event.received_bytes = static_cast<std::uint64_t>(m_status.total_payload_download);
    event.done_bytes = done_bytes();
    event.uploaded_bytes = static_cast<std::uint64_t>(m_status.total_payload_upload);
    event.download_rate = m_status.download_payload_rate;
    event.upload_rate = m_status.upload_payload_rate;
    event.done_rate = m_done_rate.per_second();
    if (m_phase == Phase::downloading || m_phase == Phase::verifying) {
        event.eta_seconds = seconds_left(event.done_bytes, event.total_bytes, event.done_rate);
    }
    event.peers = m_swarm.peers;
    event.peers_complete = m_peers_complete;
    m_reporter.progress(event);
}

void Transfer::report_summary()
{
    m_status = m_handle.status({});
    SummaryEvent event;
    event.seconds = elapsed();
    event.total_bytes = total_bytes();
    event.received_bytes = static_cast<std::uint64_t>(m_status.total_payload_download);
    event.written_bytes = m_facts.written_bytes;
    event.uploaded_bytes = static_cast<std::uint64_t>(m_status.total_payload_upload);
    event.redundant_bytes = static_cast<std::uint64_t>(m_status.total_redundant_bytes);
    event.failed_pieces = m_facts.failed_pieces;
    m_reporter.summary(event);
}

} // namespace

void run_transfer(const LoadedTorrent& torrent, Target& target, const TransferOptions& options, Reporter& reporter,
                  Wakeup& wakeup, const StopSignal& stop)
{
    Transfer(torrent, target, options, reporter, wakeup, stop).run();
}

} // namespace ezio
