// SPDX-License-Identifier: GPL-2.0-or-later
//
// The copy of a GPT on a target that is larger than the disk that the image is of; see gpt.hpp.
#pragma once

#include "ezio/disk/gpt.hpp"
#include "ezio/image/image.hpp"
#include "ezio/target/replaced_bytes.hpp"
#include "ezio/target/target.hpp"
#include "ezio/util/error.hpp"

#include <optional>
#include <string>

namespace ezio {

enum class GptCopy { move, leave };

struct GptMove {
    GptPlan::Outcome outcome = GptPlan::Outcome::none;
    std::string reason{};               // when damaged
    std::optional<IoFailure> failure{}; // of a read or write while it was moved
};

// Finds out whether the GPT that the image brought ends with the target, and moves its copy there when that
// is wanted and it is `movable`; what it replaces of the image is remembered in `replaced`. The image must be
// on the target. A table that is not in the image is none.
[[nodiscard]] GptMove move_gpt(Target& target, const Image& image, GptCopy copy, ReplacedBytes& replaced);

// Why no GPT can be expanded on `target`, as far as that is known before the image is there; empty: it may
// work. `noted` as in LoadedTorrent.
[[nodiscard]] std::string why_no_gpt(const std::string& target, const Image& image,
                                     const std::optional<DiskIdentity>& noted);

} // namespace ezio
