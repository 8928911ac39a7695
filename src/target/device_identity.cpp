// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/device_identity.hpp"

#include "ezio/util/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace ezio {

namespace {

// Removes blanks, NULs and other bytes with which firmware fills a field.
std::string without_padding(std::string_view text)
{
    const auto is_blank = [](char c) { return std::isgraph(static_cast<unsigned char>(c)) == 0; };
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return std::string(text);
}

void add(std::vector<std::string>& identities, std::string identity)
{
    if (!identity.empty() && std::find(identities.begin(), identities.end(), identity) == identities.end()) {
        identities.push_back(std::move(identity));
    }
}

// udev's record of the disk, with lines such as "E:ID_SERIAL_SHORT=S3Z8NB0K".
void add_from_udev(const std::filesystem::path& path, std::vector<std::string>& identities)
{
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        for (const std::string_view key : {"E:ID_SERIAL_SHORT=", "E:ID_SERIAL=", "E:ID_WWN="}) {
            if (line.starts_with(key)) {
                add(identities, without_padding(std::string_view(line).substr(key.size())));
            }
        }
    }
}

std::string normal(std::string_view identity)
{
    std::string text = lower_case(without_padding(identity));
    for (const std::string_view prefix : {"naa.", "eui.", "0x"}) {
        if (text.starts_with(prefix)) {
            return text.substr(prefix.size());
        }
    }
    return text;
}

} // namespace

std::vector<std::string> device_identities(dev_t device, const DeviceDirectories& directories)
{
    std::error_code none;
    auto disk = std::filesystem::canonical(sysfs_of(device, directories), none);
    if (none) {
        return {};
    }
    if (std::filesystem::exists(disk / "partition", none)) {
        disk = disk.parent_path();
    }
    std::vector<std::string> identities;
    for (const char* name : {"serial", "device/serial", "wwid", "device/wwid"}) {
        add(identities, without_padding(contents_of(disk / name)));
    }
    constexpr std::size_t page_header = 4; // of SCSI's unit serial number page
    const std::string page = contents_of(disk / "device/vpd_pg80");
    add(identities, without_padding(std::string_view(page).substr(std::min(page_header, page.size()))));
    add_from_udev(fmt::format("{}/data/b{}", directories.udev, without_padding(contents_of(disk / "dev"))),
                  identities);
    return identities;
}

bool is_identity(const std::string& wanted, const std::vector<std::string>& identities)
{
    return std::any_of(identities.begin(), identities.end(),
                       [&](const std::string& identity) { return normal(identity) == normal(wanted); });
}

} // namespace ezio
