// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/image/sha256.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <new>
#include <stdexcept>

namespace ezio {

namespace {

constexpr std::uint64_t block_length = 16384;

void check_sha256(int result)
{
    if (result != 1) {
        throw std::runtime_error("OpenSSL cannot compute SHA-256");
    }
}

Sha256Digest digest_of_both(const Sha256Digest& left, const Sha256Digest& right)
{
    std::array<std::uint8_t, 64> both;
    std::copy(right.begin(), right.end(), std::copy(left.begin(), left.end(), both.begin()));
    Sha256Digest digest;
    check_sha256(EVP_Digest(both.data(), both.size(), digest.data(), nullptr, EVP_sha256(), nullptr));
    return digest;
}

} // namespace

void Sha256Blocks::Free::operator()(evp_md_ctx_st* context) const
{
    EVP_MD_CTX_free(context);
}

Sha256Blocks::Sha256Blocks(std::uint64_t data_bytes) : m_context(EVP_MD_CTX_new()), m_left(data_bytes)
{
    if (!m_context) {
        throw std::bad_alloc();
    }
}

void Sha256Blocks::update(std::span<const std::byte> data)
{
    data = data.first(std::min<std::uint64_t>(data.size(), m_left));
    while (!data.empty()) {
        if (m_in_block == 0) {
            check_sha256(EVP_DigestInit_ex(m_context.get(), EVP_sha256(), nullptr));
        }
        const auto part = data.first(std::min<std::uint64_t>(data.size(), block_length - m_in_block));
        check_sha256(EVP_DigestUpdate(m_context.get(), part.data(), part.size()));
        m_in_block += part.size();
        m_left -= part.size();
        data = data.subspan(part.size());
        if (m_in_block == block_length || m_left == 0) {
            check_sha256(EVP_DigestFinal_ex(m_context.get(), m_digests.emplace_back().data(), nullptr));
            m_in_block = 0;
        }
    }
}

Sha256Digest merkle_root(std::vector<Sha256Digest> nodes, std::uint64_t leaves, Sha256Digest missing)
{
    assert(std::has_single_bit(leaves) && nodes.size() <= leaves);
    for (; leaves > 1; leaves /= 2) {
        if (nodes.size() % 2 == 1) {
            nodes.push_back(missing);
        }
        for (std::size_t i = 0; i < nodes.size() / 2; ++i) {
            nodes[i] = digest_of_both(nodes[2 * i], nodes[2 * i + 1]);
        }
        nodes.resize(nodes.size() / 2);
        missing = digest_of_both(missing, missing); // the root of a subtree without data
    }
    return nodes.empty() ? missing : nodes.front();
}

} // namespace ezio
