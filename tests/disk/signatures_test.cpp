// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/clear_signatures.hpp"
#include "ezio/disk/signatures.hpp"

#include "catch.hpp"
#include "fake_target.hpp"
#include "temp_dir.hpp"
#include "test_image.hpp"

#include "ezio/target/fd_target.hpp"
#include "ezio/util/fd.hpp"
#include "ezio/util/positional_io.hpp"
#include "ezio/util/units.hpp"

#include <boost/endian/conversion.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>

namespace ezio {

using test::contains;
using test::image_of;
using test::TempDir;

namespace {

using Outcome = Recognition::Outcome;

const std::vector<Extent> used{{0, 64_KiB}, {1_MiB, 64_KiB}, {4_MiB, 64_KiB}};
const Extent whole{0, 8_MiB};

Signature ext4_at(std::uint64_t offset)
{
    return {"ext4", {offset, 2}, false};
}
Signature raid_at(std::uint64_t offset)
{
    return {"linux_raid_member", {offset, 4}, false};
}
Signature gpt_at(std::uint64_t offset)
{
    return {"gpt", {offset, 8}, true};
}

SignatureArea area(Extent extent, std::vector<Signature> found, Recognition recognition = {})
{
    return {extent, std::move(found), std::move(recognition)};
}

// An image file with bytes at offsets.
class Disk {
  public:
    explicit Disk(std::uint64_t size)
        : m_path(m_directory / "disk"), m_fd(::open(m_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600))
    {
        std::filesystem::resize_file(m_path, size);
    }

    void write(std::uint64_t offset, std::string_view bytes)
    {
        iovec part{const_cast<char*>(bytes.data()), bytes.size()};
        REQUIRE(write_fully(m_fd.get(), std::span(&part, 1), offset) == 0);
    }
    void write_u32(std::uint64_t offset, std::uint32_t value)
    {
        std::string bytes(4, '\0');
        boost::endian::store_little_u32(reinterpret_cast<unsigned char*>(bytes.data()), value);
        write(offset, bytes);
    }

    // A version 0.90 superblock of a RAID, as far as libblkid looks; after the rest of it is made.
    std::uint64_t add_raid()
    {
        const std::uint64_t at = (size() & ~(64_KiB - 1)) - 64_KiB;
        for (const auto& [offset, value] :
             std::array<std::pair<unsigned, std::uint32_t>, 3>{{{0, 0xa92b4efc}, {4, 0}, {8, 90}}}) {
            write_u32(at + offset, value);
        }
        return at;
    }

    // Uberblocks in the last label of ZFS.
    void add_zfs(unsigned count)
    {
        const std::uint64_t label = size() - 256_KiB;
        for (unsigned i = 0; i < count; ++i) {
            const std::uint64_t at = label + 128_KiB + i * 1_KiB;
            write_u32(at, 0x00bab10c);
            write_u32(at + 8, 5000);
        }
    }

    // A page of 4 KiB with the header of swap.
    void add_swap()
    {
        write(4086, "SWAPSPACE2");
        write_u32(1024, 1);
        write_u32(1028, 255);
    }

    [[nodiscard]] std::uint64_t size() const { return std::filesystem::file_size(m_path); }
    [[nodiscard]] int fd() const { return m_fd.get(); }
    [[nodiscard]] FdTarget target() const
    {
        return {Fd(::open(m_path.c_str(), O_RDWR | O_CLOEXEC)), m_path, PageCache::keep};
    }
    [[nodiscard]] std::string type() const { return recognize(fd(), {0, size()}, 0).identity.type; }
    [[nodiscard]] Outcome outcome() const { return recognize(fd(), {0, size()}, 0).outcome; }

  private:
    TempDir m_directory;
    std::string m_path;
    Fd m_fd;
};

} // namespace

TEST_CASE("signatures: what lies outside the extents is stale when the image has one of its own there")
{
    const std::vector areas{area(whole, {ext4_at(1080), raid_at(8_MiB - 64_KiB)})};
    CHECK(stale_signatures(areas, used) == std::vector{raid_at(8_MiB - 64_KiB)});
}

TEST_CASE("signatures: what the image carries is its own, several of them included")
{
    const std::vector areas{area(whole, {ext4_at(1080), raid_at(4_MiB), gpt_at(512)})};
    CHECK(stale_signatures(areas, used).empty());
}

TEST_CASE("signatures: one that is partly the image's is left alone, at either end of an extent")
{
    const std::vector areas{area(whole, {ext4_at(1080), raid_at(1_MiB - 2), raid_at(64_KiB - 2)})};
    CHECK(stale_signatures(areas, used).empty());
    const std::vector beside{area(whole, {ext4_at(1080), raid_at(1_MiB - 4), raid_at(64_KiB)})};
    CHECK(stale_signatures(beside, used) == std::vector{raid_at(64_KiB), raid_at(1_MiB - 4)});
}

TEST_CASE("signatures: where the image has none of its own, nothing is stale")
{
    CHECK(
        stale_signatures(std::vector{area(whole, {raid_at(8_MiB - 64_KiB), gpt_at(65_KiB)})}, used).empty());
    CHECK(stale_signatures(std::vector{area(whole, {})}, used).empty());
    CHECK(stale_signatures(std::vector{area(whole, {ext4_at(1080)})}, {}).empty());
}

TEST_CASE("signatures: in a partition its own claim counts, whoever finds it")
{
    const Extent first{1_MiB, 2_MiB};
    const Extent second{4_MiB, 4_MiB};
    const Signature at_the_end = raid_at(8_MiB - 64_KiB); // of the disk, and of its last partition
    const std::vector foreign{area(whole, {gpt_at(512), at_the_end}), area(first, {ext4_at(1_MiB + 1080)}),
                              area(second, {at_the_end})};
    CHECK(stale_signatures(foreign, used).empty()); // the image has nothing that is known in the second
    std::vector own = foreign;
    own[2].found.push_back(ext4_at(4_MiB + 1080));
    CHECK(stale_signatures(own, used) == std::vector{at_the_end}); // once, although both find it
}

TEST_CASE("signatures: behind the partitions the table's claim counts")
{
    const std::vector areas{area(whole, {gpt_at(512), raid_at(8_MiB - 64_KiB)}),
                            area({1_MiB, 2_MiB}, {ext4_at(1_MiB + 1080)})};
    CHECK(stale_signatures(areas, used) == std::vector{raid_at(8_MiB - 64_KiB)});
}

TEST_CASE("signatures: what hides the image is named, and nothing else")
{
    const DiskIdentity ext4{"ext4", "1-2", "", ""};
    const std::vector<Signature> both{ext4_at(1080), raid_at(8_MiB - 64_KiB)};
    const auto hidden = [&](std::vector<Signature> found, Recognition seen,
                            const std::optional<DiskIdentity>& noted) {
        return hidden_areas("/dev/sda", std::vector{area(whole, std::move(found), std::move(seen))}, used,
                            noted);
    };
    CHECK(hidden({ext4_at(1080)}, {Outcome::known, ext4}, ext4).empty());
    CHECK(hidden(both, {Outcome::known, ext4}, std::nullopt).empty());
    const auto ambiguous = hidden(both, {Outcome::ambiguous, {}}, std::nullopt);
    REQUIRE(ambiguous.size() == 1);
    CHECK_THAT(ambiguous.front(), contains("/dev/sda has signatures of ext4, linux_raid_member"));
    CHECK_THAT(ambiguous.front(), contains("the image there is ext4"));
    const auto other = hidden(both, {Outcome::known, {"linux_raid_member", "", "", ""}}, ext4);
    REQUIRE(other.size() == 1);
    CHECK_THAT(other.front(), contains("/dev/sda looks like linux_raid_member"));
    // An image that is ambiguous itself, such as that of a hybrid ISO.
    CHECK(hidden({ext4_at(1080), raid_at(4_MiB)}, {Outcome::ambiguous, {}}, std::nullopt).empty());
    // A torrent of parts of a disk is not to say what the rest of it is.
    CHECK(hidden({raid_at(8_MiB - 64_KiB)}, {Outcome::known, {"linux_raid_member", "", "", ""}}, std::nullopt)
              .empty());
    CHECK_THAT(hidden({}, {Outcome::unknown, {}}, ext4).front(),
               contains("nothing is recognized on /dev/sda"));
}

TEST_CASE("signatures: every copy is found on a disk, by its bytes")
{
    Disk disk(80_MiB); // libblkid knows no smaller ZFS than of 64 MiB
    disk.add_swap();
    const std::uint64_t raid = disk.add_raid();
    disk.add_zfs(20);
    const auto found = find_signatures(disk.fd(), {0, disk.size()}, 0);
    REQUIRE(found);
    const auto count = [&](const std::string& type) {
        return std::count_if(found->begin(), found->end(),
                             [&](const Signature& each) { return each.type == type; });
    };
    CHECK(count("swap") == 1);
    CHECK(count("linux_raid_member") == 1);
    CHECK(count("zfs_member") > 16); // libblkid takes fewer than four for none
    CHECK(std::find(found->begin(), found->end(), raid_at(raid)) != found->end());
}

TEST_CASE("signatures: what is found in a part of a disk is told by its place on the disk")
{
    Disk disk(8_MiB);
    const std::uint64_t raid = disk.add_raid();
    const auto found = find_signatures(disk.fd(), {4_MiB, 4_MiB}, 0);
    REQUIRE(found);
    CHECK(*found == std::vector{raid_at(raid)});
}

TEST_CASE("signatures: stale ones are wiped, byte for byte, and the image shows")
{
    Disk disk(80_MiB);
    disk.add_swap();
    const std::uint64_t raid = disk.add_raid();
    disk.add_zfs(20);
    REQUIRE(disk.outcome() != Outcome::unknown);
    REQUIRE(disk.type() != "swap");
    FdTarget target = disk.target();
    const auto cleared =
        clear_signatures(target, image_of({{0, 64_KiB}}), std::nullopt, StaleSignatures::wipe);
    CHECK_FALSE(cleared.failure);
    CHECK(cleared.warnings.empty());
    CHECK(cleared.wiped.size() > 16);
    CHECK(disk.type() == "swap");
    std::array<std::byte, 12> bytes{};
    REQUIRE_FALSE(target.read_at(raid, std::span(bytes)));
    CHECK(std::to_integer<int>(bytes[0]) == 0);
    CHECK(std::to_integer<int>(bytes[8]) == 90); // the rest of the superblock is as it was
}

TEST_CASE("signatures: kept ones are a warning")
{
    Disk disk(8_MiB);
    disk.add_swap();
    disk.add_raid();
    FdTarget target = disk.target();
    const auto cleared =
        clear_signatures(target, image_of({{0, 64_KiB}}), std::nullopt, StaleSignatures::keep);
    CHECK(cleared.wiped.empty());
    REQUIRE(cleared.warnings.size() == 1);
    CHECK_THAT(cleared.warnings.front(), contains("swap"));
    CHECK(disk.type() != "swap");
}

TEST_CASE("signatures: a torrent that leaves out what is known leaves everything as it is")
{
    Disk disk(8_MiB);
    disk.add_raid();
    FdTarget target = disk.target();
    const auto cleared =
        clear_signatures(target, image_of({{1_MiB, 64_KiB}}), std::nullopt, StaleSignatures::wipe);
    CHECK(cleared.wiped.empty());
    CHECK(cleared.warnings.empty());
    CHECK(disk.type() == "linux_raid_member");
}

TEST_CASE("signatures: a logical volume that is on no physical volume of the image is none")
{
    Disk disk(8_MiB);
    disk.add_swap();
    const std::vector<VolumeUse> volumes{{"vg0/root", "swap", 4_MiB, 64_KiB, 4_MiB},
                                         {"vg0/far", "", 4_MiB, 0, 7_MiB},
                                         {"vg0/large", "", ~std::uint64_t{}, 0, 1_MiB}};
    const std::vector<Extent> beginning{{0, 64_KiB}};
    const auto areas = search_areas(disk.fd(), disk.size(), 0, beginning, volumes);
    REQUIRE(areas);
    CHECK(areas->size() == 1);
}

TEST_CASE("signatures: in a directory there are none")
{
    test::FakeTarget target(1_MiB);
    const auto cleared =
        clear_signatures(target, image_of({{0, 64_KiB}}), std::nullopt, StaleSignatures::wipe);
    CHECK(cleared.warnings.empty());
    CHECK(target.calls().empty());
}

} // namespace ezio
