// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is done at the end of a fetch about the signatures of the target's earlier life; see signatures.hpp.
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
    std::vector<std::string> warnings;  // what hides the image nevertheless
    std::optional<IoFailure> failure{}; // of a write: the target is not what it should be
};

// Writes zeros over the magic bytes of stale signatures, and over nothing else; then looks whether the image
// is what shows. The image must be on the target. A directory has no signatures. `noted` and `volumes` as in
// LoadedTorrent.
[[nodiscard]] ClearedSignatures clear_signatures(Target& target, const Image& image,
                                                 const std::optional<DiskIdentity>& noted,
                                                 StaleSignatures stale,
                                                 std::span<const VolumeUse> volumes = {});

} // namespace ezio
