// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/commands.hpp"

#include "ezio/check_progress.hpp"
#include "ezio/clock.hpp"
#include "ezio/command_output.hpp"
#include "ezio/descriptor_limit.hpp"
#include "ezio/discard.hpp"
#include "ezio/magnet.hpp"
#include "ezio/metadata_session.hpp"
#include "ezio/move_gpt.hpp"
#include "ezio/other_disks.hpp"
#include "ezio/partition_rescan.hpp"
#include "ezio/printable.hpp"
#include "ezio/privileges.hpp"
#include "ezio/start_event.hpp"
#include "ezio/target.hpp"
#include "ezio/torrent_file.hpp"
#include "ezio/torrent_maker.hpp"
#include "ezio/torrent_source.hpp"
#include "ezio/transfer.hpp"
#include "ezio/verifier.hpp"
#include "ezio/watchdog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include <unistd.h>

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

// The torrent that is fetched, and what the options' names resolved to: for a magnet link they are needed
// before it, and the port stays the same.
struct ToFetch {
    LoadedTorrent torrent;
    NetworkEndpoints endpoints;
};

ToFetch what_to_fetch(const FetchOptions& options, const Context& context)
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
        found.endpoints = resolve(options.network);
        const auto named = parse_magnet(options.torrent).peers; // as if by --peer
        found.endpoints.peers.insert(found.endpoints.peers.end(), named.begin(), named.end());
        const MetadataOptions metadata{options.network, found.endpoints,
                                       shorter(options.stall_timeout, options.timeout), options.memory};
        bytes = fetch_metadata(options.torrent, metadata, context.reporter, context.wakeup, context.stop);
        found.torrent = parse_torrent(bytes, options.torrent);
    } else {
        bytes = read_torrent(options.torrent, context.stop, {options.timeout, options.stall_timeout});
        found.torrent = parse_torrent(bytes, options.torrent);
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
                            const std::string& target, StopSignal& stop)
{
    KeptPowers kept;
    kept.open_any_file = std::filesystem::is_directory(target);
    const auto& listen = transfer.endpoints.listen.endpoints;
    kept.low_ports =
        std::any_of(listen.begin(), listen.end(), [](const Endpoint& it) { return it.port() < 1024; });
    give_up_privileges(user, kept);
    stop.renew_thread();
}

// Ends the process if it lives when the time is over: for what can wait for a disk for ever, and before the
// transfer, which looks at its time itself.
std::unique_ptr<Watchdog> end_in_time(const FetchOptions& options, Clock::time_point started,
                                      Reporter& reporter, std::string waits_for)
{
    if (!options.timeout) {
        return nullptr;
    }
    const auto left = *options.timeout - std::chrono::duration_cast<milliseconds>(Clock::now() - started);
    return std::make_unique<Watchdog>(
        std::max(left, milliseconds(0)), [&options, &reporter, waits_for = std::move(waits_for)] {
            reporter.error({ExitStatus::stalled, fmt::format("not complete after {}: {}",
                                                             format_duration(*options.timeout), waits_for)});
            reporter.finish();
            ::_exit(static_cast<int>(ExitStatus::stalled));
        });
}

std::unique_ptr<Target> open_in_time(const FetchOptions& options, const Image& image,
                                     Clock::time_point started, Reporter& reporter)
{
    const auto end = end_in_time(options, started, reporter, describe_dead_disk(options.target));
    return open_target(options.target, Access::read_write, image, options.serial);
}

void refuse_hopeless_expansion(const FetchOptions& options, const LoadedTorrent& torrent)
{
    if (const auto why = why_no_gpt(options.target, torrent.image, torrent.source);
        options.expand_gpt && !why.empty()) {
        throw Error(ExitStatus::usage, fmt::format("--expand-gpt: {}", why));
    }
}

// Why the pieces with the partition table may differ although nothing is wrong with the disk.
std::string remark_on_gpt(Target& target, const Image& image)
{
    ReplacedBytes none;
    const bool is_larger = target.size().value_or(0) > image.map.device_end();
    return is_larger && move_gpt(target, image, GptCopy::leave, none).outcome == GptPlan::Outcome::at_the_end
               ? fmt::format(
                     "; the GPT was expanded to the end of {}, which is larger, and of the sectors in "
                     "which it is some differ for that",
                     target.path())
               : "";
}

void discard_in_time(const FetchOptions& options, Target& target, const ExtentMap& map,
                     Clock::time_point started, const Context& context)
{
    const auto end =
        end_in_time(options, started, context.reporter,
                    fmt::format("{} was still discarding what the image does not use", options.target));
    discard_unused(target, map, context.reporter, context.stop);
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
    context.stop.set_disk(options.source);
    const auto source = open_target(options.source, Access::read_only, torrent.image);
    give_up_privileges_for(user, transfer, options.source, context.stop);
    run_transfer(torrent, *source, transfer, context.reporter, context.wakeup, context.stop);
}

void run(const FetchOptions& options, const Context& context)
{
    const Clock::time_point started = Clock::now();
    auto [torrent, endpoints] = what_to_fetch(options, context);
    TransferOptions transfer = prepare(Role::fetch, torrent, options.network, std::move(endpoints));
    const auto user = user_for(options.network, options.target);
    transfer.memory = options.memory;
    transfer.seed_time = options.seed_time;
    transfer.check = options.resume;
    transfer.verify = options.verify;
    transfer.stale_signatures = options.keep_signatures ? StaleSignatures::keep : StaleSignatures::wipe;
    transfer.stall_timeout = options.stall_timeout;
    transfer.timeout = options.timeout;
    transfer.timed_since = started;
    transfer.gpt_copy = options.expand_gpt ? GptCopy::move : GptCopy::leave;
    refuse_hopeless_expansion(options, torrent);
    context.stop.set_disk(options.target);
    const auto target = open_in_time(options, torrent.image, started, context.reporter);
    std::unique_ptr<PartitionRescan> rescan; // both need the privileges that are given up next
    std::unique_ptr<OtherDisks> other_disks;
    target->with_descriptor([&](int fd) {
        rescan = make_partition_rescan(fd, options.target);
        other_disks = make_other_disks(fd);
    });
    transfer.rescan = rescan.get();
    transfer.other_disks = other_disks.get();
    give_up_privileges_for(user, transfer, options.target, context.stop);
    if (options.discard) { // needs no more than the open target, and spares its data when the above fails
        discard_in_time(options, *target, torrent.image.map, started, context);
    }
    run_transfer(torrent, *target, transfer, context.reporter, context.wakeup, context.stop);
}

void run(const VerifyOptions& options, const Context& context)
{
    const LoadedTorrent torrent = torrent_from(options.torrent, context);
    const Image& image = torrent.image;
    context.stop.set_disk(options.target);
    const auto target = open_target(options.target, Access::read_only, image);
    context.reporter.start(start_event("verify", torrent, options.target));
    TargetCheck check(image, *target, TargetCheck::First::sync_and_drop_cache, context.wakeup);
    const double seconds = wait_for_check(check, Phase::verifying, image.map.payload_size(), context);
    if (const auto wrong = check.wrong(); !wrong.empty()) {
        throw Error(ExitStatus::verification,
                    fmt::format("{} is not the image: {}{}", options.target, describe_wrong(image, wrong),
                                remark_on_gpt(*target, image)));
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
