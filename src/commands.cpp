// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/commands.hpp"

#include "ezio/json_events.hpp"
#include "ezio/partclone_info.hpp"
#include "ezio/piece_scan.hpp"
#include "ezio/read_file.hpp"
#include "ezio/target.hpp"
#include "ezio/torrent_file.hpp"
#include "ezio/torrent_maker.hpp"
#include "ezio/transfer.hpp"
#include "ezio/transfer_policy.hpp"
#include "ezio/verifier.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace ezio {

namespace {

constexpr std::chrono::milliseconds tick{250};

// A result, on stdout. What cannot be printed there was asked for and is not there: an I/O error.
void print_result(const std::string& text)
{
    if (std::fputs(text.c_str(), stdout) == EOF || std::fflush(stdout) != 0) {
        throw Error(IoFailure{IoFailure::Operation::write, "standard output", 0, text.size(), errno});
    }
}

std::string name_from(const std::string& source)
{
    std::error_code error;
    const auto absolute = std::filesystem::absolute(source, error);
    const std::string name = absolute.parent_path().filename().string();
    return name.empty() ? "image" : name;
}

void refuse_bad_name(const std::string& name)
{
    if (name == "." || name == ".." || name.find('/') != std::string::npos) {
        throw Error(ExitStatus::usage, fmt::format("--name {}: it cannot be the name of a directory", name));
    }
}

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

std::string info_text(const LoadedTorrent& torrent)
{
    const Image& image = torrent.image;
    std::string text;
    const auto line = [&](std::string_view label, const std::string& value) {
        text += fmt::format("{:<13}{}\n", fmt::format("{}:", label), value);
    };
    const auto bytes = [](std::uint64_t count) { return fmt::format("{} ({} bytes)", format_bytes(count), count); };
    line("Name", image.name);
    line("Info-hash", torrent.info_hash);
    line("Payload", bytes(image.map.payload_size()));
    line("Device", fmt::format("at least {}", bytes(image.map.device_end())));
    line("Extents", fmt::format("{}", image.extents.size()));
    line("Pieces", fmt::format("{} of {}", image.piece_count(), format_bytes(image.piece_length)));
    for (const std::string& tracker : torrent.trackers) {
        line("Tracker", tracker);
    }
    if (!torrent.comment.empty()) {
        line("Comment", torrent.comment);
    }
    if (!torrent.creator.empty()) {
        line("Created by", torrent.creator);
    }
    return text;
}

std::string info_json(const LoadedTorrent& torrent)
{
    const Image& image = torrent.image;
    return to_line({{"event", "info"},
                    {"name", image.name},
                    {"info_hash", torrent.info_hash},
                    {"payload_bytes", image.map.payload_size()},
                    {"device_bytes", image.map.device_end()},
                    {"extents", image.extents.size()},
                    {"pieces", image.piece_count()},
                    {"piece_length", image.piece_length},
                    {"trackers", torrent.trackers},
                    {"comment", torrent.comment},
                    {"created_by", torrent.creator}}) +
           "\n";
}

} // namespace

void run(const CreateOptions& options, const Context& context)
{
    constexpr std::uint64_t largest_info = 1_GiB;
    TorrentContents contents;
    contents.name = options.name.empty() ? name_from(options.source) : options.name;
    refuse_bad_name(contents.name);
    PartcloneInfo info = parse_partclone_info(read_file(options.source, largest_info), options.source);
    contents.piece_length = PartcloneInfo::piece_length;
    contents.extents = std::move(info.extents);
    contents.hashes = std::move(info.hashes);
    contents.trackers = options.trackers;
    contents.comment = options.comment;
    write_file_atomically(options.output, encode_torrent(contents));
    // Read back what was written: what this program makes, it must accept.
    const LoadedTorrent made = load_torrent(options.output);
    print_result(context.format == Format::json ? info_json(made) : info_text(made));
}

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
    const Clock::time_point started = Clock::now();
    const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - started).count(); };
    PieceScan scan(image.map, image.piece_length, *target, scan_threads(), context.wakeup);
    RateMeter rate;
    while (!scan.finished()) {
        context.wakeup.wait_for(tick);
        context.stop.throw_if_received();
        ProgressEvent event;
        event.phase = Phase::verifying;
        event.seconds = elapsed();
        event.total_bytes = image.map.payload_size();
        event.done_bytes = scan.bytes_done();
        rate.observe(event.done_bytes, Clock::now());
        event.done_rate = rate.per_second();
        event.eta_seconds = seconds_left(event.done_bytes, event.total_bytes, event.done_rate);
        context.reporter.progress(event);
    }
    throw_if(scan.failure());
    const auto wrong = wrong_pieces(image, scan.digests());
    if (!wrong.empty()) {
        throw Error(ExitStatus::verification,
                    fmt::format("{} is not the image: {}", options.target, describe_wrong(image, wrong)));
    }
    if (context.format == Format::text) {
        print_result(fmt::format("{}: all {} pieces are right\n", options.target, image.piece_count()));
    }
    SummaryEvent summary;
    summary.seconds = elapsed();
    summary.total_bytes = image.map.payload_size();
    context.reporter.summary(summary);
}

void run(const InfoOptions& options, const Context& context)
{
    const LoadedTorrent torrent = load_torrent(options.torrent);
    print_result(context.format == Format::json ? info_json(torrent) : info_text(torrent));
}

void run(const Command& command, const Context& context)
{
    std::visit([&](const auto& options) { run(options, context); }, command);
}

} // namespace ezio
