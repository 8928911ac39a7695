// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kinds of values that options take: what each is called, how it is read, and how it is written, so that
// the help can show a default as a user would write it.
#pragma once

#include "ezio/util/units.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ezio {

template <typename Value>
struct OptionKind {
    std::string_view name;                           // "SIZE", as the help calls it
    std::string_view valid;                          // ends the sentence "--memory lots: expected ..."
    std::optional<Value> (*parse)(std::string_view); // empty: not valid
    std::string (*show)(const Value&);               // for people; empty: there is no such value
};

namespace kind {

using Size = OptionKind<std::uint64_t>;
using Duration = OptionKind<std::chrono::milliseconds>;
using Number = OptionKind<int>;
using Text = OptionKind<std::string>;

extern const Size memory;       // 32M to 64G
extern const Size piece_length; // a power of two from 16K to 64M
extern const Size rate;         // per second; 0: no limit
extern const Duration duration; // "90s"
extern const Number peer_count; // 1 to 99999
extern const Text tracker;      // a URL

// Any text that is not empty, for what can only be checked later. "FILE" is completed by shells.
[[nodiscard]] Text text(std::string_view name);

} // namespace kind

} // namespace ezio
