// SPDX-License-Identifier: GPL-2.0-or-later
//
// Messages between peers, as they go over the network. Each function appends to `message`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ezio {

// The last so many `bytes` of the value.
void put_big_endian(std::string& message, std::uint32_t value, int bytes);

void put_unchoke(std::string& message);
void put_have(std::string& message, std::uint32_t piece);

// Asks for a block. `start` and `length` are in bytes.
void put_request(std::string& message, std::uint32_t piece, std::uint32_t start, std::uint32_t length);

// That a block, which was asked for, will not come (BEP 6). `start` and `length` are in bytes.
void put_reject(std::string& message, std::uint32_t piece, std::uint32_t start, std::uint32_t length);

// A block that was asked for.
void put_piece(std::string& message, std::uint32_t piece, std::uint32_t start, std::string_view block);

// Of an extension (BEP 10), under the number that the receiver gives it.
void put_extended(std::string& message, int extension_id, std::string_view payload);

// That a piece is not there any more (BEP 54, lt_donthave).
void put_dont_have(std::string& message, int extension_id, std::uint32_t piece);

} // namespace ezio
