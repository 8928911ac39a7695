// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the tests of the kinds of target have in common.
#pragma once

#include "expect_error.hpp"
#include "test_image.hpp"

#include "ezio/target/target.hpp"
#include "ezio/util/units.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ezio::test {

// 1 MiB in all, 64 KiB of it used.
[[nodiscard]] inline const Image& small_image()
{
    static const Image image = image_of({{0, 48_KiB}, {1_MiB - 16_KiB, 16_KiB}});
    return image;
}

[[nodiscard]] inline Refusal refusal_to_open(const std::string& path, Access access,
                                             const Image& image = small_image())
{
    return refusal_of([&] { (void)open_target(path, access, image); });
}

[[nodiscard]] inline std::optional<IoFailure> write_text(Target& target, std::uint64_t offset,
                                                         std::string_view text)
{
    return target.write_at(offset, std::as_bytes(std::span(text)));
}

[[nodiscard]] inline std::string read_text(Target& target, std::uint64_t offset, std::size_t length)
{
    std::string text(length, ' ');
    throw_if(target.read_at(offset, std::as_writable_bytes(std::span(text))));
    return text;
}

} // namespace ezio::test
