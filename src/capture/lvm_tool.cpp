// SPDX-License-Identifier: GPL-2.0-or-later
#include "lvm_tool.hpp"

#include "ezio/process/subprocess.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace ezio {

namespace {

constexpr const char* program_name = "lvm";

bool is_plain(char c)
{
    constexpr std::string_view others = "/_-.:+@=,";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
}

// In the syntax of LVM2's regular expressions.
std::string pattern_of(const std::string& path)
{
    std::string pattern;
    for (const char c : path) {
        const bool is_special = c == '.' || c == '+';
        pattern += is_special ? fmt::format("[{}]", c) : std::string(1, c);
    }
    return pattern;
}

bool says_nothing(std::string_view line)
{
    constexpr std::array<std::string_view, 3> known{"Metadata changes will NOT be backed up",
                                                    "Activation disabled.", "leaked on "};
    return line.empty() || std::any_of(known.begin(), known.end(), [&](std::string_view part) {
               return line.find(part) != std::string_view::npos;
           });
}

} // namespace

bool lvm_is_installed()
{
    return !find_program(program_name).empty();
}

bool lvm_can_name(std::string_view path)
{
    return path.starts_with("/dev/") && std::all_of(path.begin(), path.end(), is_plain);
}

// Disables tests for other uses of the device (components of RAID or multipath), because its use is known.
// Also disables udev and other sources of device lists.
std::string lvm_configuration(const std::vector<std::string>& devices)
{
    std::string accepted;
    for (const std::string& device : devices) {
        accepted += fmt::format("\"a|^{}$|\",", pattern_of(device));
    }
    return fmt::format(
        "config {{ checks=0 }} "
        "devices {{ dir=\"/dev\" scan=[\"/dev\"] filter=[{}\"r|.*|\"] global_filter=[\"a|.*|\"] "
        "use_devicesfile=0 hints=\"none\" obtain_device_list_from_udev=0 "
        "external_device_info_source=\"none\" scan_lvs=1 sysfs_scan=0 "
        "multipath_component_detection=0 md_component_detection=0 "
        "fw_raid_component_detection=0 }} "
        "backup {{ backup=0 archive=0 }} "
        "global {{ use_lvmetad=0 use_lvmlockd=0 use_lvmpolld=0 }}",
        accepted);
}

LvmAnswer ask_lvm(const std::vector<std::string>& devices, std::uint64_t memory,
                  const std::function<void()>& tick)
{
    const std::string program = find_program(program_name);
    if (program.empty()) {
        throw Error(ExitStatus::target, "lvm is not installed (apt install lvm2)");
    }
    const std::vector<std::string> command{
        program,          "pvs", "--segments", "--config",  lvm_configuration(devices), "--readonly",
        "--driverloaded", "n",   "--foreign",  "--shared",  "--reportformat",           "json",
        "--units",        "b",   "--nosuffix", "--options", lvm_report_fields()};
    constexpr std::uint64_t text_share = 8; // of the memory; the parsed report takes five times as much
    constexpr const char* no_configuration = "LVM_SYSTEM_DIR="; // no configuration files
    const ProcessResult result =
        run_process(command, memory / text_share, tick, nothing_given, {no_configuration});
    if (result.status != 0) {
        const std::string reason = lvm_reason_in(result.errors);
        throw Error(ExitStatus::target, fmt::format("lvm pvs ended with status {}{}{}", result.status,
                                                    reason.empty() ? "" : ": ", reason));
    }
    return {parse_lvm_report(result.output), result.errors};
}

std::string lvm_reason_in(std::string_view errors)
{
    std::vector<std::string_view> lines;
    while (!errors.empty()) {
        const std::string_view line = trimmed(take_line(errors));
        if (!says_nothing(line)) {
            lines.push_back(line);
        }
    }
    return last_words(lines);
}

} // namespace ezio
