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

// One SHA-1 computation: with the processor's SHA instructions where it has them, by OpenSSL otherwise.
// Not thread-safe; each thread uses its own, or they take turns.
class Sha1 {
  public:
    enum class Engine { fastest, openssl };

    explicit Sha1(Engine engine = Engine::fastest);

    void update(std::span<const std::byte> data);

    // The same for two computations at once. With the instructions, and as long as both have had whole blocks
    // of 64 bytes so far, that takes little longer than one of them.
    static void update_both(Sha1& a, std::span<const std::byte> data_a, Sha1& b,
                            std::span<const std::byte> data_b);

    // The digest of all that went in; the object then starts again from nothing.
    [[nodiscard]] Sha1Digest finish();

  private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };

    void update_own(std::span<const std::byte> data);
    [[nodiscard]] Sha1Digest finish_own();
    [[nodiscard]] bool at_block_boundary() const { return !m_openssl && m_length % sha1_block_bytes == 0; }

    std::unique_ptr<evp_md_ctx_st, Free> m_openssl; // if it is OpenSSL's; the rest is then unused
    Sha1State m_state = sha1_start;
    std::uint64_t m_length = 0;                        // bytes that went in
    std::array<std::byte, sha1_block_bytes> m_begun{}; // the block that is not full yet
};

} // namespace ezio
