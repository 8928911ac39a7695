// SPDX-License-Identifier: GPL-2.0-or-later
#include "check_progress.hpp"
#include "command_output.hpp"
#include "commands.hpp"
#include "ezio/capture/image_source.hpp"
#include "ezio/capture/partclone_info.hpp"
#include "ezio/net/ca_certificate.hpp"
#include "ezio/target/fd_target.hpp"
#include "ezio/torrent/piece_length.hpp"
#include "ezio/torrent/portability.hpp"
#include "ezio/torrent/torrent_encoder.hpp"
#include "ezio/torrent/torrent_file.hpp"
#include "ezio/util/atomic_file.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/fd.hpp"
#include "ezio/util/positional_io.hpp"
#include "ezio/util/printable.hpp"
#include "ezio/util/read_file.hpp"
#include "file_roles.hpp"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <filesystem>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace ezio {

namespace {

enum class SourceKind { disk, directory, partclone_info };

// Determined from the source, never by an option; a torrent.info from its contents.
SourceKind kind_of(const std::string& path)
{
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        throw Error(ExitStatus::target, fmt::format("{}: {}", path, errno_text(errno)));
    }
    if (S_ISDIR(status.st_mode)) {
        return SourceKind::directory;
    }
    if (!S_ISREG(status.st_mode)) {
        return SourceKind::disk;
    }
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 512> beginning{};
    const auto size = std::min(beginning.size(), static_cast<std::size_t>(status.st_size));
    iovec part{beginning.data(), size};
    const bool read =
        fd && read_fully(fd.get(), std::span(&part, 1), 0) == 0; // on failure a later open reports it
    return read && looks_like_partclone_info({beginning.data(), size}) ? SourceKind::partclone_info
                                                                       : SourceKind::disk;
}

SourceKind look_at_kind(const std::string& path, const Context& context)
{
    const DiskCalls::Call call(context.deadline.disk());
    return kind_of(path);
}

void refuse_combination(bool given, const char* option, const char* why)
{
    if (given) {
        throw Error(ExitStatus::usage, fmt::format("{}: {}", option, why));
    }
}

void refuse_senseless_options(const CreateOptions& options, SourceKind kind)
{
    refuse_combination(options.all && !options.extents.empty(), "--extents",
                       "not with --all, which takes every byte");
    refuse_combination(options.skip_holes && !options.all, "--skip-holes", "only with --all");
    if (kind != SourceKind::disk) {
        constexpr const char* why =
            "SOURCE itself defines what is in the image; this option is for a device or an image file";
        refuse_combination(options.all, "--all", why);
        refuse_combination(!options.extents.empty(), "--extents", why);
        refuse_combination(options.force, "--force", why);
    }
    refuse_combination(options.piece_length.has_value() && kind == SourceKind::partclone_info, "--piece-size",
                       "partclone's hashes are for pieces of 16 MiB; create from the device for others");
}

// The source includes the files of a directory; beside a torrent.info, those that it describes.
void refuse_mixed_up_files(const CreateOptions& options, SourceKind kind)
{
    std::vector<std::string> inputs{options.source, options.extents, options.ssl_ca};
    if (kind != SourceKind::disk) {
        const auto files =
            image_files_in(kind == SourceKind::directory ? options.source : directory_of(options.source));
        inputs.insert(inputs.end(), files.begin(), files.end());
    }
    refuse_printing_into(inputs);
    refuse_replacing(options.output, inputs);
}

// "sda1" for /dev/sda1, and for sda1/torrent.info from partclone.
std::string default_name(const std::string& source, SourceKind kind)
{
    std::error_code error;
    const auto absolute = std::filesystem::absolute(source, error).lexically_normal();
    const auto path = absolute.has_filename() ? absolute : absolute.parent_path(); // "sda1/" is a directory
    const std::string name =
        (kind == SourceKind::partclone_info ? path.parent_path().filename() : path.filename()).string();
    return name.empty() ? "image" : name;
}

void refuse_bad_name(const std::string& name)
{
    constexpr std::size_t longest_name = 240; // bytes; libtorrent cuts off the rest
    if (!is_utf8(name)) {
        throw Error(
            ExitStatus::usage,
            fmt::format("the name '{}' is not UTF-8, as names in torrents are; choose one with --name",
                        printable(name)));
    }
    if (name == "." || name == ".." || name.find_first_of("/\\") != std::string::npos ||
        printable(name) != name || name.size() > longest_name) {
        throw Error(
            ExitStatus::usage,
            fmt::format("the name '{}' is not a directory name on every system; choose one with --name, of "
                        "at most {} bytes, without slashes, backslashes and control characters",
                        name, longest_name));
    }
}

// The part of the torrent that depends on the options only.
TorrentContents contents_from(const CreateOptions& options, SourceKind kind)
{
    TorrentContents contents;
    contents.name = options.name.empty() ? default_name(options.source, kind) : options.name;
    refuse_bad_name(contents.name);
    contents.trackers = options.trackers;
    refuse_combination(!is_utf8(options.comment), "--comment", "the text is not UTF-8");
    contents.comment = options.comment;
    contents.ssl_ca = options.ssl_ca.empty() ? "" : read_ca_certificate(options.ssl_ca);
    if (options.date) {
        contents.creation_date = static_cast<std::uint64_t>(std::time(nullptr));
    }
    return contents;
}

// Refuses more than any torrent can hold.
void refuse_too_large_torrent(const CreateOptions& options, std::size_t extents, std::uint64_t pieces)
{
    constexpr std::uint64_t bytes_for_extent = 50; // in it; most need slightly more
    if (extents * bytes_for_extent + pieces * sizeof(Sha1Digest) > largest_torrent) {
        throw Error(ExitStatus::target,
                    fmt::format("the image of {} has {} and {}, more than a torrent of {} can hold; "
                                "choose larger pieces with --piece-size, or make several images of it",
                                options.source, counted(extents, "extent"), counted(pieces, "piece"),
                                format_bytes(largest_torrent)));
    }
}

// Hashing takes almost no memory. Extents and hashes are stored several times, most of them while the
// finished torrent is checked.
void refuse_too_little_memory(const CreateOptions& options, std::size_t extents, std::uint64_t pieces)
{
    constexpr std::uint64_t bytes_for_extent = 380; // measured: 188 MB for 500,000
    constexpr std::uint64_t bytes_for_piece = 80;   // measured: 80 MB for 1,048,576
    const std::uint64_t needed = extents * bytes_for_extent + pieces * bytes_for_piece;
    if (needed > options.memory) {
        throw Error(ExitStatus::target,
                    fmt::format("--memory {}: the image of {} has {} and {}, which take about {}; allow more",
                                shortest_size(options.memory), options.source, counted(extents, "extent"),
                                counted(pieces, "piece"), format_bytes(needed)));
    }
}

void refuse_too_much(const CreateOptions& options, std::size_t extents, std::uint64_t pieces)
{
    refuse_too_large_torrent(options, extents, pieces);
    refuse_too_little_memory(options, extents, pieces);
}

// Keeps extents and hashes unchanged and unmerged, so that the info-hash is the one that Clonezilla's
// converter makes.
void keep_partclones_hashes(const CreateOptions& options, const Context& context, TorrentContents& contents)
{
    PartcloneInfo info = parse_partclone_info(read_file(options.source, options.memory), options.source);
    contents.piece_length = PartcloneInfo::piece_length;
    contents.extents = std::move(info.extents);
    contents.hashes = std::move(info.hashes);
    refuse_too_much(options, contents.extents.size(), contents.hashes.size());
    if (const std::uint64_t better = choose_piece_length(total_length(contents.extents));
        better < contents.piece_length) {
        context.reporter.warning(fmt::format("partclone's pieces of 16 MiB are kept; with the device as "
                                             "SOURCE they would be {}, and machines could share them sooner",
                                             format_bytes(better)));
    }
}

StartEvent start_event(const CreateOptions& options, const Image& image)
{
    StartEvent event;
    event.command = "create";
    event.torrent = options.output;
    event.target = options.source;
    event.name = image.name;
    event.payload_bytes = image.map.payload_size();
    event.device_bytes = image.map.device_end();
    event.extents = image.extents.size();
    event.pieces = image.layout().count();
    event.piece_length = image.piece_length;
    return event;
}

// The files of a directory can have any names.
ExtentMap map_of(const std::vector<Extent>& extents, const std::string& source)
{
    try {
        return ExtentMap(extents);
    } catch (const Error& error) {
        throw Error(ExitStatus::target, fmt::format("{} is not an image: {}", source, error.what()));
    }
}

// All of it counts as one call on the disk, because it only reads the source, as does partclone.
ImageSource look_at_source(const CreateOptions& options, const Context& context, SourceKind kind)
{
    const DiskCalls::Call call(context.deadline.disk());
    return kind == SourceKind::directory ? find_files(options, context.reporter)
                                         : find_extents(options, context.reporter, context.stop);
}

// Hashing uses the descriptor with which the extents were found, because the name may meanwhile lead to
// something else.
std::unique_ptr<Target> target_of(const CreateOptions& options, Fd fd, const Image& image,
                                  const Context& context)
{
    if (!fd) {
        const DiskCalls::Call call(context.deadline.disk());
        return open_target(options.source, Access::read_only, image); // a directory
    }
    return std::make_unique<FdTarget>(std::move(fd), options.source, page_cache_for(image.map.data_bytes()));
}

void hash_source(const CreateOptions& options, const Context& context, SourceKind kind,
                 TorrentContents& contents)
{
    ImageSource source = look_at_source(options, context, kind);
    Image image;
    image.name = contents.name;
    image.map = map_of(source.extents, options.source);
    image.piece_length = options.piece_length.value_or(choose_piece_length(image.map.payload_size()));
    refuse_too_much(options, source.extents.size(), image.layout().count());
    image.extents = source.extents;
    image.extent_names = source.names;
    const auto target = target_of(options, std::move(source.fd), image, context);
    target->watch(context.deadline.disk());
    context.reporter.start(start_event(options, image));
    ImageCheck hashing(image, *target, ImageCheck::First::nothing, context.wakeup);
    (void)wait_for_check(hashing, Phase::hashing, image.map.payload_size(), context);
    contents.piece_length = image.piece_length;
    contents.extents = std::move(source.extents);
    contents.names = std::move(source.names);
    contents.sector_bytes = source.sector_bytes;
    contents.source = std::move(source.identity);
    contents.volumes = std::move(source.volumes);
    contents.hashes = hashing.digests();
    target->with_descriptor([&](int fd) { refuse_changed(fd, options.source, source.metadata); });
}

} // namespace

void run(const CreateOptions& options, const Context& context)
{
    const Clock::time_point started = Clock::now();
    context.deadline.disk().set_disk(options.source);
    const SourceKind kind = look_at_kind(options.source, context);
    refuse_senseless_options(options, kind);
    TorrentContents contents = contents_from(options, kind);
    refuse_mixed_up_files(options, kind);
    refuse_uncreatable_file(options.output);
    if (kind == SourceKind::partclone_info) {
        keep_partclones_hashes(options, context, contents);
    } else {
        hash_source(options, context, kind, contents);
    }
    const std::string torrent = encode_torrent(contents);
    for (const std::string& warning :
         portability_warnings(torrent.size(), contents.extents.size(), contents.piece_length)) {
        context.reporter.warning(warning);
    }
    const LoadedTorrent made =
        parse_torrent(torrent, options.output); // this program must accept what it makes
    write_file_atomically(options.output, torrent);
    context.reporter.make_way();
    print_made(made, context.format, context.verbosity);
    if (kind == SourceKind::partclone_info) {
        return; // only a list was read
    }
    SummaryEvent summary;
    summary.seconds = std::chrono::duration<double>(Clock::now() - started).count();
    summary.total_bytes = made.image.map.payload_size();
    context.reporter.summary(summary);
}

} // namespace ezio
