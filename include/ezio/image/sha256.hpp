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

// The SHA-256 of each 16 KiB block of a piece, as BitTorrent v2 needs them. Not thread-safe.
class Sha256Blocks {
  public:
    // Hashes the first `data_bytes` bytes; the rest is padding and is ignored.
    explicit Sha256Blocks(std::uint64_t data_bytes);

    void update(std::span<const std::byte> data);

    // Complete once all `data_bytes` were given.
    [[nodiscard]] const std::vector<Sha256Digest>& digests() const { return m_digests; }

  private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };

    std::unique_ptr<evp_md_ctx_st, Free> m_context;
    std::uint64_t m_left;         // bytes of data still to come
    std::uint64_t m_in_block = 0; // bytes in the current block
    std::vector<Sha256Digest> m_digests;
};

// The root of a tree with `leaves` leaves: a power of two, at least as many as `nodes`. Leaves without a node
// are `missing`.
[[nodiscard]] Sha256Digest merkle_root(std::vector<Sha256Digest> nodes, std::uint64_t leaves,
                                       Sha256Digest missing = {});

} // namespace ezio
