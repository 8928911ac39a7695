// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/image/sha1.hpp"

#include "ezio/util/text.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>

namespace ezio {

namespace {

void check_sha1(int result)
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
        const auto byte = parse_number<std::uint8_t>(text.substr(2 * i, 2), 16);
        if (!byte) {
            return std::nullopt;
        }
        digest[i] = *byte;
    }
    return digest;
}

void Sha1::Free::operator()(evp_md_ctx_st* context) const
{
    EVP_MD_CTX_free(context);
}

Sha1::Sha1(Engine engine)
{
    if (engine == Engine::fastest && has_sha1_instructions()) {
        return;
    }
    m_openssl.reset(EVP_MD_CTX_new());
    if (!m_openssl) {
        throw std::bad_alloc();
    }
    check_sha1(EVP_DigestInit_ex(m_openssl.get(), EVP_sha1(), nullptr));
}

void Sha1::update(std::span<const std::byte> data)
{
    if (m_openssl) {
        check_sha1(EVP_DigestUpdate(m_openssl.get(), data.data(), data.size()));
    } else if (!data.empty()) {
        update_own(data);
    }
}

void Sha1::update_both(Sha1& a, std::span<const std::byte> data_a, Sha1& b, std::span<const std::byte> data_b)
{
    if (a.at_block_boundary() && b.at_block_boundary()) {
        const std::size_t blocks = std::min(data_a.size(), data_b.size()) / sha1_block_bytes;
        const std::size_t bytes = blocks * sha1_block_bytes;
        hash_sha1_blocks(a.m_state, data_a.data(), b.m_state, data_b.data(), blocks);
        a.m_length += bytes;
        b.m_length += bytes;
        data_a = data_a.subspan(bytes);
        data_b = data_b.subspan(bytes);
    }
    a.update(data_a);
    b.update(data_b);
}

Sha1Digest Sha1::finish()
{
    if (!m_openssl) {
        return finish_own();
    }
    Sha1Digest digest;
    check_sha1(EVP_DigestFinal_ex(m_openssl.get(), digest.data(), nullptr));
    check_sha1(EVP_DigestInit_ex(m_openssl.get(), EVP_sha1(), nullptr));
    return digest;
}

void Sha1::update_own(std::span<const std::byte> data)
{
    const std::size_t begun = m_length % sha1_block_bytes;
    m_length += data.size();
    if (begun > 0) {
        const std::size_t taken = std::min(sha1_block_bytes - begun, data.size());
        std::memcpy(m_begun.data() + begun, data.data(), taken);
        if (begun + taken < sha1_block_bytes) {
            return;
        }
        hash_sha1_blocks(m_state, m_begun.data(), 1);
        data = data.subspan(taken);
    }
    const std::size_t blocks = data.size() / sha1_block_bytes;
    hash_sha1_blocks(m_state, data.data(), blocks);
    data = data.subspan(blocks * sha1_block_bytes);
    std::copy(data.begin(), data.end(), m_begun.begin());
}

// The last block ends with a one bit, zeros, and the length in bits in its last 8 bytes.
Sha1Digest Sha1::finish_own()
{
    const std::uint64_t bits = m_length * 8;
    std::array<std::byte, 2 * sha1_block_bytes> padding{std::byte{0x80}};
    const std::size_t begun = m_length % sha1_block_bytes;
    const std::size_t zeros_end = (begun < sha1_block_bytes - 8 ? 1 : 2) * sha1_block_bytes - begun;
    for (std::size_t i = 1; i <= 8; ++i) {
        padding[zeros_end - i] = static_cast<std::byte>(bits >> (8 * (i - 1)));
    }
    update_own(std::span(padding).first(zeros_end));
    Sha1Digest digest;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        digest[i] = static_cast<std::uint8_t>(m_state[i / 4] >> (24 - 8 * (i % 4)));
    }
    m_state = sha1_start;
    m_length = 0;
    return digest;
}

} // namespace ezio
