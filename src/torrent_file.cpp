// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent_file.hpp"

#include "ezio/error.hpp"
#include "ezio/read_file.hpp"
#include "ezio/units.hpp"

#include <fmt/format.h>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/load_torrent.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/version.hpp>

#include <algorithm>
#include <bit>

namespace ezio {

namespace {

constexpr int deepest_nesting = 100;

lt::load_torrent_limits generous_limits()
{
    lt::load_torrent_limits limits;
    limits.max_buffer_size = static_cast<int>(largest_torrent);
    limits.max_decode_tokens = most_torrent_tokens;
    limits.max_pieces = most_torrent_pieces;
    return limits;
}

Error not_an_image(const std::string& path, const std::string& why)
{
    return {ExitStatus::torrent, fmt::format("{} is not a disk image: {}", path, why)};
}

lt::add_torrent_params decode(const std::string& path, std::string_view bytes)
{
    try {
        return lt::load_torrent_buffer({bytes.data(), static_cast<std::ptrdiff_t>(bytes.size())}, generous_limits());
    } catch (const lt::system_error& error) {
        throw Error(ExitStatus::torrent,
                    fmt::format("{} is not a torrent: {}", path, error.code().message()));
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

// The names as they stand in the torrent. libtorrent makes them safe for file systems first ("../a" becomes
// "..a", what it cannot keep is left out), and so would make an offset of a name that is none.
class RawNames {
  public:
    explicit RawNames(const lt::torrent_info& info)
    {
        lt::error_code error; // none: it was decoded before
        m_info = lt::bdecode(info.info_section(), error, nullptr, deepest_nesting, most_torrent_tokens);
        m_files = m_info.dict_find_list("files");
    }

    [[nodiscard]] std::string image() const
    {
        const lt::bdecode_node unicode = m_info.dict_find_string("name.utf-8");
        return copy(unicode ? unicode.string_value() : m_info.dict_find_string_value("name"));
    }

    // Empty for a file in a directory. Best called for one file after the other.
    [[nodiscard]] std::string file(int index) const
    {
        if (!m_files) {
            return image();
        }
        const lt::bdecode_node entry = m_files.list_at(index);
        const lt::bdecode_node unicode = entry.dict_find_list("path.utf-8");
        const lt::bdecode_node path = unicode ? unicode : entry.dict_find_list("path");
        return path.list_size() == 1 ? copy(path.list_string_value_at(0)) : "";
    }

  private:
    static std::string copy(lt::string_view text) { return {text.begin(), text.end()}; }

    lt::bdecode_node m_info; // refers to the torrent_info
    lt::bdecode_node m_files;
};

void refuse_bad_image_name(const std::string& path, const std::string& name)
{
    if (name.empty() || name == "." || name == ".." ||
        name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
        throw not_an_image(path, "its name is none that a directory can have");
    }
}

void add_extents(const std::string& path, const lt::file_storage& files, const RawNames& raw, Image& image)
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
        if (raw.file(static_cast<int>(file)) != name) {
            throw not_an_image(
                path, fmt::format("there is more in the path of its file '{}' than the offset", name));
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
    const RawNames raw(info);
    refuse_bad_image_name(path, raw.image());
    Image image;
    image.name = info.name();
    image.piece_length = static_cast<std::uint64_t>(info.piece_length());
    if (!std::has_single_bit(image.piece_length) || image.piece_length < block_bytes) {
        throw not_an_image(
            path, fmt::format("its piece length of {} bytes is not a power of two of at least 16 KiB",
                              image.piece_length));
    }
    add_extents(path, files_of(info), raw, image);
    try {
        image.map = ExtentMap(image.extents);
    } catch (const Error& error) {
        throw not_an_image(path, error.what());
    }
    if (image.map.payload_size() == 0) {
        throw not_an_image(path, "it has no data");
    }
    image.single_file = info.num_files() == 1 && files_of(info).file_path(lt::file_index_t{0}) == info.name();
    image.hashes.reserve(static_cast<std::size_t>(info.num_pieces()));
    for (const lt::piece_index_t piece : info.piece_range()) {
        image.hashes.push_back(digest_of(info.hash_for_piece(piece)));
    }
    return image;
}

} // namespace

LoadedTorrent load_torrent(const std::string& path)
{
    return parse_torrent(read_file(path, largest_torrent), path);
}

LoadedTorrent parse_torrent(std::string_view bytes, const std::string& path)
{
    LoadedTorrent loaded;
    loaded.path = path;
    loaded.params = decode(path, bytes);
    const lt::torrent_info& info = *loaded.params.ti;
    if (info.info_hashes().has_v2()) {
        throw not_an_image(path, "it is a BitTorrent v2 or hybrid torrent, this program needs a v1 torrent");
    }
    loaded.image = image_of(path, info);
    loaded.info_hash = to_hex(digest_of(info.info_hashes().v1));
    loaded.ssl_ca = std::string(info.ssl_cert());
    loaded.trackers.assign(loaded.params.trackers.begin(), loaded.params.trackers.end());
    loaded.web_seeds = loaded.params.url_seeds;
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
