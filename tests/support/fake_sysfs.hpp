// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/target/device_tree.hpp"
#include "temp_dir.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <sys/sysmacros.h>

namespace ezio::test {

// The directories of a machine with the disk 8:0 (sda) and its first partition 8:1, for DeviceDirectories.
struct FakeSysfs {
    TempDir dir;
    DeviceDirectories directories{dir / "sys", dir / "udev"};
    dev_t disk = makedev(8, 0);
    dev_t partition = makedev(8, 1);

    FakeSysfs()
    {
        const std::filesystem::path sda = dir / "sys/devices/sda";
        for (const char* directory : {"sda1", "device", "queue"}) {
            std::filesystem::create_directories(sda / directory);
        }
        std::filesystem::create_directories(dir / "sys/dev/block");
        std::filesystem::create_directories(dir / "udev/data");
        std::filesystem::create_symlink("../../devices/sda", dir / "sys/dev/block/8:0");
        std::filesystem::create_symlink("../../devices/sda/sda1", dir / "sys/dev/block/8:1");
        write("sys/devices/sda/dev", "8:0\n");
        write("sys/devices/sda/sda1/dev", "8:1\n");
        write("sys/devices/sda/sda1/partition", "1\n");
    }

    // `name` is relative, such as "sys/devices/sda/wwid".
    void write(const std::string& name, const std::string& text) const { std::ofstream(dir / name) << text; }
};

} // namespace ezio::test
