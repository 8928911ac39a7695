// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/commands.hpp"

#include "ezio/command_output.hpp"
#include "ezio/scan_progress.hpp"
#include "ezio/target.hpp"
#include "ezio/torrent_file.hpp"
#include "ezio/transfer.hpp"
#include "ezio/verifier.hpp"

#include <fmt/format.h>

namespace ezio {

namespace {

StartEvent start_event(const std::string& command, const LoadedTorrent& torrent, const std::string& target)
{
    const Image& image = torrent.image;
    return {command,
            torrent.path,
            target,
            image.name,
            torrent.info_hash,
            "",
            image.map.payload_size(),
            image.map.device_end(),
            image.extents.size(),
            image.piece_count(),
            image.piece_length};
}

} // namespace

void run(const SeedOptions& options, const Context& context)
{
    const LoadedTorrent torrent = load_torrent(options.torrent);
    TransferOptions transfer;
    transfer.role = Role::seed;
    transfer.network = options.network;
    transfer.endpoints = resolve(options.network);
    transfer.memory = options.memory;
    transfer.seed_time = options.seed_time;
    const auto source = open_target(options.source, Access::read_only, torrent.image);
    run_transfer(torrent, *source, transfer, context.reporter, context.wakeup, context.stop);
}

void run(const FetchOptions& options, const Context& context)
{
    const LoadedTorrent torrent = load_torrent(options.torrent);
    TransferOptions transfer;
    transfer.role = Role::fetch;
    transfer.network = options.network;
    transfer.endpoints = resolve(options.network); // before the target is touched
    transfer.memory = options.memory;
    transfer.seed_time = options.seed_time;
    transfer.verify = options.verify;
    transfer.stall_timeout = options.stall_timeout;
    transfer.timeout = options.timeout;
    const auto target = open_target(options.target, Access::read_write, torrent.image);
    run_transfer(torrent, *target, transfer, context.reporter, context.wakeup, context.stop);
}

void run(const VerifyOptions& options, const Context& context)
{
    const LoadedTorrent torrent = load_torrent(options.torrent);
    const Image& image = torrent.image;
    const auto target = open_target(options.target, Access::read_only, image);
    context.reporter.start(start_event("verify", torrent, options.target));
    const PieceScan scan(image.map, image.piece_length, *target, scan_threads(), context.wakeup);
    const double seconds = wait_for_scan(scan, Phase::verifying, image.map.payload_size(), context);
    const auto wrong = wrong_pieces(image, scan.digests());
    if (!wrong.empty()) {
        throw Error(ExitStatus::verification,
                    fmt::format("{} is not the image: {}", options.target, describe_wrong(image, wrong)));
    }
    if (context.format == Format::text) {
        print_result(fmt::format("{}: all {} pieces are right\n", options.target, image.piece_count()));
    }
    SummaryEvent summary;
    summary.seconds = seconds;
    summary.total_bytes = image.map.payload_size();
    context.reporter.summary(summary);
}

void run(const InfoOptions& options, const Context& context)
{
    const LoadedTorrent torrent = load_torrent(options.torrent);
    print_info(torrent, context.format);
}

void run(const Command& command, const Context& context)
{
    std::visit([&](const auto& options) { run(options, context); }, command);
}

} // namespace ezio
