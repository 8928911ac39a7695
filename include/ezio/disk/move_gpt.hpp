// SPDX-License-Identifier: GPL-2.0-or-later
//
// Moves the copy of a GPT on a target that is larger than the image's disk; see gpt.hpp.
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
    std::optional<IoFailure> failure{}; // of a read or write during the move
};

// Checks whether the image's GPT extends to the end of the target. If it does not, is `movable`, and `copy`
// requests it, moves the copy there. Replaced bytes of the image are stored in `replaced`. The image must be
// on the target. A table outside the image does not count.
[[nodiscard]] GptMove move_gpt(Target& target, const Image& image, GptCopy copy, ReplacedBytes& replaced);

// Why the GPT on `target` cannot be expanded, as far as that is known before the image is there; empty: it
// may be possible. `noted` as in LoadedTorrent.
[[nodiscard]] std::string why_no_gpt(const std::string& target, const Image& image,
                                     const std::optional<DiskIdentity>& noted);

} // namespace ezio
