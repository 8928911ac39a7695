// SPDX-License-Identifier: GPL-2.0-or-later
//
// BitTorrent messages in wire format. Each function appends to `message`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ezio {

// Appends the lowest `bytes` bytes of the value.
void put_big_endian(std::string& message, std::uint32_t value, int bytes);

void put_unchoke(std::string& message);
void put_have(std::string& message, std::uint32_t piece);

// A request for a block. `start` and `length` are in bytes.
void put_request(std::string& message, std::uint32_t piece, std::uint32_t start, std::uint32_t length);

// Rejects a request for a block (BEP 6). `start` and `length` are in bytes.
void put_reject(std::string& message, std::uint32_t piece, std::uint32_t start, std::uint32_t length);

// A block of data.
void put_piece(std::string& message, std::uint32_t piece, std::uint32_t start, std::string_view block);

// A message of an extension (BEP 10). `extension_id` is the receiver's number for it.
void put_extended(std::string& message, int extension_id, std::string_view payload);

// Withdraws a piece (BEP 54, lt_donthave).
void put_dont_have(std::string& message, int extension_id, std::uint32_t piece);

} // namespace ezio
