// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peers/peer_messages.hpp"

namespace ezio {

namespace {

enum class Kind : char { unchoke = 1, have = 4, request = 6, piece = 7, reject = 16, extended = 20 };

void put_head(std::string& message, Kind kind, std::size_t payload_bytes)
{
    put_big_endian(message, static_cast<std::uint32_t>(1 + payload_bytes), 4);
    message.push_back(static_cast<char>(kind));
}

} // namespace

void put_big_endian(std::string& message, std::uint32_t value, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        message.push_back(static_cast<char>(value >> shift & 0xff));
    }
}

void put_unchoke(std::string& message)
{
    put_head(message, Kind::unchoke, 0);
}

void put_have(std::string& message, std::uint32_t piece)
{
    put_head(message, Kind::have, 4);
    put_big_endian(message, piece, 4);
}

void put_request(std::string& message, std::uint32_t piece, std::uint32_t start, std::uint32_t length)
{
    put_head(message, Kind::request, 12);
    put_big_endian(message, piece, 4);
    put_big_endian(message, start, 4);
    put_big_endian(message, length, 4);
}

void put_reject(std::string& message, std::uint32_t piece, std::uint32_t start, std::uint32_t length)
{
    put_head(message, Kind::reject, 12);
    put_big_endian(message, piece, 4);
    put_big_endian(message, start, 4);
    put_big_endian(message, length, 4);
}

void put_piece(std::string& message, std::uint32_t piece, std::uint32_t start, std::string_view block)
{
    put_head(message, Kind::piece, 8 + block.size());
    put_big_endian(message, piece, 4);
    put_big_endian(message, start, 4);
    message += block;
}

void put_extended(std::string& message, int extension_id, std::string_view payload)
{
    put_head(message, Kind::extended, 1 + payload.size());
    message.push_back(static_cast<char>(extension_id));
    message += payload;
}

void put_dont_have(std::string& message, int extension_id, std::uint32_t piece)
{
    std::string payload;
    put_big_endian(payload, piece, 4);
    put_extended(message, extension_id, payload);
}

} // namespace ezio
