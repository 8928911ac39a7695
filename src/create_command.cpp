// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/ca_certificate.hpp"
#include "ezio/command_output.hpp"
#include "ezio/commands.hpp"
#include "ezio/partclone_info.hpp"
#include "ezio/read_file.hpp"
#include "ezio/torrent_file.hpp"
#include "ezio/torrent_maker.hpp"

#include <fmt/format.h>

#include <ctime>
#include <filesystem>

namespace ezio {

namespace {

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
    contents.ssl_ca = options.ssl_ca.empty() ? "" : read_ca_certificate(options.ssl_ca);
    if (options.date) {
        contents.creation_date = static_cast<std::uint64_t>(std::time(nullptr));
    }
    write_file_atomically(options.output, encode_torrent(contents));
    // Read back what was written: what this program makes, it must accept.
    const LoadedTorrent made = load_torrent(options.output);
    print_info(made, context.format);
}

} // namespace ezio
