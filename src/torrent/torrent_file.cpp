// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/torrent_file.hpp"

#include "ezio/util/error.hpp"
#include "ezio/util/printable.hpp"
#include "ezio/util/text.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/load_torrent.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/version.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace ezio {

namespace {

constexpr int deepest_nesting = 100;

lt::load_torrent_limits limits_of(int tokens)
{
    lt::load_torrent_limits limits;
    limits.max_buffer_size = static_cast<int>(largest_torrent);
    limits.max_decode_tokens = tokens;
    limits.max_pieces = most_torrent_pieces;
    return limits;
}

Error not_an_image(const std::string& path, const std::string& why)
{
    return {ExitStatus::torrent, fmt::format("{} is not a disk image: {}", path, why)};
}

// More would be asked one after the other for minutes, and libtorrent searches each of them among all the
// others.
constexpr int most_trackers = 1000;

void refuse_many_trackers(const std::string& path, const lt::bdecode_node& torrent)
{
    const lt::bdecode_node tiers = torrent.dict_find_list("announce-list");
    int trackers = 0;
    for (int i = 0; tiers && i < tiers.list_size(); ++i) {
        const lt::bdecode_node tier = tiers.list_at(i);
        trackers += tier.type() == lt::bdecode_node::list_t ? tier.list_size() : 0;
    }
    if (trackers > most_trackers) {
        throw Error(ExitStatus::torrent, fmt::format("{} names {} trackers; at most {} are allowed", path,
                                                     trackers, most_trackers));
    }
}

struct FileName {
    std::size_t hash; // of the path in lower case
    int file;
    std::int64_t padding; // its length; -1: an extent

    bool operator<(const FileName& other) const
    {
        return std::tie(hash, file) < std::tie(other.hash, other.file);
    }
};

lt::bdecode_node path_of(const lt::bdecode_node& file)
{
    const lt::bdecode_node unicode = file.dict_find_list("path.utf-8");
    return unicode ? unicode : file.dict_find_list("path");
}

FileName file_name(const lt::bdecode_node& entry, int file)
{
    const lt::bdecode_node names = path_of(entry);
    const auto raw = names ? names.data_section() : lt::span<const char>();
    const auto attributes = entry.dict_find_string_value("attr");
    const bool is_padding = std::find(attributes.begin(), attributes.end(), 'p') != attributes.end();
    return {std::hash<std::string>()(lower_case({raw.data(), static_cast<std::size_t>(raw.size())})), file,
            is_padding ? entry.dict_find_int_value("length") : -1};
}

constexpr int most_repeated_names = 100; // fewer are refused with their own message later

// libtorrent renames each file whose name is already in use, and tries all names that it has given before.
// Padding files may share a name for each length.
void refuse_repeated_names(const std::string& path, const lt::bdecode_node& info)
{
    const lt::bdecode_node files = info.dict_find_list("files");
    std::vector<FileName> names;
    for (int i = 0; files && i < files.list_size(); ++i) {
        if (files.list_at(i).type() != lt::bdecode_node::dict_t) {
            return; // libtorrent refuses it
        }
        names.push_back(file_name(files.list_at(i), i));
    }
    std::sort(names.begin(), names.end());
    int repeated = 0;
    int last = 0;
    for (std::size_t i = 1; i < names.size(); ++i) {
        if (names[i].hash == names[i - 1].hash &&
            (names[i].padding < 0 || names[i].padding != names[i - 1].padding)) {
            ++repeated;
            last = names[i].file;
        }
    }
    if (repeated > most_repeated_names) {
        const lt::bdecode_node elements = path_of(files.list_at(last));
        const auto name = elements && elements.list_size() > 0 ? elements.list_string_value_at(0) : "";
        throw not_an_image(path, fmt::format("{} of its files have the name of another one, such as '{}'",
                                             repeated, printable({name.data(), name.size()})));
    }
}

// Refuses torrents that would keep libtorrent busy for minutes, and are not images of this program anyway.
void refuse_what_takes_long(const std::string& path, std::string_view bytes, int tokens)
{
    lt::error_code error;
    const lt::bdecode_node torrent = lt::bdecode({bytes.data(), static_cast<std::ptrdiff_t>(bytes.size())},
                                                 error, nullptr, deepest_nesting, tokens);
    if (error || torrent.type() != lt::bdecode_node::dict_t) {
        return; // libtorrent refuses it
    }
    refuse_many_trackers(path, torrent);
    if (const lt::bdecode_node info = torrent.dict_find_dict("info")) {
        refuse_repeated_names(path, info);
    }
}

// The kind of a file that is not a torrent; empty if unknown.
std::string_view name_of(std::string_view bytes)
{
    struct Beginning {
        std::string_view bytes;
        std::string_view name;
    };
    constexpr std::array<Beginning, 5> binary{{{"\x1f\x8b", "it is compressed (gzip)"},
                                               {"\x28\xb5\x2f\xfd", "it is compressed (zstd)"},
                                               {"\xfd"
                                                "7zXZ",
                                                "it is compressed (xz)"},
                                               {"BZh", "it is compressed (bzip2)"},
                                               {"PK\x03\x04", "it is compressed (zip)"}}};
    constexpr std::array<Beginning, 6> text{
        {{"<!doctype html", "it is a web page (HTML)"},
         {"<html", "it is a web page (HTML)"},
         {"<head", "it is a web page (HTML)"},
         {"<?xml", "it is XML"},
         {"magnet:", "it is a magnet link; give that itself"},
         {"block_size:", "it is the output of partclone -t; create makes a torrent of it"}}};
    const auto first = [](const auto& beginnings, std::string_view in) {
        const auto found = std::find_if(beginnings.begin(), beginnings.end(),
                                        [&](const Beginning& each) { return in.starts_with(each.bytes); });
        return found != beginnings.end() ? found->name : std::string_view();
    };
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    const std::string_view marked =
        bytes.starts_with(byte_order_mark) ? bytes.substr(byte_order_mark.size()) : bytes;
    const std::string_view name = first(binary, bytes);
    return bytes.empty()  ? "it is empty"
           : name.empty() ? first(text, lower_case(trimmed(marked.substr(0, 512))))
                          : name;
}

lt::add_torrent_params decode(const std::string& path, std::string_view bytes, int tokens)
{
    refuse_what_takes_long(path, bytes, tokens);
    try {
        return lt::load_torrent_buffer({bytes.data(), static_cast<std::ptrdiff_t>(bytes.size())},
                                       limits_of(tokens));
    } catch (const lt::system_error& error) {
        throw Error(ExitStatus::torrent,
                    fmt::format("{} is not a torrent: {}", path,
                                name_of(bytes).empty() ? error.code().message() : name_of(bytes)));
    }
}

// The original files, before libtorrent renames duplicates.
const lt::file_storage& files_of(const lt::torrent_info& info)
{
#if LIBTORRENT_VERSION_NUM >= 20100
    return info.layout();
#else
    return info.orig_files();
#endif
}

// The original names. libtorrent makes names safe for file systems first ("../a" becomes "..a", and unsafe
// characters are dropped), and could so turn a name that is not an offset into one.
class RawInfo {
  public:
    explicit RawInfo(const lt::torrent_info& info) // does not throw: it was decoded before
        : m_info(lt::bdecode(info.info_section(), deepest_nesting, most_torrent_tokens)),
          m_files(m_info.dict_find_list("files"))
    {}

    [[nodiscard]] std::string image() const
    {
        const lt::bdecode_node unicode = m_info.dict_find_string("name.utf-8");
        return copy(unicode ? unicode.string_value() : m_info.dict_find_string_value("name"));
    }

    // 0 if it is not a valid size.
    [[nodiscard]] std::uint64_t sector_bytes() const
    {
        const auto bytes = static_cast<std::uint64_t>(m_info.dict_find_int_value(sector_key));
        return std::has_single_bit(bytes) && bytes >= 512 && bytes <= 64_KiB ? bytes : 0;
    }

    // Empty for a file in a directory. Fastest when called in the order of the files.
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

    lt::bdecode_node m_info; // points into the torrent_info
    lt::bdecode_node m_files;
};

void refuse_bad_image_name(const std::string& path, const std::string& name)
{
    if (name.empty() || name == "." || name == ".." ||
        name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
        throw not_an_image(path, fmt::format("its name '{}' is not a valid directory name", printable(name)));
    }
}

void add_extents(const std::string& path, const lt::file_storage& files, const RawInfo& raw, Image& image)
{
    for (const lt::file_index_t file : files.file_range()) {
        if (files.pad_file_at(file)) {
            image.padding.push_back({static_cast<std::uint64_t>(files.file_offset(file)),
                                     static_cast<std::uint64_t>(files.file_size(file))});
            continue;
        }
        const std::string name(files.file_name(file));
        const auto offset = parse_extent_name(name);
        if (!offset) {
            throw not_an_image(
                path, fmt::format("its file '{}' is not named by an offset of 16 or 32 hex digits", name));
        }
        if (raw.file(static_cast<int>(file)) != name) {
            throw not_an_image(path,
                               fmt::format("the path of its file '{}' contains more than the offset", name));
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

Sha256Digest digest_of(const lt::sha256_hash& hash)
{
    Sha256Digest digest;
    std::copy(hash.begin(), hash.end(), digest.begin());
    return digest;
}

// libtorrent assumes that padding is at the end of its piece, as in hybrid torrents and where padding aligns
// extents with pieces, and does not request as many of the piece's last blocks.
void refuse_padding_within_a_piece(const std::string& path, const Image& image)
{
    std::uint32_t looked_at = image.piece_count();
    for (const Extent& stretch : image.map.padding()) {
        for (const std::uint64_t at : {stretch.offset, stretch.end() - 1}) { // between is nothing else
            const auto piece = image.layout().piece_of(at);
            if (std::exchange(looked_at, piece) == piece) {
                continue;
            }
            std::uint64_t padding = image.piece_size(piece);
            std::uint64_t data_end = 0; // offset in the piece
            for (const auto& range : image.map.ranges(image.piece_offset(piece), image.piece_size(piece))) {
                padding -= range.length;
                data_end = range.payload_offset + range.length - image.piece_offset(piece);
            }
            const std::uint64_t blocks = blocks_in(image.piece_size(piece));
            if ((blocks - padding / block_bytes) * block_bytes < data_end) {
                throw not_an_image(path, fmt::format("its piece {} has padding before data", piece));
            }
        }
    }
}

// libtorrent never requests pieces of only padding, and so never compares their hashes.
void refuse_wrong_padding(const std::string& path, const Image& image)
{
    const std::vector<std::byte> zeros(std::min<std::uint64_t>(image.piece_length, 1_MiB));
    const auto digest_of_zeros = [&](std::uint64_t length) {
        Sha1 sha1;
        for (std::uint64_t left = length; left > 0; left -= std::min<std::uint64_t>(left, zeros.size())) {
            sha1.update(std::span(zeros).first(std::min<std::uint64_t>(left, zeros.size())));
        }
        return sha1.finish();
    };
    std::map<std::uint64_t, Sha1Digest> expected; // by piece size
    for_each_unit_of_padding(image.map, image.piece_length, [&](std::uint64_t piece) {
        const std::uint64_t size = image.piece_size(static_cast<std::uint32_t>(piece));
        const auto [entry, is_new] = expected.try_emplace(size);
        if (is_new) {
            entry->second = digest_of_zeros(size);
        }
        if (entry->second != image.hashes[piece]) {
            throw not_an_image(path, fmt::format("its piece {} is padding, but not all zeros", piece));
        }
    });
}

// The v2 roots of a file's pieces: the file's own root if it is one piece, otherwise those that came with the
// info dictionary, if any. Throws when they do not add up to the file's root.
std::vector<Sha256Digest> piece_roots(const std::string& path, const lt::add_torrent_params& params,
                                      lt::file_index_t file)
{
    const lt::torrent_info& info = *params.ti;
    const auto piece_length = static_cast<std::uint64_t>(info.piece_length());
    const Sha256Digest root = digest_of(files_of(info).root(file));
    if (static_cast<std::uint64_t>(files_of(info).file_size(file)) <= piece_length) {
        return {root};
    }
    std::vector<Sha256Digest> roots;
    if (file < params.merkle_trees.end_index()) { // where libtorrent stores them
        for (const lt::sha256_hash& hash : params.merkle_trees[file]) {
            roots.push_back(digest_of(hash));
        }
    }
    const Sha256Digest missing = merkle_root({}, piece_length / block_bytes);
    if (!roots.empty() && merkle_root(roots, std::bit_ceil(roots.size()), missing) != root) {
        throw not_an_image(
            path, fmt::format("the v2 hashes of the pieces of its file '{}' are not those of the file",
                              std::string(files_of(info).file_name(file))));
    }
    return roots;
}

// Each piece of a hybrid torrent consists of bytes of one file, and then padding.
std::vector<V2Piece> v2_pieces_of(const std::string& path, const lt::add_torrent_params& params,
                                  const Image& image)
{
    const lt::torrent_info& info = *params.ti;
    if (!info.info_hashes().has_v2()) {
        return {};
    }
    const lt::file_storage& files = files_of(info);
    std::vector<V2Piece> pieces(image.piece_count());
    for (const lt::file_index_t file : files.file_range()) {
        const auto size = static_cast<std::uint64_t>(files.file_size(file));
        if (files.pad_file_at(file) || size == 0) {
            continue;
        }
        const auto roots = piece_roots(path, params, file);
        const std::uint64_t first = static_cast<std::uint64_t>(files.file_offset(file)) / image.piece_length;
        for (std::uint64_t i = 0; i * image.piece_length < size; ++i) {
            V2Piece& piece = pieces[first + i];
            piece.data_bytes = std::min(image.piece_length, size - i * image.piece_length);
            const std::uint64_t blocks = blocks_in(piece.data_bytes);
            piece.leaves =
                size > image.piece_length ? image.piece_length / block_bytes : std::bit_ceil(blocks);
            piece.root = i < roots.size() ? std::optional(roots[i]) : std::nullopt;
        }
    }
    return pieces;
}

// The names and UUIDs in the note, with a limited length.
DiskIdentity identity_in(const lt::bdecode_node& note)
{
    constexpr std::size_t longest = 128; // bytes
    DiskIdentity source;
    for (const SourceMember& member : source_members) {
        const lt::string_view value = note.dict_find_string_value(member.key);
        if (value.size() <= longest) {
            source.*member.value = std::string(value.begin(), value.end());
        }
    }
    return source;
}

std::optional<VolumeUse> volume_in(const lt::bdecode_node& note)
{
    constexpr std::size_t longest = 256; // bytes
    const auto number = [&](const char* key) {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(note.dict_find_int_value(key), 0));
    };
    const lt::string_view name = note.dict_find_string_value("name");
    const lt::string_view type = note.dict_find_string_value("type");
    if (name.empty() || name.size() > longest || type.size() > longest) {
        return std::nullopt;
    }
    return VolumeUse{std::string(name.begin(), name.end()), std::string(type.begin(), type.end()),
                     number("size"), number("in image"), number("offset")};
}

std::vector<VolumeUse> volumes_in(const lt::bdecode_node& note)
{
    constexpr int most = 4096;
    std::vector<VolumeUse> volumes;
    const lt::bdecode_node list = note.dict_find_list(volumes_key);
    for (int i = 0; list && i < std::min(list.list_size(), most); ++i) {
        const lt::bdecode_node each = list.list_at(i);
        const auto volume =
            each.type() == lt::bdecode_node::dict_t ? volume_in(each) : std::optional<VolumeUse>();
        if (volume) {
            volumes.push_back(*volume);
        }
    }
    return volumes;
}

// libtorrent drops unknown members. Keys are sorted, so the info dictionary, which can be large, is not
// searched again.
void read_note(std::string_view bytes, LoadedTorrent& loaded)
{
    std::size_t at = 1; // after the 'd'
    while (at < bytes.size() && bytes[at] != 'e') {
        const auto next = [&] { // valid, because the torrent was decoded before
            const std::string_view rest = bytes.substr(at);
            lt::error_code error;
            lt::bdecode_node node = lt::bdecode({rest.data(), static_cast<std::ptrdiff_t>(rest.size())},
                                                error, nullptr, deepest_nesting, most_torrent_tokens);
            at += error ? rest.size() : static_cast<std::size_t>(node.data_section().size());
            return node;
        };
        const lt::bdecode_node key = next();
        if (key.type() != lt::bdecode_node::string_t || key.string_value() > lt::string_view(source_key)) {
            return;
        }
        const bool is_note = key.string_value() == lt::string_view(source_key);
        const lt::bdecode_node value = next();
        if (is_note && value.type() == lt::bdecode_node::dict_t) {
            loaded.source = identity_in(value);
            loaded.volumes = volumes_in(value);
        }
        if (is_note) {
            return;
        }
    }
}

Image image_of(const std::string& path, const lt::add_torrent_params& params)
{
    const lt::torrent_info& info = *params.ti;
    const RawInfo raw(info);
    refuse_bad_image_name(path, raw.image());
    Image image;
    image.name = info.name();
    image.piece_length = static_cast<std::uint64_t>(info.piece_length());
    if (!std::has_single_bit(image.piece_length) || image.piece_length < block_bytes) {
        throw not_an_image(
            path, fmt::format("its piece length of {} bytes is not a power of two of at least 16 KiB",
                              image.piece_length));
    }
    image.sector_bytes = raw.sector_bytes();
    add_extents(path, files_of(info), raw, image);
    try {
        image.map = ExtentMap(image.extents, image.padding);
    } catch (const Error& error) {
        throw not_an_image(path, error.what());
    }
    if (image.map.data_bytes() == 0) {
        throw not_an_image(path, "it has no data");
    }
    image.single_file = info.num_files() == 1 && files_of(info).file_path(lt::file_index_t{0}) == info.name();
    image.hashes.reserve(static_cast<std::size_t>(info.num_pieces()));
    for (const lt::piece_index_t piece : info.piece_range()) {
        image.hashes.push_back(digest_of(info.hash_for_piece(piece)));
    }
    refuse_padding_within_a_piece(path, image);
    refuse_wrong_padding(path, image);
    image.v2_pieces = v2_pieces_of(path, params, image);
    return image;
}

} // namespace

LoadedTorrent parse_torrent(std::string_view bytes, const std::string& path,
                            const std::optional<TorrentMemory>& memory)
{
    if (memory) {
        memory->refuse_large(bytes, path);
    }
    LoadedTorrent loaded;
    loaded.path = path;
    loaded.params = decode(
        path, bytes, memory ? std::min(most_torrent_tokens, memory->most_tokens()) : most_torrent_tokens);
    const lt::torrent_info& info = *loaded.params.ti;
    if (!info.info_hashes().has_v1()) {
        throw not_an_image(path, "it is a BitTorrent v2 torrent; this program needs a v1 or hybrid one");
    }
    loaded.image = image_of(path, loaded.params);
    loaded.info_hash = to_hex(digest_of(info.info_hashes().v1));
    read_note(bytes, loaded);
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
