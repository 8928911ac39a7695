// SPDX-License-Identifier: GPL-2.0-or-later
//
// Catch2 of either generation: 2 on Debian 12, 3 elsewhere. Tests include this and nothing of Catch2's own.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#define EZIO_CATCH_CONTAINS Catch::Matchers::ContainsSubstring
#else
#include <catch2/catch.hpp>
#define EZIO_CATCH_CONTAINS Catch::Matchers::Contains
#endif

#include <string>

namespace ezio::test {

// For CHECK_THAT.
[[nodiscard]] inline auto contains(const std::string& text)
{
    return EZIO_CATCH_CONTAINS(text);
}

} // namespace ezio::test

#undef EZIO_CATCH_CONTAINS
