// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "temp_dir.hpp"
#include "test_image.hpp"

#include <filesystem>
#include <string>

namespace ezio::test {

// Three extents; the second continues the first.
[[nodiscard]] inline Image three_extents()
{
    return image_of({{4096, 10}, {4106, 6}, {0, 3}});
}

// What `partclone -T` writes for them.
inline void fill_directory(const std::string& directory)
{
    std::filesystem::create_directories(directory);
    write_file(directory + "/" + extent_name(4096), "0123456789");
    write_file(directory + "/" + extent_name(4106), "abcdef");
    write_file(directory + "/" + extent_name(0), "xyz");
}

} // namespace ezio::test
