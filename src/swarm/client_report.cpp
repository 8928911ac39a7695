// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/swarm/client_report.hpp"

#include <fmt/format.h>

#include <libtorrent/bdecode.hpp>
#include <libtorrent/bencode.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/error_code.hpp>

#include <algorithm>
#include <iterator>
#include <random>
#include <string_view>

namespace ezio {

namespace {

constexpr int version = 1;
constexpr std::size_t longest_id = 32;
constexpr std::size_t longest_name = 64; // of a host, a serial number
constexpr std::size_t longest_path = 128;
constexpr std::size_t longest_message = 400;

// The first bytes, ending with a complete character.
std::string cut(std::string_view text, std::size_t most)
{
    std::size_t size = std::min(text.size(), most);
    while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) {
        --size;
    }
    return std::string(text.substr(0, size));
}

// Cuts the start of a path, whose end identifies it.
std::string cut_path(std::string_view path)
{
    constexpr std::string_view mark = "...";
    return path.size() <= longest_path
               ? std::string(path)
               : fmt::format("{}{}", mark, path.substr(path.size() - longest_path + mark.size()));
}

void add(lt::entry::dictionary_type& message, const char* key, const std::string& text)
{
    if (!text.empty()) {
        message[key] = text;
    }
}

// Empty if it is present but not a valid number.
std::optional<std::uint64_t> number_in(const lt::bdecode_node& message, const char* key)
{
    const lt::bdecode_node node = message.dict_find_int(key);
    if (!node) {
        return message.dict_find(key) ? std::nullopt : std::optional<std::uint64_t>(0);
    }
    const auto value = node.int_value();
    return value >= 0 ? std::optional(static_cast<std::uint64_t>(value)) : std::nullopt;
}

lt::bdecode_node decode(std::span<const char> payload)
{
    constexpr int deepest = 2;
    constexpr int most_tokens = 64;
    lt::error_code error;
    const lt::span<const char> bytes(payload.data(), static_cast<std::ptrdiff_t>(payload.size()));
    lt::bdecode_node node = lt::bdecode(bytes, error, nullptr, deepest, most_tokens);
    return !error && node.type() == lt::bdecode_node::dict_t ? node : lt::bdecode_node();
}

std::string text_in(const lt::bdecode_node& message, const char* key, std::size_t most)
{
    const auto text = message.dict_find_string_value(key);
    return cut({text.data(), text.size()}, most);
}

} // namespace

std::string make_report_id()
{
    std::random_device random;
    return fmt::format("{:08x}{:08x}", random(), random());
}

std::string encode_report(const IdentifiedReport& identified)
{
    const ClientReport& report = identified.report;
    lt::entry::dictionary_type message;
    message["v"] = version;
    message["id"] = cut(identified.id, longest_id);
    message["state"] = std::string(to_string(report.state));
    message["done"] = static_cast<std::int64_t>(report.done_bytes);
    message["received"] = static_cast<std::int64_t>(report.received_bytes);
    message["rate"] = static_cast<std::int64_t>(report.rate);
    message["seconds"] = static_cast<std::int64_t>(report.seconds);
    if (report.eta_seconds) {
        message["eta"] = static_cast<std::int64_t>(*report.eta_seconds);
    }
    if (report.status) {
        message["status"] = *report.status;
    }
    add(message, "host", cut(report.host, longest_name));
    add(message, "target", cut_path(report.target));
    add(message, "serial", cut(report.serial, longest_name));
    add(message, "message", cut(report.message, longest_message));
    std::string payload;
    lt::bencode(std::back_inserter(payload), lt::entry(std::move(message)));
    return payload;
}

std::optional<IdentifiedReport> parse_report(std::span<const char> payload)
{
    constexpr std::uint64_t greatest_status = 255;
    const lt::bdecode_node message = decode(payload);
    if (!message || message.dict_find_int_value("v") < version) { // later ones may add members
        return std::nullopt;
    }
    const auto state = parse_client_state(text_in(message, "state", longest_name));
    const auto done = number_in(message, "done");
    const auto received = number_in(message, "received");
    const auto rate = number_in(message, "rate");
    const auto seconds = number_in(message, "seconds");
    const auto eta = number_in(message, "eta");
    const auto status = number_in(message, "status");
    IdentifiedReport identified{text_in(message, "id", longest_id), {}};
    if (identified.id.empty() || !state || *state == ClientState::lost || !done || !received || !rate ||
        !seconds || !eta || !status || *status > greatest_status) {
        return std::nullopt;
    }
    ClientReport& report = identified.report;
    report = {text_in(message, "host", longest_name),
              text_in(message, "target", longest_path),
              text_in(message, "serial", longest_name),
              *state,
              *done,
              *received,
              *rate,
              *seconds,
              std::nullopt,
              std::nullopt,
              text_in(message, "message", longest_message)};
    if (message.dict_find_int("eta")) {
        report.eta_seconds = eta;
    }
    if (message.dict_find_int("status")) {
        report.status = static_cast<int>(*status);
    }
    return identified;
}

std::string encode_heard()
{
    return "d5:heardi1ee";
}

bool is_heard(std::span<const char> payload)
{
    const lt::bdecode_node message = decode(payload);
    return message && message.dict_find_int_value("heard") != 0;
}

} // namespace ezio
