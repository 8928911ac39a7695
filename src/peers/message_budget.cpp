// SPDX-License-Identifier: GPL-2.0-or-later
#include "message_budget.hpp"

#include <algorithm>

namespace ezio {

namespace {

constexpr std::uint64_t unit = 16384; // fractions of a message that are counted: as many as bytes in a block
constexpr std::uint64_t messages_at_once = 20'000;
constexpr std::uint64_t messages_for_each_piece = 4;
constexpr std::uint64_t messages_for_each_block = 4;
constexpr std::uint64_t messages_a_second = 2000;

constexpr std::uint64_t bytes_at_once = 2 << 20;
constexpr std::uint64_t bytes_for_each_piece = 64;
constexpr std::uint64_t bytes_a_second = 128 << 10;
constexpr std::uint64_t data_for_each_byte = 10; // packet headers are a 30th of the data, requests a 1000th

bool take(std::uint64_t& budget, std::uint64_t amount)
{
    const bool enough = amount <= budget;
    budget -= enough ? amount : budget;
    return enough;
}

} // namespace

MessageBudget::MessageBudget(std::uint32_t pieces, std::uint64_t more_bytes)
    : m_most_messages(unit * (messages_at_once + messages_for_each_piece * pieces)),
      m_most_bytes(bytes_at_once + more_bytes + bytes_for_each_piece * pieces), m_messages(m_most_messages),
      m_bytes(m_most_bytes)
{}

bool MessageBudget::spend(std::uint64_t messages)
{
    return take(m_messages, unit * messages);
}

void MessageBudget::exchanged(std::uint64_t data_bytes)
{
    m_messages = std::min(m_most_messages, m_messages + messages_for_each_block * data_bytes);
}

bool MessageBudget::second(std::uint64_t other_bytes, std::uint64_t data_rate)
{
    m_messages = std::min(m_most_messages, m_messages + unit * messages_a_second);
    m_bytes += bytes_a_second + data_rate / data_for_each_byte;
    const bool may = take(m_bytes, other_bytes);
    m_bytes = std::min(m_most_bytes, m_bytes);
    return may;
}

} // namespace ezio
