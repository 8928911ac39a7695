// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent_file.hpp"

#include "ezio/error.hpp"
#include "ezio/read_file.hpp"
#include "ezio/units.hpp"

#include <fmt/format.h>
#include <libtorrent/load_torrent.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/version.hpp>

#include <algorithm>
#include <bit>

namespace ezio {

namespace {

// 500,000 extents are about 30 MB and 4.5 million tokens; libtorrent's own limits are 10 MB and 3 million.
constexpr std::uint64_t largest_torrent = 256_MiB;

lt::load_torrent_limits generous_limits()
{
    lt::load_torrent_limits limits;
    limits.max_buffer_size = static_cast<int>(largest_torrent);
    limits.max_decode_tokens = 50'000'000;
    limits.max_pieces = 16'000'000;
    return limits;
}

Error not_an_image(const std::string& path, const std::string& why)
{
    return {ExitStatus::torrent, fmt::format("{} is not a disk image: {}", path, why)};
}

lt::add_torrent_params decode(const std::string& path, const std::string& bytes)
{
    try {
        return lt::load_torrent_buffer(bytes, generous_limits());
    } catch (const lt::system_error& error) {
        throw Error(ExitStatus::torrent, fmt::format("{} is not a torrent: {}", path, error.code().message()));
    }
}

// The files as they stand in the torrent, before libtorrent renames duplicates.
const lt::file_storage& files_of(const lt::torrent_info& info)
{
#if LIBTORRENT_VERSION_NUM >= 20100
    return info.layout();
#else
    return info.orig_files();
#endif
}

void add_extents(const std::string& path, const lt::file_storage& files, Image& image)
{
    for (const lt::file_index_t file : files.file_range()) {
        const std::string name(files.file_name(file));
        if (files.pad_file_at(file)) {
            throw not_an_image(path, "it has padding files");
        }
        const auto offset = parse_extent_name(name);
        if (!offset) {
            throw not_an_image(
                path, fmt::format("its file '{}' is not named by an offset of 16 or 32 hex digits", name));
        }
        image.extents.push_back({*offset, static_cast<std::uint64_t>(files.file_size(file))});
        image.extent_names.push_back(name);
    }
}

Sha1Digest digest_of(const lt::sha1_hash& hash)
{
    Sha1Digest digest;
    std::copy(hash.begin(), hash.end(), digest.begin());
    return digest;
}

Image image_of(const std::string& path, const lt::torrent_info& info)
{
    Image image;
    image.name = info.name();
    image.piece_length = static_cast<std::uint64_t>(info.piece_length());
    if (image.name.empty() || image.name == "." || image.name == ".." || image.name.find('/') != std::string::npos) {
        throw not_an_image(path, fmt::format("'{}' cannot be the name of a directory", image.name));
    }
    if (!std::has_single_bit(image.piece_length) || image.piece_length < block_bytes) {
        throw not_an_image(path, fmt::format("its piece length of {} bytes is not a power of two of at least 16 KiB",
                                             image.piece_length));
    }
    add_extents(path, files_of(info), image);
    try {
        image.map = ExtentMap(image.extents);
    } catch (const Error& error) {
        throw not_an_image(path, error.what());
    }
    if (image.map.payload_size() == 0) {
        throw not_an_image(path, "it has no data");
    }
    image.hashes.reserve(static_cast<std::size_t>(info.num_pieces()));
    for (const lt::piece_index_t piece : info.piece_range()) {
        image.hashes.push_back(digest_of(info.hash_for_piece(piece)));
    }
    return image;
}

} // namespace

LoadedTorrent load_torrent(const std::string& path)
{
    LoadedTorrent loaded;
    loaded.path = path;
    loaded.params = decode(path, read_file(path, largest_torrent));
    const lt::torrent_info& info = *loaded.params.ti;
    if (info.info_hashes().has_v2()) {
        throw not_an_image(path, "it is a BitTorrent v2 or hybrid torrent, this program needs a v1 torrent");
    }
    loaded.image = image_of(path, info);
    loaded.info_hash = to_hex(digest_of(info.info_hashes().v1));
    loaded.trackers.assign(loaded.params.trackers.begin(), loaded.params.trackers.end());
#if LIBTORRENT_VERSION_NUM >= 20100
    loaded.comment = loaded.params.comment;
    loaded.creator = loaded.params.created_by;
#else
    loaded.comment = info.comment();
    loaded.creator = info.creator();
#endif
    return loaded;
}

} // namespace ezio
