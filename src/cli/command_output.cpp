// SPDX-License-Identifier: GPL-2.0-or-later
#include "command_output.hpp"

#include "ezio/report/json_events.hpp"
#include "ezio/torrent/magnet.hpp"
#include "ezio/util/printable.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <string_view>

#include <poll.h>
#include <unistd.h>

namespace ezio {

namespace {

// "gpt, UUID ..." or "ext4, UUID ...".
std::string source_text(const DiskIdentity& source)
{
    const auto named = [](const std::string& type, const std::string& uuid) {
        return uuid.empty() ? type : fmt::format("{}, UUID {}", type, uuid);
    };
    return source.table.empty()  ? named(source.type, source.uuid)
           : source.type.empty() ? named(source.table, source.table_uuid)
                                 : fmt::format("{}; {}", named(source.table, source.table_uuid),
                                               named(source.type, source.uuid));
}

nlohmann::json source_json(const std::optional<DiskIdentity>& source)
{
    return source ? nlohmann::json{{"type", source->type},
                                   {"uuid", source->uuid},
                                   {"table", source->table},
                                   {"table_uuid", source->table_uuid}}
                  : nlohmann::json();
}

nlohmann::json volumes_json(const std::vector<VolumeUse>& volumes)
{
    nlohmann::json list = nlohmann::json::array();
    for (const VolumeUse& volume : volumes) {
        list.push_back({{"name", volume.name},
                        {"type", volume.type},
                        {"size_bytes", volume.size},
                        {"image_bytes", volume.in_image}});
    }
    return list;
}

// "vg0/root, ext4: 1.2 GiB of 8.0 GiB in the image".
std::string volume_text(const VolumeUse& volume)
{
    return fmt::format("{}{}: {} of {} in the image", volume.name,
                       volume.type.empty() ? "" : ", " + volume.type, format_bytes(volume.in_image),
                       format_bytes(volume.size));
}

std::string info_text(const LoadedTorrent& torrent, Verbosity verbosity)
{
    const Image& image = torrent.image;
    std::string text;
    const auto line = [&](std::string_view label, const std::string& value) {
        text += fmt::format("{:<13}{}\n", fmt::format("{}:", label), printable(value));
    };
    const auto bytes = [](std::uint64_t count) {
        return fmt::format("{} ({} bytes)", format_bytes(count), count);
    };
    line("Name", image.name);
    line("Info-hash", torrent.info_hash);
    line("Payload", bytes(image.map.payload_size()));
    if (image.map.padding_bytes() > 0) {
        line("Padding", fmt::format("{}, not on the device", bytes(image.map.padding_bytes())));
    }
    line("Device", fmt::format("at least {}", bytes(image.map.device_end())));
    if (image.sector_bytes != 0) {
        line("Sectors", fmt::format("of {} bytes; a whole disk needs the same", image.sector_bytes));
    }
    if (torrent.source && !torrent.source->empty()) {
        line("Source", source_text(*torrent.source));
    }
    for (const VolumeUse& volume : torrent.volumes) {
        if (verbosity == Verbosity::verbose) {
            line("Volume", volume_text(volume));
        }
    }
    line("Extents", fmt::format("{}", image.extents.size()));
    line("Pieces", fmt::format("{} of {}", image.piece_count(), format_bytes(image.piece_length)));
    for (const std::string& tracker : torrent.trackers) {
        line("Tracker", tracker);
    }
    for (const std::string& seed : torrent.web_seeds) {
        line("Web seed", seed);
    }
    if (!torrent.ssl_ca.empty()) {
        line("Private", "peers need a certificate of the CA in it");
    }
    if (!torrent.comment.empty()) {
        line("Comment", torrent.comment);
    }
    if (!torrent.creator.empty()) {
        line("Created by", torrent.creator);
    }
    return text;
}

nlohmann::json info_event(const LoadedTorrent& torrent)
{
    const Image& image = torrent.image;
    return {{"event", "info"},
            {"name", image.name},
            {"info_hash", torrent.info_hash},
            {"payload_bytes", image.map.payload_size()},
            {"padding_bytes", image.map.padding_bytes()},
            {"device_bytes", image.map.device_end()},
            {"sector_bytes", image.sector_bytes != 0 ? image.sector_bytes : image.map.largest_sector()},
            {"extents", image.extents.size()},
            {"pieces", image.piece_count()},
            {"piece_length", image.piece_length},
            {"trackers", torrent.trackers},
            {"web_seeds", torrent.web_seeds},
            {"private", !torrent.ssl_ca.empty()},
            {"source", source_json(torrent.source)},
            {"volumes", volumes_json(torrent.volumes)},
            {"comment", torrent.comment},
            {"created_by", torrent.creator}};
}

std::string info_in(Format format, Verbosity verbosity, const LoadedTorrent& torrent)
{
    return format == Format::json ? to_line(info_event(torrent)) + "\n" : info_text(torrent, verbosity);
}

} // namespace

void print_result(const std::string& text)
{
    if (std::fputs(text.c_str(), stdout) == EOF || std::fflush(stdout) != 0) {
        throw Error(IoFailure{IoFailure::Operation::write, "standard output", errno, 0, text.size()});
    }
}

void print_info(const LoadedTorrent& torrent, Format format, Verbosity verbosity)
{
    print_result(info_in(format, verbosity, torrent));
}

void print_made(const LoadedTorrent& torrent, Format format, Verbosity verbosity)
{
    constexpr int patience_ms = 2000;
    const std::string info = info_in(format, verbosity, torrent);
    for (std::string_view text = info; !text.empty();) {
        pollfd out{STDOUT_FILENO, POLLOUT, 0};
        if (::poll(&out, 1, patience_ms) == 0) {
            return;
        }
        const ssize_t written =
            ::write(STDOUT_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
        if (written < 0 && errno != EINTR && errno != EAGAIN) {
            throw Error(IoFailure{IoFailure::Operation::write, "standard output", errno, 0, info.size()});
        }
        text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
}

void print_magnet(const LoadedTorrent& torrent, Format format)
{
    const std::string link = make_magnet(torrent);
    if (format == Format::json) {
        nlohmann::json event = info_event(torrent);
        event["magnet"] = link;
        print_result(to_line(event) + "\n");
    } else {
        print_result(link + "\n");
    }
}

} // namespace ezio
