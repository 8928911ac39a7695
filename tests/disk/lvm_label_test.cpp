// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/lvm_label.hpp"

#include "catch.hpp"
#include "expect_error.hpp"
#include "temp_dir.hpp"

#include "ezio/util/fd.hpp"
#include "ezio/util/units.hpp"

#include <fcntl.h>

namespace ezio {

using test::TempDir;

namespace {

// A physical volume at 1 MiB of a file, as pvcreate and vgcreate make it.
class Disk {
    static constexpr std::uint64_t begin = 1_MiB;

  public:
    static constexpr Extent area{begin, 64_MiB};
    static constexpr std::uint64_t first_area = 4_KiB;

    explicit Disk(std::uint64_t sector = 1)
    {
        test::make_sparse_file(m_path, 80_MiB);
        const std::uint64_t label = sector * 512;
        put(label, "LABELONE");
        put(label + 20, 32, 4);
        put(label + 24, "LVM2 001");
        put(label + 32, "CX2GdHMqA8DT3o6EvW0PcU0lOUIIs47M");
        put(label + 64, area.length, 8);
        put(label + 72, 1_MiB, 8); // a data area, up to the end
        put_areas(label + 104);
    }

    // A text of this length at `offset` in the metadata area at `at`, 64 KiB long.
    void put_metadata(std::uint64_t at, std::uint64_t offset, std::uint64_t length, std::uint64_t flags = 0)
    {
        put(at + 4, " LVM2 x[5A%r0N*>");
        put(at + 40, offset, 8);
        put(at + 48, length, 8);
        put(at + 60, flags, 4);
    }

    void put(std::uint64_t offset, std::string_view text)
    {
        const Fd fd(::open(m_path.c_str(), O_WRONLY));
        REQUIRE(::pwrite(fd.get(), text.data(), text.size(), static_cast<off_t>(begin + offset)) ==
                static_cast<ssize_t>(text.size()));
    }

    void put(std::uint64_t offset, std::uint64_t number, std::size_t bytes)
    {
        std::string text;
        for (std::size_t i = 0; i < bytes; ++i) {
            text += static_cast<char>(number >> (8 * i));
        }
        put(offset, text);
    }

    [[nodiscard]] std::vector<Extent> areas(const Extent& of = area) const
    {
        return lvm_metadata_areas(Fd(::open(m_path.c_str(), O_RDONLY)).get(), of);
    }
    [[nodiscard]] std::optional<VolumeGroup> group() const
    {
        return volume_group_on(Fd(::open(m_path.c_str(), O_RDONLY)).get(), area);
    }

  private:
    void put_areas(std::uint64_t at)
    {
        put(at, first_area, 8);
        put(at + 8, 64_KiB, 8);
        put(at + 16, 60_MiB, 8);
        put(at + 24, 64_KiB, 8);
    }

    TempDir m_directory;
    std::string m_path = m_directory / "disk";
};

} // namespace

TEST_CASE("lvm label: where metadata is")
{
    const std::vector<Extent> both{{4_KiB, 64_KiB}, {60_MiB, 64_KiB}};
    CHECK(Disk().areas() == both);
    CHECK(Disk(0).areas() == both);
    CHECK(Disk(3).areas() == both);
    CHECK(Disk(4).areas().empty());
    CHECK(Disk().areas({1_MiB, 2_MiB}) == std::vector<Extent>{{4_KiB, 64_KiB}});
    CHECK(Disk().areas({0, 2_MiB}).empty());
    CHECK(Disk().areas({1_MiB, 600}).empty());
    CHECK(Disk().areas({79_MiB, 64_MiB}).empty());
}

TEST_CASE("lvm label: one that leads out of its sector is none")
{
    Disk disk;
    disk.put(512 + 20, 0xffffffff, 4);
    CHECK(disk.areas().empty());
    disk.put(512 + 20, 500, 4);
    CHECK(disk.areas().empty());
}

TEST_CASE("lvm label: the name of the volume group")
{
    Disk disk;
    CHECK_FALSE(disk.group());
    SECTION("in the first area")
    {
        disk.put_metadata(Disk::first_area, 1024, 300);
        disk.put(Disk::first_area + 1024, "vg0 {\nid = \"6Q0z2R-7O73\"\nseqno = 5\n");
        CHECK(disk.group() == VolumeGroup{"vg0", "6Q0z2R7O73"});
    }
    SECTION("in the second, where the first is ignored")
    {
        disk.put_metadata(Disk::first_area, 1024, 300, 1);
        disk.put(Disk::first_area + 1024, "old {\n");
        disk.put_metadata(60_MiB, 512, 300);
        disk.put(60_MiB + 512, "new.1 {\nid = \"a-b\"\n");
        CHECK(disk.group() == VolumeGroup{"new.1", "ab"});
    }
    SECTION("in a text that goes on at the beginning")
    {
        disk.put_metadata(Disk::first_area, 64_KiB - 3, 300);
        disk.put(Disk::first_area + 64_KiB - 3, "abc");
        disk.put(Disk::first_area + 512, "de {\nid = \"a-b\"\n");
        CHECK(disk.group() == VolumeGroup{"abcde", "ab"});
    }
    SECTION("not of what is no metadata")
    {
        disk.put(Disk::first_area + 1024, "vg0 {\nid = \"a\"\n");
        CHECK_FALSE(disk.group());
        disk.put_metadata(Disk::first_area, 64_KiB, 300);
        CHECK_FALSE(disk.group());
        disk.put_metadata(Disk::first_area, 1024, 3);
        CHECK_FALSE(disk.group());
    }
}

} // namespace ezio
