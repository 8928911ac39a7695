// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kinds of option values: name, parser, and formatter, so that the help shows defaults in the form that a
// user would write.
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
    std::string_view name;                           // the help's name for it, "SIZE"
    std::string_view valid;                          // ends the sentence "--memory lots: expected ..."
    std::optional<Value> (*parse)(std::string_view); // empty: invalid
    std::string (*show)(const Value&);               // for display; empty: no such value
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

// Any non-empty text, for values that are checked later. Shells complete "FILE" with file names.
[[nodiscard]] Text text(std::string_view name);

} // namespace kind

} // namespace ezio
