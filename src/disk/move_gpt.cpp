// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/move_gpt.hpp"

#include "ezio/target/device_tree.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace ezio {

namespace {

using Outcome = GptPlan::Outcome;

constexpr std::uint64_t usual_sector = 512; // for image files, which do not have one

// The sector size of a partition table on the target; 0 if there can be none.
std::uint64_t sector_of(Target& target, const Image& image)
{
    int bytes = 0;
    target.with_descriptor([&](int fd) {
        struct stat status {};
        const bool is_device = ::fstat(fd, &status) == 0 && S_ISBLK(status.st_mode);
        if (is_device && ::ioctl(fd, BLKSSZGET, &bytes) != 0) {
            bytes = 0;
        } else if (!is_device) {
            bytes = static_cast<int>(image.sector_bytes != 0 ? image.sector_bytes : usual_sector);
        }
    });
    return static_cast<std::uint64_t>(bytes);
}

// Whether the image contains the MBR and the first header.
bool brings_a_table(const Image& image, std::uint64_t sector)
{
    const auto& used = image.map.used();
    return !used.empty() && used.front().offset == 0 && used.front().length >= 2 * sector;
}

std::optional<IoFailure> write_all(Target& target, const std::vector<GptPlan::Write>& writes,
                                   ReplacedBytes& replaced)
{
    for (const GptPlan::Write& write : writes) {
        std::vector<std::byte> before(write.bytes.size());
        if (auto failed = target.read_at(write.offset, before)) {
            return failed;
        }
        replaced.remember(write.offset, std::move(before));
        if (auto failed = target.write_at(write.offset, write.bytes)) {
            return failed;
        }
    }
    return std::nullopt;
}

} // namespace

GptMove move_gpt(Target& target, const Image& image, GptCopy copy, ReplacedBytes& replaced)
{
    const auto size = target.size();
    const std::uint64_t sector = size ? sector_of(target, image) : 0;
    if (sector == 0 || !brings_a_table(image, sector)) {
        return {};
    }
    std::optional<IoFailure> failure;
    const auto read = [&](const Extent& extent) -> std::optional<std::vector<std::byte>> {
        std::vector<std::byte> bytes(extent.length);
        failure = target.read_at(extent.offset, bytes);
        return failure ? std::nullopt : std::optional(std::move(bytes));
    };
    const GptPlan plan = plan_gpt_move(read, *size, sector);
    if (copy == GptCopy::leave) {
        return {plan.outcome, plan.reason, std::nullopt};
    }
    if (plan.outcome == Outcome::movable) {
        failure = write_all(target, plan.writes, replaced);
    }
    return {plan.outcome, plan.reason, failure};
}

std::string why_no_gpt(const std::string& target, const Image& image,
                       const std::optional<DiskIdentity>& noted)
{
    struct stat status {};
    const bool exists = ::stat(target.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) {
        return fmt::format("{} is a directory, not a disk", target);
    }
    if (exists && S_ISBLK(status.st_mode) && disk_of(status.st_rdev) != 0) {
        return fmt::format("{} is a partition, not a whole disk", target);
    }
    if (noted && !noted->empty() && noted->table != "gpt") {
        return fmt::format("the image is of {}, not of a whole disk with a GPT",
                           noted->table.empty() ? noted->type
                                                : "a disk with a table of type " + noted->table);
    }
    if (!brings_a_table(image, usual_sector)) {
        return "the image leaves out the first sectors, where a GPT is";
    }
    return {};
}

} // namespace ezio
