// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct evp_md_ctx_st;

namespace ezio {

using Sha256Digest = std::array<std::uint8_t, 32>;

// The SHA-256 of each 16 KiB block of a piece, as BitTorrent v2 wants them. Not thread-safe.
class Sha256Blocks {
  public:
    // Of `data_bytes` bytes; what comes after them is padding, and left out.
    explicit Sha256Blocks(std::uint64_t data_bytes);

    void update(std::span<const std::byte> data);

    // Complete when all of the data went in.
    [[nodiscard]] const std::vector<Sha256Digest>& digests() const { return m_digests; }

  private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };

    std::unique_ptr<evp_md_ctx_st, Free> m_context;
    std::uint64_t m_left;         // bytes of data that are to come
    std::uint64_t m_in_block = 0; // bytes that went into the block that is not full yet
    std::vector<Sha256Digest> m_digests;
};

// The root of the tree of `leaves` leaves, a power of two and at least one for each of `nodes`; the others
// are `missing`.
[[nodiscard]] Sha256Digest merkle_root(std::vector<Sha256Digest> nodes, std::uint64_t leaves,
                                       Sha256Digest missing = {});

} // namespace ezio
