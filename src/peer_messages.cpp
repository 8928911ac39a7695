// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peer_messages.hpp"

namespace ezio {

namespace {

constexpr char unchoke = 1;
constexpr char have = 4;
constexpr char extended = 20;

void put_int32(std::string& message, std::uint32_t value)
{
    for (const int shift : {24, 16, 8, 0}) {
        message.push_back(static_cast<char>(value >> shift & 0xff));
    }
}

} // namespace

void put_have(std::string& message, std::uint32_t piece)
{
    put_int32(message, 5);
    message.push_back(have);
    put_int32(message, piece);
}

void put_dont_have(std::string& message, int extension_id, std::uint32_t piece)
{
    put_int32(message, 6);
    message.push_back(extended);
    message.push_back(static_cast<char>(extension_id));
    put_int32(message, piece);
}

void put_unchoke(std::string& message)
{
    put_int32(message, 1);
    message.push_back(unchoke);
}

void put_nudge(std::string& message)
{
    put_unchoke(message);
    put_unchoke(message);
}

} // namespace ezio
