// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/other_disks.hpp"

#include "catch.hpp"
#include "temp_dir.hpp"

#include <filesystem>
#include <fstream>

#include <sys/sysmacros.h>

namespace ezio {

using test::contains;
using test::TempDir;

namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

void write(const fs::path& path, const std::string& text)
{
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
}

// A machine as sysfs and udev show it: devices below devices/, with links to them as the kernel makes them.
class Machine {
    TempDir m_directory;

  public:
    DeviceDirectories directories{m_directory / "sys", m_directory / "udev"};

    // `disk` is empty for a whole disk.
    void add(const std::string& name, unsigned minor_number, const std::string& disk = "")
    {
        const fs::path sys(directories.sysfs);
        const fs::path device = disk.empty() ? sys / "devices" / name : sys / "devices" / disk / name;
        write(device / "dev", "8:" + std::to_string(minor_number) + "\n");
        if (!disk.empty()) {
            write(device / "partition", "1\n");
        }
        fs::create_directories(sys / "class/block");
        fs::create_directories(sys / "dev/block");
        fs::create_symlink(device, sys / "class/block" / name);
        fs::create_symlink(device, sys / "dev/block" / ("8:" + std::to_string(minor_number)));
    }
    void lies_on(const std::string& upper, const std::string& lower)
    {
        const fs::path blocks = fs::path(directories.sysfs) / "class/block";
        write(blocks / upper / "slaves" / lower, "");
        write(blocks / lower / "holders" / upper, "");
    }
    void is_loop_on(const std::string& name, const std::string& backing)
    {
        write(fs::path(directories.sysfs) / "class/block" / name / "loop/backing_file", backing + "\n");
    }
    void note(unsigned minor_number, const std::string& record)
    {
        write(fs::path(directories.udev) / "data" / ("b8:" + std::to_string(minor_number)), record);
    }
    [[nodiscard]] Names unrelated_to(unsigned minor_number) const
    {
        return unrelated_devices(makedev(8, minor_number), directories);
    }
};

} // namespace

TEST_CASE("other disks: a disk's partitions and a partition's disk are none, its siblings are")
{
    Machine machine;
    machine.add("sda", 0);
    machine.add("sda1", 1, "sda");
    machine.add("sda2", 2, "sda");
    machine.add("sdb", 16);
    machine.add("sdb1", 17, "sdb");
    CHECK(machine.unrelated_to(0) == Names{"sdb", "sdb1"});
    CHECK(machine.unrelated_to(1) == Names{"sda2", "sdb", "sdb1"});
}

TEST_CASE("other disks: what lies on the target or under it is none")
{
    Machine machine;
    machine.add("sda", 0);
    machine.add("sda1", 1, "sda");
    machine.add("sdb", 16);
    machine.add("md0", 32);
    machine.add("md0p1", 33, "md0");
    machine.add("dm-0", 48);
    machine.lies_on("md0", "sda1");
    machine.lies_on("md0", "sdb");
    machine.lies_on("dm-0", "md0p1");
    CHECK(machine.unrelated_to(32).empty());
    CHECK(machine.unrelated_to(48).empty());
    CHECK(machine.unrelated_to(1) == Names{"sdb"}); // the other half of the array
}

TEST_CASE("other disks: loop devices share the bytes of what is behind them")
{
    Machine machine;
    machine.add("sda", 0);
    machine.add("loop0", 1);
    machine.add("loop1", 2);
    machine.add("loop2", 3);
    machine.add("loop3", 4);
    machine.is_loop_on("loop0", "/srv/a.img");
    machine.is_loop_on("loop1", "/srv/a.img");
    machine.is_loop_on("loop2", "/dev/loop1");
    machine.is_loop_on("loop3", "/srv/b.img");
    CHECK(machine.unrelated_to(1) == Names{"loop3", "sda"});
    CHECK(machine.unrelated_to(3) == Names{"loop3", "sda"});
    CHECK(machine.unrelated_to(0) == Names{"loop0", "loop1", "loop2", "loop3"});
}

TEST_CASE("other disks: udev's records say what is on them, without a look at any")
{
    Machine machine;
    machine.add("sda", 0);
    machine.add("sdb", 16);
    machine.add("sdb1", 17, "sdb");
    machine.note(16, "I:1\nE:ID_PART_TABLE_UUID=2c-3d\nE:ID_FS_TYPE=ext4\n");
    machine.note(17, "E:ID_FS_UUID=0a-1b\nE:ID_PART_ENTRY_UUID=4e-5f\nE:ID_FS_UUID_ENC=0a-1b\n");
    OtherDisks others(makedev(8, 0), machine.directories);
    const auto found = others.look(milliseconds(0));
    CHECK(found.unanswered.empty());
    CHECK(found.disks ==
          std::vector<DiskUuids>{{"/dev/sdb", {{"partition table", "2c-3d"}}},
                                 {"/dev/sdb1", {{"file system", "0a-1b"}, {"partition", "4e-5f"}}}});
}

TEST_CASE("other disks: those with a UUID of the target's are named, with the UUID")
{
    const DiskUuids own{"/dev/sda", {{"file system", "0a-1b"}, {"partition table", "2c-3d"}}};
    const std::vector<DiskUuids> others{{"/dev/sdb", {{"partition table", "9"}}},
                                        {"/dev/sdb1", {{"partition", "0a-1b"}}},
                                        {"/dev/sdc", {{"partition", "7"}, {"partition table", "2c-3d"}}},
                                        {"/dev/sdc1", {{"file system", "0a-1b"}}},
                                        {"/dev/sdd", {}}};
    CHECK_FALSE(describe_twins(own, std::span(others).first(2))); // of another kind is not the same
    CHECK_FALSE(describe_twins({"/dev/sda", {}}, others));
    const auto sentence = describe_twins(own, others);
    REQUIRE(sentence);
    CHECK_THAT(*sentence, contains("/dev/sda now has the same UUIDs as /dev/sdc (partition table 2c-3d) and "
                                   "/dev/sdc1 (file system 0a-1b):"));
}

TEST_CASE("other disks: udev's records tell of physical volumes, and of groups that are active")
{
    const DiskUuids physical = uuids_in_record("/dev/sdb1", "E:ID_FS_UUID=0a-1b\nE:ID_FS_TYPE=LVM2_member\n");
    CHECK(physical == DiskUuids{"/dev/sdb1", {{"physical volume", "0a-1b"}}});
    const std::string group(32, 'a');
    const DiskUuids volume = uuids_in_record("/dev/dm-0", "E:DM_VG_NAME=vg0\nE:DM_UUID=LVM-" + group +
                                                              std::string(32, 'b') + "\nE:ID_FS_TYPE=ext4\n");
    CHECK(volume == DiskUuids{"/dev/dm-0", {}, {{"vg0", group}}});
    CHECK(uuids_in_record("/dev/dm-1", "E:DM_UUID=CRYPT-LUKS2-1\n").groups.empty());
}

TEST_CASE("other disks: a volume group with the name of another one is named, with the remedy")
{
    const DiskUuids own{"/dev/sda", {}, {{"vg0", "6Q0z2R7O73PpcREhAhkRTlYWEqmxVpEL"}}};
    const std::vector<DiskUuids> others{{"/dev/sdb", {}, {{"vg1", "x"}}},
                                        {"/dev/sdc", {}, {{"vg0", "6Q0z2R7O73PpcREhAhkRTlYWEqmxVpEL"}}},
                                        {"/dev/sdd", {}, {{"vg0", "y"}}}};
    CHECK_FALSE(describe_same_names(own, std::span(others).first(2))); // it may have several disks
    const auto sentence = describe_same_names(own, others);
    REQUIRE(sentence);
    CHECK_THAT(*sentence, contains("the volume group vg0 on /dev/sda has the same name as one on /dev/sdd"));
    CHECK_THAT(*sentence, contains("vgrename 6Q0z2R-7O73-PpcR-EhAh-kRTl-YWEq-mxVpEL NAME"));
}

} // namespace ezio
