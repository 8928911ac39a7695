// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a call that must fail failed with, and how Catch2 prints this project's types.
#pragma once

#include "catch.hpp"

#include "ezio/image/extent_map.hpp"
#include "ezio/util/error.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace ezio::test {

struct Refusal {
    ExitStatus status;
    std::string message;
};

// The Error that `call` throws. The test fails if it throws none.
template <typename Call>
[[nodiscard]] Refusal refusal_of(Call&& call)
{
    try {
        call();
    } catch (const Error& error) {
        return {error.status(), error.what()};
    }
    FAIL("nothing was refused");
    return {};
}

} // namespace ezio::test

template <>
struct Catch::StringMaker<ezio::ExitStatus> {
    static std::string convert(ezio::ExitStatus status)
    {
        return fmt::format("status {}", static_cast<int>(status));
    }
};

template <>
struct Catch::StringMaker<ezio::Extent> {
    static std::string convert(const ezio::Extent& e) { return fmt::format("{:#x}+{}", e.offset, e.length); }
};

template <>
struct Catch::StringMaker<ezio::ExtentMap::Range> {
    static std::string convert(const ezio::ExtentMap::Range& r)
    {
        return fmt::format("{}->{:#x}+{}", r.payload_offset, r.device_offset, r.length);
    }
};
