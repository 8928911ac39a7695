// SPDX-License-Identifier: GPL-2.0-or-later
//
// The part of --memory that the torrent itself takes: libtorrent, the disk engine and the maps of extents
// store something for each extent and each piece. The first part of that counts as the rest of the process,
// whose size the manual states; what exceeds it leaves less for data. A torrent that leaves too little is
// refused before it is decoded, because decoding takes the most memory.
//
// Measured with pieces of 16 KiB, fetching and seeding: 4,000,000 pieces 474 MiB; 1,000,000 extents 341 MiB
// while they are decoded, and 90 MiB later.
#pragma once

#include "ezio/image/image.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ezio {

class TorrentMemory {
  public:
    // `memory` is --memory, in bytes.
    explicit TorrentMemory(std::uint64_t memory) : m_memory(memory) {}

    // The length beyond which a file takes too much memory, whatever it contains.
    [[nodiscard]] std::uint64_t longest_file() const;

    [[nodiscard]] std::uint32_t most_pieces() const;

    // The most tokens that a decoder may make of these bytes, whatever they are.
    [[nodiscard]] int most_tokens() const;

    // Both throw Error (ExitStatus::torrent) with the memory that is needed: when the torrent of these bytes
    // takes too much, and when every torrent of this size does.
    void refuse_large(std::string_view bytes, const std::string& path) const;
    void refuse_long(std::uint64_t size, const std::string& path) const;

    // The same during reading, when the size is unknown: it is at least `so_far` bytes.
    void refuse_longer(std::uint64_t so_far, const std::string& path) const;

    // The memory left for data.
    [[nodiscard]] std::uint64_t for_data(const Image& image) const;

  private:
    [[nodiscard]] std::uint64_t most() const;

    const std::uint64_t m_memory;
};

} // namespace ezio
