// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/image/sha1_blocks.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace ezio {

using Sha1Digest = std::array<std::uint8_t, 20>;

// "da39a3ee...", 40 lower case digits.
[[nodiscard]] std::string to_hex(const Sha1Digest& digest);

// Empty unless `text` is exactly 40 hex digits.
[[nodiscard]] std::optional<Sha1Digest> parse_sha1(std::string_view text);

// One SHA-1 computation, with the processor's SHA instructions if it has them, otherwise by OpenSSL.
// Not thread-safe.
class Sha1 {
  public:
    enum class Engine { fastest, openssl };

    explicit Sha1(Engine engine = Engine::fastest);

    void update(std::span<const std::byte> data);

    // The same for two computations at once. With the SHA instructions, and while both have received only
    // whole blocks of 64 bytes, this takes little longer than one of them.
    static void update_both(Sha1& a, std::span<const std::byte> data_a, Sha1& b,
                            std::span<const std::byte> data_b);

    // The digest of all data so far. Resets the object for a new computation.
    [[nodiscard]] Sha1Digest finish();

  private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };

    void update_own(std::span<const std::byte> data);
    [[nodiscard]] Sha1Digest finish_own();
    [[nodiscard]] bool at_block_boundary() const { return !m_openssl && m_length % sha1_block_bytes == 0; }

    std::unique_ptr<evp_md_ctx_st, Free> m_openssl; // set if OpenSSL is used; the rest is then unused
    Sha1State m_state = sha1_start;
    std::uint64_t m_length = 0;                        // bytes received
    std::array<std::byte, sha1_block_bytes> m_begun{}; // the last block, not full yet
};

} // namespace ezio
