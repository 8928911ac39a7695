// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/clear_signatures.hpp"

#include <fmt/format.h>

#include <cstddef>

namespace ezio {

namespace {

using Areas = std::optional<std::vector<SignatureArea>>;

Areas areas_of(Target& target, const Image& image, std::span<const VolumeUse> volumes, std::uint64_t size)
{
    Areas areas;
    target.with_descriptor(
        [&](int fd) { areas = search_areas(fd, size, image.sector_bytes, image.map.used(), volumes); });
    return areas;
}

std::optional<IoFailure> wipe(Target& target, const std::vector<Signature>& stale,
                              std::vector<Signature>& wiped)
{
    for (const Signature& each : stale) {
        const std::vector<std::byte> zeros(each.magic.length);
        if (auto failure = target.write_at(each.magic.offset, zeros)) {
            return failure;
        }
        wiped.push_back(each);
    }
    return std::nullopt;
}

} // namespace

ClearedSignatures clear_signatures(Target& target, const Image& image,
                                   const std::optional<DiskIdentity>& noted, StaleSignatures stale,
                                   std::span<const VolumeUse> volumes)
{
    constexpr int most_rounds = 4; // a wiped signature may have hidden another
    ClearedSignatures cleared;
    const std::optional<std::uint64_t> size = target.size();
    if (!size) {
        return cleared;
    }
    Areas areas = areas_of(target, image, volumes, *size);
    for (int round = 0; areas && stale == StaleSignatures::wipe && round < most_rounds; ++round) {
        const auto left_over = stale_signatures(*areas, image.map.used());
        if (left_over.empty()) {
            break;
        }
        cleared.failure = wipe(target, left_over, cleared.wiped);
        if (cleared.failure) {
            return cleared;
        }
        areas = areas_of(target, image, volumes, *size);
    }
    if (areas) {
        cleared.warnings = hidden_areas(target.path(), *areas, image.map.used(), noted);
    } else {
        cleared.warnings.push_back(
            fmt::format("{} cannot be read outside the image: leftover signatures there may hide the image",
                        target.path()));
    }
    return cleared;
}

} // namespace ezio
