// SPDX-License-Identifier: GPL-2.0-or-later
#include "file_roles.hpp"

#include "ezio/image/extent_map.hpp"
#include "ezio/target/device_tree.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/fd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ezio {

namespace {

// The error message must not be written there either.
void silence(const std::vector<int>& descriptors)
{
    const Fd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    for (const int fd : descriptors) {
        (void)::dup2(nowhere.get(), fd); // it exists
    }
}

bool have_one_in_common(const std::set<FileId>& a, const std::set<FileId>& b)
{
    return std::any_of(a.begin(), a.end(), [&](const FileId& id) { return b.count(id) != 0; });
}

} // namespace

std::set<FileId> files_behind(const std::string& path)
{
    std::set<FileId> files;
    const auto id = file_id(path);
    if (!id) {
        return files;
    }
    files.insert(*id);
    if (id->is_device) {
        for (const Layer& layer : stack_below(id->device).layers) {
            if (layer.loop.below) {
                files.insert(*layer.loop.below);
            }
        }
    }
    return files;
}

std::vector<std::string> image_files_in(const std::string& directory)
{
    std::vector<std::string> files;
    std::error_code none; // its reader reports why it cannot be read
    for (const auto& entry : std::filesystem::directory_iterator(directory, none)) {
        const std::string name = entry.path().filename().string();
        if (parse_extent_name(name) || name == "torrent.info") {
            files.push_back(entry.path().string());
        }
    }
    return files;
}

void refuse_replacing(const std::string& path, const std::vector<std::string>& others, const std::string& by)
{
    const std::set<FileId> files = files_behind(path);
    const std::string real = real_path(path);
    for (const std::string& other : others) {
        const bool same = files.empty() ? real_path(other) == real // neither exists yet
                                        : have_one_in_common(files, files_behind(other));
        if (!other.empty() && same) {
            throw Error(ExitStatus::usage,
                        fmt::format("{} would be replaced by the {}; write that to another file", other, by));
        }
    }
}

void refuse_overwriting(const std::vector<std::string>& written, const std::vector<InputFile>& inputs)
{
    std::map<FileId, std::string> outputs;
    for (const std::string& name : written) {
        for (const FileId& id : files_behind(name)) {
            outputs.emplace(id, name);
        }
    }
    for (const InputFile& input : inputs) {
        for (const FileId& id : files_behind(input.path)) {
            if (const auto output = outputs.find(id); output != outputs.end()) {
                throw Error(ExitStatus::usage, fmt::format("{} {} would be overwritten by the image, because "
                                                           "{} is the target; name another target",
                                                           input.what, input.path, output->second));
            }
        }
    }
}

void refuse_printing_into(const std::vector<std::string>& files)
{
    std::map<FileId, std::vector<int>> printed;
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
        struct stat status {};
        if (::fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode))) {
            printed[file_id(status)].push_back(fd);
        }
    }
    for (const std::string& file : printed.empty() ? std::vector<std::string>() : files) {
        for (const FileId& id : files_behind(file)) {
            if (const auto found = printed.find(id); found != printed.end()) {
                silence(found->second);
                throw Error(ExitStatus::usage,
                            fmt::format("the output would go into {}; redirect it elsewhere", file));
            }
        }
    }
}

} // namespace ezio
