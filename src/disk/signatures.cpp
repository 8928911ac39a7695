// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/signatures.hpp"

#include "ezio/disk/blkid_probe.hpp"
#include "ezio/disk/lvm_label.hpp"
#include "ezio/disk/partition_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace ezio {

namespace {

constexpr std::size_t most_signatures = 10'000; // more: libblkid finds the same ones again and again

// The last probe's result. libblkid's offsets count from the start of the area.
std::optional<Signature> found_by(const BlkidProbe& probe, const Extent& area)
{
    const auto signature = [&](const char* type, const char* magic, const char* offset) {
        const char* data = nullptr;
        std::size_t length = 0;
        const bool is_there = blkid_probe_lookup_value(probe.get(), magic, &data, &length) == 0 && length > 0;
        return is_there ? std::optional(Signature{
                              blkid_value(probe, type),
                              {area.offset + std::strtoull(blkid_value(probe, offset).c_str(), nullptr, 10),
                               length},
                              magic[0] == 'P'})
                        : std::nullopt;
    };
    const auto contents = signature("TYPE", "SBMAGIC", "SBMAGIC_OFFSET");
    return contents ? contents : signature("PTTYPE", "PTMAGIC", "PTMAGIC_OFFSET");
}

enum class Position { inside, outside, across };

Position position_of(const Extent& magic, std::span<const Extent> used)
{
    const auto next =
        std::upper_bound(used.begin(), used.end(), magic.offset,
                         [](std::uint64_t at, const Extent& extent) { return at < extent.end(); });
    if (next == used.end() || next->offset >= magic.end()) {
        return Position::outside;
    }
    return next->offset <= magic.offset && magic.end() <= next->end() ? Position::inside : Position::across;
}

bool contains(const Extent& area, const Extent& part)
{
    return area.offset <= part.offset && part.end() <= area.end();
}

// The area whose claim on `magic` counts: the partition that contains it, otherwise the whole device.
const SignatureArea& owner_of(const Extent& magic, std::span<const SignatureArea> areas)
{
    const auto partition = std::find_if(areas.begin() + 1, areas.end(), [&](const SignatureArea& area) {
        return contains(area.extent, magic);
    });
    return partition != areas.end() ? *partition : areas.front();
}

// The image's own signatures in an area.
std::vector<Signature> own_signatures(const SignatureArea& area, std::span<const Extent> used)
{
    std::vector<Signature> own;
    std::copy_if(area.found.begin(), area.found.end(), std::back_inserter(own),
                 [&](const Signature& each) { return position_of(each.magic, used) == Position::inside; });
    return own;
}

bool has_type(std::span<const Signature> signatures, const std::string& type)
{
    return std::any_of(signatures.begin(), signatures.end(),
                       [&](const Signature& each) { return each.type == type; });
}

std::optional<SignatureArea> search_area(int fd, const Extent& extent, std::uint64_t sector_bytes)
{
    auto found = find_signatures(fd, extent, sector_bytes);
    const Recognition recognition = recognize(fd, extent, sector_bytes);
    if (!found || recognition.outcome == Recognition::Outcome::unreadable) {
        return std::nullopt;
    }
    return SignatureArea{extent, std::move(*found), recognition};
}

// Returns false if it cannot be read.
bool add_partitions(int fd, const PartitionList& list, std::vector<SignatureArea>& areas)
{
    for (const ListedPartition& partition : list.partitions) {
        if (partition.is_container) {
            continue;
        }
        auto area = search_area(fd, partition.extent, 0);
        if (!area) {
            return false;
        }
        areas.push_back(std::move(*area));
    }
    return true;
}

// Like add_partitions. Skips a volume that, according to the note, is not on a physical volume of the image.
bool add_volumes(int fd, std::span<const VolumeUse> volumes, std::span<const Extent> used,
                 std::vector<SignatureArea>& areas)
{
    std::vector<SignatureArea> found;
    for (const VolumeUse& volume : volumes) {
        const Extent extent{volume.offset, volume.size};
        if (volume.offset == 0 || volume.offset > largest_offset || volume.size > largest_offset ||
            !contains(areas.front().extent, extent)) {
            continue;
        }
        const SignatureArea& owner = owner_of(extent, areas);
        if (!contains(owner.extent, extent) || !has_type(own_signatures(owner, used), lvm_type)) {
            continue;
        }
        auto area = search_area(fd, extent, 0);
        if (!area) {
            return false;
        }
        area->volume = volume.name;
        found.push_back(std::move(*area));
    }
    std::move(found.begin(), found.end(), std::back_inserter(areas));
    return true;
}

std::string list_of_types(std::span<const Signature> signatures)
{
    std::vector<std::string> types;
    for (const Signature& each : signatures) {
        if (std::find(types.begin(), types.end(), each.type) == types.end()) {
            types.push_back(each.type);
        }
    }
    return fmt::format("{}", fmt::join(types, ", "));
}

std::string place_of(const SignatureArea& area, const std::string& device)
{
    return area.volume.empty() ? fmt::format("the partition at byte {} of {}", area.extent.offset, device)
                               : fmt::format("the logical volume {} of {}", area.volume, device);
}

} // namespace

std::optional<std::vector<Signature>> find_signatures(int fd, const Extent& area, std::uint64_t sector_bytes)
{
    const BlkidProbe probe = make_blkid_probe(fd, area, sector_bytes);
    if (!probe) {
        return std::nullopt;
    }
    blkid_probe_enable_superblocks(probe.get(), 1);
    blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE | BLKID_SUBLKS_MAGIC);
    blkid_probe_enable_partitions(probe.get(), 1);
    blkid_probe_set_partitions_flags(probe.get(), BLKID_PARTS_MAGIC | BLKID_PARTS_FORCE_GPT);
    std::vector<Signature> signatures;
    int result = 0;
    while ((result = blkid_do_probe(probe.get())) == 0 && signatures.size() < most_signatures) {
        const auto signature = found_by(probe, area);
        if (!signature || std::find(signatures.begin(), signatures.end(), *signature) != signatures.end()) {
            continue; // continue with other signatures
        }
        signatures.push_back(*signature);
        // Only in memory, so that the same prober then finds the next copy, if there is one.
        constexpr int dry_run = 1;
        (void)blkid_do_wipe(probe.get(), dry_run);
    }
    return result < 0 ? std::nullopt : std::optional(std::move(signatures));
}

std::optional<std::vector<SignatureArea>> search_areas(int fd, std::uint64_t size, std::uint64_t sector_bytes,
                                                       std::span<const Extent> used,
                                                       std::span<const VolumeUse> volumes)
{
    const Extent whole{0, size};
    auto root = search_area(fd, whole, sector_bytes);
    if (!root) {
        return std::nullopt;
    }
    std::vector<SignatureArea> areas{std::move(*root)};
    const auto own = own_signatures(areas.front(), used);
    const auto table = std::find_if(own.begin(), own.end(), [](const Signature& each) {
        return each.is_table && each.type != "PMBR"; // which only protects a GPT
    });
    const auto list = table != own.end() ? list_partitions(fd, size, sector_bytes) : std::nullopt;
    if (list && list->type == table->type && !add_partitions(fd, *list, areas)) {
        return std::nullopt;
    }
    return add_volumes(fd, volumes, used, areas) ? std::optional(std::move(areas)) : std::nullopt;
}

std::vector<Signature> stale_signatures(std::span<const SignatureArea> areas, std::span<const Extent> used)
{
    std::vector<Signature> stale;
    for (const SignatureArea& area : areas) {
        for (const Signature& each : area.found) {
            if (position_of(each.magic, used) == Position::outside &&
                !own_signatures(owner_of(each.magic, areas), used).empty()) {
                stale.push_back(each);
            }
        }
    }
    std::sort(stale.begin(), stale.end(),
              [](const Signature& a, const Signature& b) { return a.magic.offset < b.magic.offset; });
    const auto same_place = [](const Signature& a, const Signature& b) { return a.magic == b.magic; };
    stale.erase(std::unique(stale.begin(), stale.end(), same_place), stale.end());
    return stale;
}

std::vector<std::string> hidden_areas(const std::string& device, std::span<const SignatureArea> areas,
                                      std::span<const Extent> used, const std::optional<DiskIdentity>& noted)
{
    using Outcome = Recognition::Outcome;
    std::vector<std::string> sentences;
    for (const SignatureArea& area : areas) {
        const bool is_whole = &area == &areas.front();
        const auto own = own_signatures(area, used);
        const std::string& seen = area.recognition.identity.type;
        const std::string& seen_table = area.recognition.identity.table;
        const std::string place = is_whole ? device : place_of(area, device);
        const std::string expected = is_whole && noted && !noted->empty()
                                         ? (noted->type.empty() ? noted->table : noted->type)
                                         : list_of_types(own);
        const bool is_expected = seen.empty() || has_type(own, seen) || expected == seen;
        const bool has_foreign = own.size() < area.found.size();
        if (expected.empty()) {
            continue; // not claimed by the image
        }
        if (area.recognition.outcome == Outcome::ambiguous && has_foreign) {
            sentences.push_back(
                fmt::format("{} has signatures of {}, but the image there is {}; see wipefs -n", place,
                            list_of_types(area.found), expected));
        } else if (area.recognition.outcome == Outcome::known && !is_expected) {
            sentences.push_back(fmt::format("{} looks like {}, but the image there is {}; see wipefs -n",
                                            place, seen, expected));
        } else if (area.recognition.outcome == Outcome::known && seen.empty() && !seen_table.empty() &&
                   !has_type(own, seen_table) && expected != seen_table) {
            sentences.push_back(
                fmt::format("{} looks like a disk with a partition table ({}), but the image there is {}; "
                            "see wipefs -n",
                            place, seen_table, expected));
        } else if (area.recognition.outcome == Outcome::unknown && is_whole && noted && !noted->empty()) {
            sentences.push_back(
                fmt::format("nothing is recognized on {}, but the image is of {}", place, expected));
        }
    }
    return sentences;
}

} // namespace ezio
