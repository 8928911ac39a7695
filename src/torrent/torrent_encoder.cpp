// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/torrent_encoder.hpp"

#include "ezio/image/image.hpp"
#include "ezio/util/error.hpp"

#include <fmt/format.h>

#include <iterator>

namespace ezio {

namespace {

// Appends bencoded values to a string. The caller sorts dictionary keys. libtorrent's own encoder needs a
// tree of the whole torrent, with a dictionary of strings for each of up to 500,000 extents.
class Bencoder {
  public:
    explicit Bencoder(std::string& out) : m_out(out) {}

    void begin_dictionary() { m_out += 'd'; }
    void begin_list() { m_out += 'l'; }
    void end() { m_out += 'e'; }
    void integer(std::uint64_t value) { fmt::format_to(std::back_inserter(m_out), "i{}e", value); }
    void string(std::string_view value)
    {
        string_header(value.size());
        m_out += value;
    }
    void string_header(std::size_t size) { fmt::format_to(std::back_inserter(m_out), "{}:", size); }
    void raw(std::string_view bytes) { m_out += bytes; }

  private:
    std::string& m_out;
};

void encode_trackers(Bencoder& out, const std::vector<std::string>& trackers)
{
    if (!trackers.empty()) {
        out.string("announce");
        out.string(trackers.front());
    }
    if (trackers.size() > 1) {
        out.string("announce-list");
        out.begin_list();
        for (const std::string& tracker : trackers) { // each in its own tier: tried in this order
            out.begin_list();
            out.string(tracker);
            out.end();
        }
        out.end();
    }
}

void encode_files(Bencoder& out, const TorrentContents& contents)
{
    out.begin_list();
    for (std::size_t i = 0; i < contents.extents.size(); ++i) {
        const Extent& extent = contents.extents[i];
        out.begin_dictionary();
        out.string("length");
        out.integer(extent.length);
        out.string("path");
        out.begin_list();
        out.string(contents.names.empty() ? extent_name(extent.offset) : contents.names[i]);
        out.end();
        out.end();
    }
    out.end();
}

// Always in the form for several files, even with one extent: only there does an extent have its own name.
void encode_info(Bencoder& out, const TorrentContents& contents)
{
    out.begin_dictionary();
    out.string("files");
    encode_files(out, contents);
    out.string("name");
    out.string(contents.name);
    out.string("piece length");
    out.integer(contents.piece_length);
    out.string("pieces");
    out.string_header(contents.hashes.size() * sizeof(Sha1Digest));
    for (const Sha1Digest& hash : contents.hashes) {
        out.raw({reinterpret_cast<const char*>(hash.data()), hash.size()});
    }
    if (contents.sector_bytes != 0) {
        out.string(sector_key);
        out.integer(contents.sector_bytes);
    }
    if (!contents.ssl_ca.empty()) {
        out.string("ssl-cert");
        out.string(contents.ssl_ca);
    }
    out.end();
}

void encode_volume(Bencoder& out, const VolumeUse& volume)
{
    out.begin_dictionary();
    out.string("in image");
    out.integer(volume.in_image);
    out.string("name");
    out.string(volume.name);
    if (volume.offset != 0) {
        out.string("offset");
        out.integer(volume.offset);
    }
    out.string("size");
    out.integer(volume.size);
    out.string("type");
    out.string(volume.type);
    out.end();
}

// A member of the torrent's outer dictionary, so that the info-hash stays the same. Other clients skip it.
void encode_source(Bencoder& out, const DiskIdentity& source, const std::vector<VolumeUse>& volumes)
{
    out.string(source_key);
    out.begin_dictionary();
    for (const SourceMember& member : source_members) {
        if (const std::string& value = source.*member.value; !value.empty()) {
            out.string(member.key);
            out.string(value);
        }
    }
    if (!volumes.empty()) {
        out.string(volumes_key);
        out.begin_list();
        for (const VolumeUse& volume : volumes) {
            encode_volume(out, volume);
        }
        out.end();
    }
    out.end();
}

} // namespace

std::string extent_name(std::uint64_t offset)
{
    return fmt::format("{:032x}", offset);
}

std::string encode_torrent(const TorrentContents& contents)
{
    constexpr std::size_t bytes_per_file = 70; // slightly more than most need
    std::string bytes;
    bytes.reserve(1024 + contents.extents.size() * bytes_per_file +
                  contents.hashes.size() * sizeof(Sha1Digest));
    Bencoder out(bytes);
    out.begin_dictionary();
    encode_trackers(out, contents.trackers);
    if (!contents.comment.empty()) {
        out.string("comment");
        out.string(contents.comment);
    }
    out.string("created by");
    out.string("ezio-cli " EZIO_VERSION);
    if (contents.creation_date) {
        out.string("creation date");
        out.integer(*contents.creation_date);
    }
    if (contents.source && !contents.source->empty()) {
        encode_source(out, *contents.source, contents.volumes);
    }
    out.string("info");
    encode_info(out, contents);
    out.end();
    return bytes;
}

} // namespace ezio
