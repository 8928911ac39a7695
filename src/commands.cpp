// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/commands.hpp"

#include "ezio/check_progress.hpp"
#include "ezio/clock.hpp"
#include "ezio/command_output.hpp"
#include "ezio/descriptor_limit.hpp"
#include "ezio/discard.hpp"
#include "ezio/magnet.hpp"
#include "ezio/metadata_session.hpp"
#include "ezio/printable.hpp"
#include "ezio/privileges.hpp"
#include "ezio/start_event.hpp"
#include "ezio/target.hpp"
#include "ezio/torrent_file.hpp"
#include "ezio/torrent_maker.hpp"
#include "ezio/torrent_source.hpp"
#include "ezio/transfer.hpp"
#include "ezio/verifier.hpp"
#include "ezio/watched_target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

namespace ezio {

namespace {

std::optional<TlsCredentials> credentials_for(const LoadedTorrent& torrent, const TlsFiles& files)
{
    if (!torrent.ssl_ca.empty()) {
        return load_credentials(files, torrent.ssl_ca, torrent.image.name);
    }
    if (files.given()) {
        throw Error(
            ExitStatus::usage,
            fmt::format("{}: {} is not private, its data would travel in the clear; see create --ssl-ca",
                        files.first_option(), torrent.path));
    }
    return std::nullopt;
}

// What seed and fetch do alike before they touch the target. `endpoints` is what `network` names.
TransferOptions prepare(Role role, const LoadedTorrent& torrent, const NetworkOptions& network,
                        NetworkEndpoints endpoints)
{
    allow_descriptors_for(network.max_peers);
    TransferOptions transfer;
    transfer.role = role;
    transfer.network = network;
    transfer.endpoints = std::move(endpoints);
    transfer.tls = credentials_for(torrent, network.tls);
    return transfer;
}

LoadedTorrent torrent_from(const std::string& path_or_url, const Context& context)
{
    return parse_torrent(read_torrent(path_or_url, context.stop), path_or_url);
}

std::optional<milliseconds> shorter(const std::optional<milliseconds>& a,
                                    const std::optional<milliseconds>& b)
{
    return a && b ? std::min(a, b) : (a ? a : b);
}

// The limits of a fetch before the transfer, which looks at them itself: each step may wait for ever.
class FetchLimits {
  public:
    FetchLimits(const FetchOptions& options, Deadline& deadline) : m_options(options), m_deadline(deadline) {}

    // A step that nobody else limits, and what is said when it has taken too long.
    void begin(const std::string& waits_for) { limit(m_options.timeout, {}, waits_for, milliseconds(0)); }

    // One that waits for data.
    void begin_waiting(const std::string& waits_for, milliseconds grace = milliseconds(0))
    {
        limit(m_options.timeout, m_options.stall_timeout, waits_for, grace);
    }

    [[nodiscard]] Clock::time_point started() const { return m_started; }

    // What is left of the time, if it has an end; rounded up to what messages show.
    [[nodiscard]] std::optional<milliseconds> left() const
    {
        using Tenths = std::chrono::duration<milliseconds::rep, std::deci>;
        return m_options.timeout ? std::optional<milliseconds>(std::chrono::ceil<Tenths>(
                                       std::max(*m_options.timeout - since_start(), milliseconds(0))))
                                 : std::nullopt;
    }

  private:
    [[nodiscard]] milliseconds since_start() const
    {
        return std::chrono::duration_cast<milliseconds>(Clock::now() - m_started);
    }

    void limit(const std::optional<milliseconds>& timeout, const std::optional<milliseconds>& stall_timeout,
               const std::string& waits_for, milliseconds grace)
    {
        const auto left = timeout ? std::optional(*timeout - since_start()) : std::nullopt;
        if (left && (!stall_timeout || *left <= *stall_timeout)) {
            m_deadline.fail_at(Clock::now() + *left,
                               fmt::format("not complete after {}", format_duration(*timeout)), waits_for,
                               grace);
        } else if (stall_timeout) {
            m_deadline.fail_at(Clock::now() + *stall_timeout,
                               fmt::format("no data for {}", format_duration(*stall_timeout)), waits_for,
                               grace);
        } else {
            m_deadline.call_off();
        }
    }

    const FetchOptions& m_options;
    Deadline& m_deadline;
    const Clock::time_point m_started = Clock::now();
};

constexpr const char* name_server = "the name server has not answered for a --peer";

// The torrent that is fetched, and what the options' names resolved to: for a magnet link they are needed
// before it, and the port stays the same.
struct ToFetch {
    LoadedTorrent torrent;
    NetworkEndpoints endpoints;
    EndingSession session; // of the magnet link
};

ToFetch what_to_fetch(const FetchOptions& options, FetchLimits& limits, const Context& context)
{
    if (!options.save_torrent.empty()) {
        refuse_replacing(options.save_torrent, {options.target});
    }
    ToFetch found;
    std::string bytes;
    if (is_magnet(options.torrent)) {
        if (options.network.tls.given()) {
            throw Error(
                ExitStatus::usage,
                options.network.tls.first_option() +
                    ": a magnet link does not say whose certificates an image wants, so the metadata of a "
                    "private one cannot be had from its peers; give its torrent file or URL");
        }
        limits.begin_waiting(name_server);
        found.endpoints = resolve(options.network);
        const auto named = parse_magnet(options.torrent).peers; // as if by --peer
        found.endpoints.peers.insert(found.endpoints.peers.end(), named.begin(), named.end());
        const MetadataOptions metadata{options.network, found.endpoints,
                                       shorter(options.stall_timeout, limits.left()), options.memory};
        limits.begin_waiting("the metadata of the magnet link has not come", Deadline::patience);
        Metadata fetched = fetch_metadata(options.torrent, metadata, context.reporter, context.wakeup,
                                          context.stop, context.deadline);
        bytes = std::move(fetched.torrent);
        found.session = std::move(fetched.session);
        limits.begin(fmt::format("{} was still being read", options.torrent));
        found.torrent = parse_torrent(bytes, options.torrent);
    } else {
        constexpr milliseconds own_message{1000}; // a download looks at the time itself
        limits.begin_waiting(fmt::format("the torrent {} has not come", options.torrent),
                             is_http_url(options.torrent) ? own_message : milliseconds(0));
        bytes = read_torrent(options.torrent, context.stop, {options.timeout, options.stall_timeout});
        limits.begin(fmt::format("{} was still being read", options.torrent));
        found.torrent = parse_torrent(bytes, options.torrent);
        limits.begin_waiting(name_server);
        found.endpoints = resolve(options.network);
    }
    if (!options.save_torrent.empty()) {
        write_file_atomically(options.save_torrent, bytes);
    }
    return found;
}

std::optional<User> user_for(const NetworkOptions& network, const std::string& target)
{
    if (network.user.empty()) {
        return std::nullopt;
    }
    if (std::filesystem::is_directory(target)) {
        throw Error(ExitStatus::usage,
                    fmt::format("--user {}: {} is a directory, whose files are opened while it runs; "
                                "it needs a block device or an image file",
                                network.user, target));
    }
    return find_user(network.user);
}

// Once the target is open.
void give_up_privileges_for(const std::optional<User>& user, const TransferOptions& transfer,
                            const std::string& target, const Context& context)
{
    KeptPowers kept;
    kept.open_any_file = std::filesystem::is_directory(target);
    const auto& listen = transfer.endpoints.listen.endpoints;
    kept.low_ports =
        std::any_of(listen.begin(), listen.end(), [](const Endpoint& it) { return it.port() < 1024; });
    give_up_privileges(user, kept);
    context.stop.renew_thread();
    context.deadline.renew_thread();
}

std::unique_ptr<Target> open_known(const std::string& path, Access access, const Image& image,
                                   const Context& context, const std::string& serial = {})
{
    context.deadline.disk().set_disk(path);
    const DiskCalls::Call call(context.deadline.disk());
    return open_target(path, access, image, serial);
}

} // namespace

void run(const SeedOptions& options, const Context& context)
{
    const LoadedTorrent torrent = torrent_from(options.torrent, context);
    NetworkOptions network = options.network;
    if (options.clients) { // whom there is no room for is not counted
        network.max_peers = std::max(network.max_peers, static_cast<int>(*options.clients));
    }
    TransferOptions transfer = prepare(Role::seed, torrent, network, resolve(network));
    const auto user = user_for(options.network, options.source);
    transfer.memory = options.memory;
    transfer.seed_time = options.seed_time;
    transfer.check = options.check;
    transfer.idle_timeout = options.idle_timeout;
    if (options.clients) {
        transfer.clients = static_cast<unsigned>(*options.clients);
    }
    const auto source = open_known(options.source, Access::read_only, torrent.image, context);
    give_up_privileges_for(user, transfer, options.source, context);
    WatchedTarget watched(*source, context.deadline.disk());
    run_transfer(torrent, watched, transfer, context.reporter, context.wakeup, context.stop,
                 context.deadline);
}

void run(const FetchOptions& options, const Context& context)
{
    FetchLimits limits(options, context.deadline);
    auto [torrent, endpoints, session] = what_to_fetch(options, limits, context);
    limits.begin("what --ssl-cert and --ssl-key name was still being read");
    TransferOptions transfer = prepare(Role::fetch, torrent, options.network, std::move(endpoints));
    const auto user = user_for(options.network, options.target);
    transfer.memory = options.memory;
    transfer.seed_time = options.seed_time;
    transfer.check = options.resume;
    transfer.verify = options.verify;
    transfer.stall_timeout = options.stall_timeout;
    transfer.timeout = options.timeout;
    transfer.timed_since = limits.started();
    limits.begin(fmt::format("{} was still being looked at", options.target));
    const auto target =
        open_known(options.target, Access::read_write, torrent.image, context, options.serial);
    give_up_privileges_for(user, transfer, options.target, context);
    WatchedTarget watched(*target, context.deadline.disk());
    if (options.discard) { // needs no more than the open target, and spares its data when the above fails
        limits.begin(fmt::format("{} was still discarding what the image does not use", options.target));
        discard_unused(*target, torrent.image.map, context.reporter, context.stop);
    }
    run_transfer(torrent, watched, transfer, context.reporter, context.wakeup, context.stop,
                 context.deadline);
}

void run(const VerifyOptions& options, const Context& context)
{
    const LoadedTorrent torrent = torrent_from(options.torrent, context);
    const Image& image = torrent.image;
    const auto target = open_known(options.target, Access::read_only, image, context);
    WatchedTarget watched(*target, context.deadline.disk());
    context.reporter.start(start_event("verify", torrent, options.target));
    TargetCheck check(image, watched, TargetCheck::First::sync_and_drop_cache, context.wakeup);
    const double seconds = wait_for_check(check, Phase::verifying, image.map.payload_size(), context);
    if (const auto wrong = check.wrong(); !wrong.empty()) {
        throw Error(ExitStatus::verification,
                    fmt::format("{} is not the image: {}", options.target, describe_wrong(image, wrong)));
    }
    if (context.format == Format::text) {
        context.reporter.make_way();
        print_result(fmt::format("{}: all {} {} right\n", printable(options.target),
                                 counted(image.piece_count(), "piece"),
                                 image.piece_count() == 1 ? "is" : "are"));
    }
    SummaryEvent summary;
    summary.seconds = seconds;
    summary.total_bytes = image.map.payload_size();
    context.reporter.summary(summary);
}

void run(const InfoOptions& options, const Context& context)
{
    const LoadedTorrent torrent = torrent_from(options.torrent, context);
    if (options.magnet && !torrent.ssl_ca.empty()) {
        throw Error(ExitStatus::usage,
                    fmt::format("--magnet: {} is private, and its peers give the metadata to nobody "
                                "who does not have it; hand out the torrent instead",
                                torrent.path));
    }
    if (options.magnet) {
        print_magnet(torrent, context.format);
    } else {
        print_info(torrent, context.format);
    }
}

void run(const Command& command, const Context& context)
{
    std::visit([&](const auto& options) { run(options, context); }, command);
}

} // namespace ezio
