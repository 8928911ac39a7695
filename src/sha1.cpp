// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/sha1.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <new>
#include <stdexcept>

namespace ezio {

namespace {

int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void check(int result)
{
    if (result != 1) {
        throw std::runtime_error("OpenSSL cannot compute SHA-1");
    }
}

} // namespace

std::string to_hex(const Sha1Digest& digest)
{
    std::string text;
    for (const std::uint8_t byte : digest) {
        fmt::format_to(std::back_inserter(text), "{:02x}", byte);
    }
    return text;
}

std::optional<Sha1Digest> parse_sha1(std::string_view text)
{
    Sha1Digest digest;
    if (text.size() != 2 * digest.size()) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const int high = digit_value(text[2 * i]);
        const int low = digit_value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        digest[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return digest;
}

void Sha1::Free::operator()(evp_md_ctx_st* context) const
{
    EVP_MD_CTX_free(context);
}

Sha1::Sha1() : m_context(EVP_MD_CTX_new())
{
    if (!m_context) {
        throw std::bad_alloc();
    }
    check(EVP_DigestInit_ex(m_context.get(), EVP_sha1(), nullptr));
}

void Sha1::update(std::span<const std::byte> data)
{
    check(EVP_DigestUpdate(m_context.get(), data.data(), data.size()));
}

Sha1Digest Sha1::finish()
{
    Sha1Digest digest;
    check(EVP_DigestFinal_ex(m_context.get(), digest.data(), nullptr));
    check(EVP_DigestInit_ex(m_context.get(), EVP_sha1(), nullptr));
    return digest;
}

} // namespace ezio
