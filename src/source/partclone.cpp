// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/partclone.hpp"

#include "ezio/process/subprocess.hpp"
#include "ezio/source/disk_layout.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/text.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace ezio {

namespace {

// libblkid's names and partclone's.
constexpr std::array<std::pair<std::string_view, std::string_view>, 20> known{{
    {"apfs", "apfs"},     {"btrfs", "btrfs"},     {"exfat", "exfat"},     {"ext2", "ext2"},
    {"ext3", "ext3"},     {"ext4", "ext4"},       {"ext4dev", "ext4dev"}, {"f2fs", "f2fs"},
    {"hfs", "hfsplus"},   {"hfsplus", "hfsplus"}, {"jfs", "jfs"},         {"minix", "minix"},
    {"nilfs2", "nilfs2"}, {"ntfs", "ntfs"},       {"reiser4", "reiser4"}, {"reiserfs", "reiserfs"},
    {"ufs", "ufs"},       {"vfat", "vfat"},       {"VMFS", "vmfs"},       {"xfs", "xfs"},
}};

bool is_not_in_debian(std::string_view type)
{
    constexpr std::array<std::string_view, 5> missing{"VMFS", "jfs", "nilfs2", "reiserfs", "ufs"};
    return std::find(missing.begin(), missing.end(), type) != missing.end();
}

Error refused(const PartcloneRequest& request, const std::string& why)
{
    return {ExitStatus::target,
            fmt::format("the used blocks of {} ({}) cannot be found: {}", request.path, request.type, why)};
}

const std::string given_path = fmt::format("/proc/self/fd/{}", given_descriptor);

void replace_all(std::string& text, const std::string& from, const std::string& to)
{
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

bool is_chatter(std::string_view line)
{
    constexpr std::array<std::string_view, 5> beginnings{"Partclone v", "Starting to ", "Partclone fail",
                                                         "You are not logged ", "error exit"};
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](auto begin) { return line.starts_with(begin); });
}

// Removes the progress display in front of a message on the same line: "Elapsed: 00:00:01, Remaining:
// 00:01:39, Completed:   1.00%extfsclone.c: bitmap error at 0 group."
std::string_view without_progress(std::string_view line)
{
    constexpr std::array<std::string_view, 2> beginnings{"Elapsed: ", "current block: "};
    if (std::none_of(beginnings.begin(), beginnings.end(),
                     [&](auto begin) { return line.starts_with(begin); })) {
        return line;
    }
    const std::size_t percent = line.find('%');
    line.remove_prefix(percent == std::string_view::npos ? line.size() : percent + 1);
    return line.starts_with(", ") ? std::string_view() : trimmed(line); // it ends with a rate
}

// The lines that are neither chatter nor progress.
std::vector<std::string_view> lines_in(std::string_view errors)
{
    constexpr std::string_view before_what_it_found = "Calculating bitmap... Please wait...";
    std::vector<std::string_view> lines;
    while (!errors.empty()) {
        const std::size_t length = std::min(errors.find_first_of("\n\r"), errors.size());
        std::string_view line = trimmed(errors.substr(0, length));
        errors.remove_prefix(std::min(length + 1, errors.size()));
        if (line.starts_with(before_what_it_found)) {
            line = trimmed(line.substr(before_what_it_found.size()));
        }
        line = without_progress(line);
        line = line.substr(0, line.find("Partclone fail, please check")); // it may follow another message
        const bool is_text = std::all_of(line.begin(), line.end(), [](unsigned char c) { return c >= ' '; });
        if (!line.empty() && is_text && !is_chatter(line)) { // a line that is not text is a progress line
            lines.push_back(line);
        }
    }
    return lines;
}

// Its error messages begin with the name of a source file, or with the word "error".
bool is_complaint(std::string_view line)
{
    const auto has = [&](std::string_view part) { return line.find(part) != std::string_view::npos; };
    const bool is_of_mounting =
        has("is mounted at") || has("f2fs_dev_is_umounted") || has("times without being checked");
    return !is_of_mounting &&
           (has(".c:") || has(".c(") || has(".c,") || has("ERROR") || has("not unmounted cleanly") ||
            line.starts_with("Error") || line.starts_with("Invalid"));
}

} // namespace

std::string partclone_program(std::string_view type)
{
    for (const auto& [blkid_name, partclone_name] : known) {
        if (blkid_name == type) {
            return fmt::format("partclone.{}", partclone_name);
        }
    }
    return {};
}

bool lacks_program_for(std::string_view type, const std::function<bool(const std::string&)>& is_installed)
{
    const auto is_there = [&](const auto& each) { return is_installed(partclone_program(each.first)); };
    return !is_installed(partclone_program(type)) &&
           (is_not_in_debian(type) || std::any_of(known.begin(), known.end(), is_there));
}

DdrescueMap used_blocks(const PartcloneRequest& request, const std::function<void()>& tick)
{
    const std::string name = partclone_program(request.type);
    const std::string program = find_program(name);
    if (program.empty()) {
        throw refused(request,
                      is_not_in_debian(request.type)
                          ? fmt::format("{} is not installed, and Debian's partclone does not include it; "
                                        "take every byte with --all",
                                        name)
                          : fmt::format("{} is not installed; install it (apt install partclone), or take "
                                        "every byte with --all",
                                        name));
    }
    // The map goes to standard output: no temporary file, no full /tmp.
    // "-f 0": at the end partclone waits until its progress display wakes up, which would otherwise take 2 s.
    // With "-q" nothing is displayed anyway.
    std::vector<std::string> command{program,     "-q", "-D", "-f", "0",       "-L",
                                     "/dev/null", "-o", "-",  "-s", given_path};
    // Otherwise an ext that was mounted many times since its last check is refused; whether it is clean was
    // already checked.
    if (request.force || request.mounted || request.type.starts_with("ext")) {
        command.emplace_back("-F");
    }
    ProcessResult result = run_process(command, request.memory, tick, request.fd);
    replace_all(result.errors, given_path, request.path);
    if (result.status != 0) {
        const std::string reason = reason_in(result.errors);
        throw refused(request,
                      fmt::format("{} ended with status {}{}{}; have it checked, or take every byte with "
                                  "--all",
                                  name, result.status, reason.empty() ? "" : ": ", reason));
    }
    DdrescueMap map;
    try {
        map = parse_ddrescue_map(result.output, "the map of " + name);
    } catch (const Error& error) {
        const std::string reason = reason_in(result.errors);
        throw refused(request, error.what() + (reason.empty() ? "" : "; it said: " + reason));
    }
    if (const std::string flaw = flaw_of(map, request.size); !flaw.empty()) {
        throw refused(request, fmt::format("{} wrote a map that {}", name, flaw));
    }
    if (const std::string complaint = complaint_in(result.errors); !complaint.empty() && !request.force) {
        throw refused(request, fmt::format("{} says: {}; have it checked, or use --force", name, complaint));
    }
    return map;
}

std::string partclone_version(const std::string& type, const std::function<void()>& tick)
{
    const std::string program = find_program(partclone_program(type));
    if (program.empty()) {
        return "unknown"; // used_blocks refuses it
    }
    const ProcessResult result = run_process({program, "-v"}, 64_KiB, tick);
    const std::string text = result.output + result.errors; // "Partclone : v0.3.23 (cff7...) "
    const std::size_t begin = text.find(" v");
    if (begin == std::string::npos) {
        return "unknown";
    }
    const std::string version = text.substr(begin + 2);
    return version.substr(0, version.find_first_not_of("0123456789."));
}

bool counts_in_64_bits(const std::string& version)
{
    constexpr std::array<unsigned, 3> first{0, 3, 40};
    std::array<unsigned, 3> numbers{};
    std::string_view rest = version;
    for (unsigned& number : numbers) {
        const std::size_t length = std::min(rest.find('.'), rest.size());
        const auto parsed = parse_number<unsigned>(rest.substr(0, length), 10);
        if (!parsed) {
            return false;
        }
        number = *parsed;
        rest.remove_prefix(std::min(length + 1, rest.size()));
    }
    return numbers >= first;
}

std::vector<Extent> carried_blocks(const DdrescueMap& map)
{
    auto extents = map.used;
    extents.push_back(tail_of(map.end));
    return united(std::move(extents));
}

std::string flaw_of(const DdrescueMap& map, std::uint64_t device_size)
{
    if (map.has_gaps || map.end != map.position) {
        return "is not complete";
    }
    if (map.used.empty()) {
        return "has no used blocks";
    }
    if (map.end > device_size) {
        return fmt::format("ends at {} bytes, beyond the device, which has {} bytes", map.end, device_size);
    }
    return {};
}

std::string reason_in(std::string_view errors)
{
    return last_words(lines_in(errors));
}

std::string complaint_in(std::string_view errors)
{
    const auto lines = lines_in(errors);
    const auto found = std::find_if(lines.begin(), lines.end(), is_complaint);
    return found != lines.end() ? std::string(*found) : "";
}

} // namespace ezio
