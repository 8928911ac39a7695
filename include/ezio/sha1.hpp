// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

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

// One SHA-1 computation, by OpenSSL. Not thread-safe; each thread uses its own, or they take turns.
class Sha1 {
  public:
    Sha1();

    void update(std::span<const std::byte> data);

    // The digest of all that went in; the object then starts again from nothing.
    [[nodiscard]] Sha1Digest finish();

  private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> m_context;
};

} // namespace ezio
