// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.hpp"

#include "check_progress.hpp"
#include "command_output.hpp"
#include "command_start.hpp"
#include "ezio/disk/move_gpt.hpp"
#include "ezio/target/directory_target.hpp"
#include "ezio/torrent/http_download.hpp"
#include "ezio/transfer/start_event.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/printable.hpp"
#include "ezio/verify/digest_comparison.hpp"
#include "report_file.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ezio {

namespace {

// To be called before anything is read, with the files known then.
void refuse_replacing_by_report(const SeedOptions& options)
{
    if (!options.report.empty()) {
        const auto inputs = inputs_of(options.torrent, options.network.tls);
        refuse_replacing(options.report, with_paths_of(inputs, options.source), "list of clients");
    }
}

// Why the pieces with the partition table may differ although the disk is fine.
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

} // namespace

void run(const SeedOptions& options, const Context& context)
{
    NetworkOptions network = options.network;
    if (options.clients) { // clients without a connection are not counted
        network.max_peers = std::max(network.max_peers, static_cast<int>(*options.clients));
    }
    refuse_printing_into({options.source});
    refuse_replacing_by_report(options);
    std::optional<LoadedTorrent> torrent;
    if (!comes_by_network(options.torrent)) {
        torrent = torrent_from(options.torrent, context, TorrentMemory(options.memory));
    }
    Start start = start_with_privileges(torrent ? &*torrent : nullptr, network, options.source,
                                        Access::read_only, {}, context);
    if (!torrent) {
        torrent = torrent_from(options.torrent, context, TorrentMemory(options.memory));
        check_credentials_for(*torrent, network.tls, start.credentials);
    }
    start.endpoints.peers = resolve_peers(network, start.endpoints.allowed);
    TransferOptions transfer = transfer_options(Role::seed, network, start);
    transfer.memory = options.memory;
    transfer.seed_time = options.seed_time;
    transfer.check = options.check;
    transfer.idle_timeout = options.idle_timeout;
    if (options.clients) {
        transfer.clients = static_cast<unsigned>(*options.clients);
    }
    const auto files = files_of_target(options.source, Access::read_only, torrent->image);
    refuse_printing_into(files);
    std::optional<ReportFile> report;
    if (!options.report.empty()) {
        refuse_replacing(options.report, files, "list of clients");
        report.emplace(options.report, context.reporter);
        transfer.clients_known = [&report](const ClientList& all) { report->update(all, Clock::now()); };
    }
    const auto source = open_for(torrent->image, std::move(start.place), context);
    source->watch(context.deadline.disk());
    run_transfer(*torrent, *source, transfer, context.reporter, context.wakeup, context.stop,
                 context.deadline);
}

void run(const VerifyOptions& options, const Context& context)
{
    refuse_printing_into({options.target});
    std::optional<TargetPlace> place;
    if (is_http_url(options.torrent)) {
        place.emplace(open_place_of(options.target, Access::read_only, context));
        give_up_privileges_for({}, {}, options.target, context);
    }
    const LoadedTorrent torrent = torrent_from(options.torrent, context);
    const Image& image = torrent.image;
    refuse_printing_into(files_of_target(options.target, Access::read_only, image));
    if (!place) {
        place.emplace(open_place_of(options.target, Access::read_only, context));
    }
    const auto target = open_for(image, std::move(*place), context);
    target->watch(context.deadline.disk());
    context.reporter.start(start_event("verify", torrent, options.target));
    ImageCheck check(image, *target, ImageCheck::First::sync_and_drop_cache, context.wakeup);
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
    if (is_http_url(options.torrent)) {
        give_up_privileges_for({}, {}, {}, context);
    }
    const LoadedTorrent torrent = torrent_from(options.torrent, context);
    if (options.magnet && !torrent.ssl_ca.empty()) {
        throw Error(
            ExitStatus::usage,
            fmt::format("--magnet: {} is private, and its peers need the torrent; distribute that instead",
                        torrent.path));
    }
    if (options.magnet) {
        print_magnet(torrent, context.format);
    } else {
        print_info(torrent, context.format, context.verbosity);
    }
}

void run(const Command& command, const Context& context)
{
    std::visit([&](const auto& options) { run(options, context); }, command);
}

} // namespace ezio
