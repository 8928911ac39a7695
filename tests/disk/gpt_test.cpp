// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/gpt.hpp"

#include "catch.hpp"
#include "fake_target.hpp"
#include "test_image.hpp"

#include "ezio/disk/move_gpt.hpp"
#include "ezio/util/byte_order.hpp"
#include "ezio/util/units.hpp"

#include <boost/crc.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace ezio {

using test::contains;

namespace {

using Outcome = GptPlan::Outcome;

// A disk in memory with a GPT of 128 entries that was made for `made_for` sectors of it.
class GptDisk {
  public:
    GptDisk(std::uint64_t sector, std::uint64_t sectors, std::uint64_t made_for)
        : m_sector(sector), m_entry_sectors(16_KiB / sector), m_bytes(sector * sectors)
    {
        add_mbr(made_for);
        const std::uint64_t last = made_for - 1;
        const std::uint64_t copied_entries = last - m_entry_sectors;
        add_partition(0, 2 + m_entry_sectors, 2 + m_entry_sectors + 3);
        add_header(1, last, 2, copied_entries - 1);
        std::copy_n(&m_bytes[2 * sector], 16_KiB, &m_bytes[copied_entries * sector]);
        add_header(last, 1, copied_entries, copied_entries - 1);
    }

    void add_partition(unsigned index, std::uint64_t first, std::uint64_t last)
    {
        const std::uint64_t at = 2 * m_sector + index * 128;
        m_bytes[at] = std::byte{1};
        put(at + 32, first, 8);
        put(at + 40, last, 8);
    }

    // Of the header at `place`, after anything was changed.
    void seal(std::uint64_t place)
    {
        const std::uint64_t at = place * m_sector;
        put(at + 88, crc(number(at + 72, 8) * m_sector, 16_KiB), 4);
        put(at + 16, 0, 4);
        put(at + 16, crc(at, 92), 4);
    }

    void put(std::uint64_t at, std::uint64_t value, unsigned length)
    {
        for (unsigned i = 0; i < length; ++i) {
            m_bytes[at + i] = static_cast<std::byte>(value >> 8 * i);
        }
    }

    [[nodiscard]] std::uint64_t number(std::uint64_t at, unsigned length) const
    {
        std::uint64_t value = 0;
        for (unsigned i = length; i-- > 0;) {
            value = value << 8 | std::to_integer<std::uint64_t>(m_bytes[at + i]);
        }
        return value;
    }
    [[nodiscard]] std::uint64_t crc(std::uint64_t at, std::uint64_t length) const
    {
        boost::crc_32_type sum;
        sum.process_bytes(&m_bytes[at], length);
        return sum.checksum();
    }

    // Whether the header at `place` is right, points there, and reaches up to `last_usable`.
    void check_header(std::uint64_t place, std::uint64_t copy, std::uint64_t entries,
                      std::uint64_t last_usable)
    {
        GptDisk sealed = *this;
        sealed.seal(place);
        CHECK(sealed.m_bytes == m_bytes);
        const std::uint64_t at = place * m_sector;
        CHECK(std::memcmp(&m_bytes[at], "EFI PART", 8) == 0);
        CHECK(number(at + 24, 8) == place);
        CHECK(number(at + 32, 8) == copy);
        CHECK(number(at + 48, 8) == last_usable);
        CHECK(number(at + 72, 8) == entries);
    }

    [[nodiscard]] GptPlan plan() const
    {
        return plan_gpt_move(
            [&](const Extent& extent) {
                return std::optional(std::vector<std::byte>(&m_bytes[extent.offset], &m_bytes[extent.end()]));
            },
            m_bytes.size(), m_sector);
    }

    void apply(const GptPlan& plan)
    {
        for (const GptPlan::Write& write : plan.writes) {
            std::copy(write.bytes.begin(), write.bytes.end(), &m_bytes[write.offset]);
        }
    }

    [[nodiscard]] std::vector<std::byte>& bytes() { return m_bytes; }

  private:
    void add_mbr(std::uint64_t made_for)
    {
        put(446 + 4, 0xee, 1);
        put(446 + 8, 1, 4);
        put(446 + 12, made_for - 1, 4);
        put(510, 0xaa55, 2);
    }
    void add_header(std::uint64_t place, std::uint64_t copy, std::uint64_t entries, std::uint64_t last_usable)
    {
        const std::uint64_t at = place * m_sector;
        std::memcpy(&m_bytes[at], "EFI PART", 8);
        put(at + 8, 0x10000, 4);
        put(at + 12, 92, 4);
        put(at + 24, place, 8);
        put(at + 32, copy, 8);
        put(at + 40, 2 + m_entry_sectors, 8);
        put(at + 48, last_usable, 8);
        put(at + 72, entries, 8);
        put(at + 80, 128, 4);
        put(at + 84, 128, 4);
        seal(place);
    }

    std::uint64_t m_sector;
    std::uint64_t m_entry_sectors;
    std::vector<std::byte> m_bytes;
};

GptDisk small_disk(std::uint64_t sectors = 300)
{
    return {512, sectors, 200};
}

void check_damaged(const GptDisk& disk, const std::string& reason)
{
    const GptPlan plan = disk.plan();
    CHECK(plan.outcome == Outcome::damaged);
    CHECK_THAT(plan.reason, contains(reason));
    CHECK(plan.writes.empty());
}

} // namespace

TEST_CASE("gpt: on a larger disk its copy moves to the end, in sectors of either size")
{
    const auto [sector, entry_sectors] = GENERATE(std::pair<std::uint64_t, std::uint64_t>{512, 32},
                                                  std::pair<std::uint64_t, std::uint64_t>{4096, 4});
    GptDisk disk(sector, 300, 200);
    const GptPlan plan = disk.plan();
    REQUIRE(plan.outcome == Outcome::movable);
    disk.apply(plan);
    const std::uint64_t entries = 299 - entry_sectors;
    disk.check_header(1, 299, 2, entries - 1);
    disk.check_header(299, 1, entries, entries - 1);
    CHECK(std::equal(&disk.bytes()[2 * sector], &disk.bytes()[2 * sector + 16_KiB],
                     &disk.bytes()[entries * sector]));
    CHECK(disk.number(446 + 8, 4) == 1);
    CHECK(disk.number(446 + 12, 4) == 299);
    CHECK(disk.plan().outcome == Outcome::at_the_end);
}

TEST_CASE("gpt: the copy is written before what points at it, the MBR last")
{
    const auto writes = small_disk().plan().writes;
    REQUIRE(writes.size() == 4);
    CHECK(writes[0].offset == (299 - 32) * 512);
    CHECK(writes[1].offset == 299 * 512);
    CHECK(writes[2].offset == 512);
    CHECK(writes[3].offset == 0);
}

TEST_CASE("gpt: a disk that is one sector larger is enough")
{
    GptDisk disk = small_disk(201);
    const GptPlan plan = disk.plan();
    REQUIRE(plan.outcome == Outcome::movable);
    disk.apply(plan);
    disk.check_header(1, 200, 2, 200 - 32 - 1);
    disk.check_header(200, 1, 200 - 32, 200 - 32 - 1);
}

TEST_CASE("gpt: one that ends with the disk stays, and where there is none nothing is done")
{
    CHECK(small_disk(200).plan().outcome == Outcome::at_the_end);
    GptDisk disk = small_disk();
    disk.put(512, 0, 8);
    CHECK(disk.plan().outcome == Outcome::none);
    CHECK(plan_gpt_move([](const Extent&) { return std::nullopt; }, 512 * 300, 512).outcome ==
          Outcome::unreadable);
    CHECK(plan_gpt_move([](const Extent&) { return std::nullopt; }, 512, 512).outcome == Outcome::none);
}

TEST_CASE("gpt: entries that lie elsewhere stay there")
{
    GptDisk disk = small_disk();
    std::copy_n(&disk.bytes()[2 * 512], 16_KiB, &disk.bytes()[40 * 512]);
    disk.put(512 + 72, 40, 8);
    disk.put(512 + 40, 72, 8); // the first that is usable
    disk.put(40 * 512 + 32, 80, 8);
    disk.put(40 * 512 + 40, 90, 8);
    disk.seal(1);
    const GptPlan plan = disk.plan();
    REQUIRE(plan.outcome == Outcome::movable);
    disk.apply(plan);
    disk.check_header(1, 299, 40, 299 - 32 - 1);
}

TEST_CASE("gpt: of a hybrid MBR no entry is changed")
{
    GptDisk disk = small_disk();
    disk.put(446 + 16 + 4, 0x0c, 1);
    const GptPlan plan = disk.plan();
    REQUIRE(plan.outcome == Outcome::movable);
    disk.apply(plan);
    CHECK(disk.number(446 + 12, 4) == 199);
}

TEST_CASE("gpt: more than 2 TiB do not fit the MBR, which then says as much as it can")
{
    GptDisk disk = small_disk();
    const std::uint64_t sectors = 1ULL << 33;
    const auto read = [&](const Extent& extent) {
        return std::optional(
            std::vector<std::byte>(&disk.bytes()[extent.offset], &disk.bytes()[extent.end()]));
    };
    const GptPlan plan = plan_gpt_move(read, sectors * 512, 512);
    REQUIRE(plan.outcome == Outcome::movable);
    CHECK(little_u32(plan.writes[3].bytes, 446 + 12) == 0xffffffff);
    CHECK(plan.writes[1].offset == (sectors - 1) * 512);
}

TEST_CASE("gpt: a damaged one is left alone, with the reason")
{
    GptDisk disk = small_disk();
    SECTION("a byte of the header")
    {
        disk.put(512 + 56, 0x77, 1);
        check_damaged(disk, "checksum of its header");
    }
    SECTION("a byte of the entries")
    {
        disk.put(2 * 512 + 200, 0x77, 1);
        check_damaged(disk, "checksum of its entries");
    }
    SECTION("a header that is longer than its sector")
    {
        disk.put(512 + 12, 513, 4);
        check_damaged(disk, "wrong size");
    }
    SECTION("a header that belongs elsewhere")
    {
        disk.put(512 + 24, 7, 8);
        disk.seal(1);
        check_damaged(disk, "another sector");
    }
    SECTION("entries beyond all measure")
    {
        disk.put(512 + 80, 0xffffffff, 4);
        disk.seal(1);
        check_damaged(disk, "entries have a wrong size");
    }
    SECTION("entries behind the disk")
    {
        disk.put(512 + 72, 290, 8);
        disk.put(512 + 16, 0, 4);
        disk.put(512 + 16, disk.crc(512, 92), 4);
        check_damaged(disk, "not on the disk");
    }
    SECTION("a table for a larger disk")
    {
        disk.put(512 + 32, 300, 8);
        disk.seal(1);
        check_damaged(disk, "larger disk");
    }
    SECTION("a partition that ends before it begins")
    {
        disk.add_partition(1, 60, 59);
        disk.seal(1);
        check_damaged(disk, "a partition");
    }
    SECTION("a partition behind what is usable")
    {
        disk.add_partition(1, 60, 198);
        disk.seal(1);
        check_damaged(disk, "a partition");
    }
    SECTION("no MBR in front of it")
    {
        disk.put(510, 0, 2);
        check_damaged(disk, "MBR");
    }
    SECTION("an MBR that does not protect it")
    {
        disk.put(446 + 4, 0x83, 1);
        check_damaged(disk, "MBR");
    }
}

TEST_CASE("gpt: peers still get the image's bytes where it was replaced")
{
    test::FakeTarget target(64_KiB);
    std::vector<std::byte> before(4_KiB, std::byte{7});
    REQUIRE_FALSE(target.write_at(0, before));
    target.replaced().remember(512, std::vector<std::byte>(512, std::byte{7}));
    const std::vector<std::byte> other(512, std::byte{9});
    REQUIRE_FALSE(target.write_at(512, other));
    std::vector<std::byte> first(700);
    std::vector<std::byte> second(700);
    std::array<iovec, 2> parts{{{first.data(), first.size()}, {second.data(), second.size()}}};
    REQUIRE_FALSE(target.read_at(0, std::span<iovec>(parts)));
    CHECK(first == std::vector<std::byte>(700, std::byte{7}));
    CHECK(second == std::vector<std::byte>(700, std::byte{7}));
    std::vector<std::byte> inside(10);
    REQUIRE_FALSE(target.read_at(600, inside));
    CHECK(inside == std::vector<std::byte>(10, std::byte{7}));
    CHECK(target.bytes()[600] == std::byte{9});
}

TEST_CASE("gpt: where it can be known that there is none, the wish to expand it is refused")
{
    const Image disk = test::image_of({{0, 64_KiB}});
    CHECK(why_no_gpt("/no/such", disk, std::nullopt).empty());
    CHECK(why_no_gpt("/no/such", disk, DiskIdentity{"", "", "gpt", "1"}).empty());
    CHECK_THAT(why_no_gpt("/no/such", disk, DiskIdentity{"", "", "dos", "1"}), contains("dos"));
    CHECK_THAT(why_no_gpt("/no/such", disk, DiskIdentity{"ext4", "1", "", ""}), contains("ext4"));
    CHECK_THAT(why_no_gpt("/", disk, std::nullopt), contains("directory"));
    CHECK_THAT(why_no_gpt("/no/such", test::image_of({{1_MiB, 64_KiB}}), std::nullopt),
               contains("first sectors"));
}

} // namespace ezio
