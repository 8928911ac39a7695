// SPDX-License-Identifier: GPL-2.0-or-later
//
// Wipes, at the end of a fetch, the signatures of the target's earlier contents; see signatures.hpp.
#pragma once

#include "ezio/disk/signatures.hpp"
#include "ezio/image/disk_identity.hpp"
#include "ezio/image/image.hpp"
#include "ezio/target/target.hpp"
#include "ezio/util/error.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ezio {

enum class StaleSignatures { wipe, keep };

struct ClearedSignatures {
    std::vector<Signature> wiped;
    std::vector<std::string> warnings;  // what still hides the image
    std::optional<IoFailure> failure{}; // of a write: the target is incomplete
};

// Writes zeros over the magic bytes of stale signatures, and over nothing else. Then checks that the image is
// what is recognized. The image must be on the target. A directory has no signatures. `noted` and `volumes`
// as in LoadedTorrent.
[[nodiscard]] ClearedSignatures clear_signatures(Target& target, const Image& image,
                                                 const std::optional<DiskIdentity>& noted,
                                                 StaleSignatures stale,
                                                 std::span<const VolumeUse> volumes = {});

} // namespace ezio
