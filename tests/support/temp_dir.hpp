// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <stdlib.h>
#include <sys/stat.h>

namespace ezio::test {

// A new directory that everybody may use (see Unprivileged), removed with what is in it at the end.
class TempDir {
  public:
    TempDir()
    {
        std::string name = (std::filesystem::temp_directory_path() / "ezio-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr || ::chmod(name.c_str(), 0777) != 0) {
            throw std::runtime_error("no temporary directory");
        }
        m_path = name;
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir()
    {
        std::error_code ignored; // in a test's clean-up there is nobody to tell
        std::filesystem::remove_all(m_path, ignored);
    }

    [[nodiscard]] const std::string& path() const { return m_path; }
    [[nodiscard]] std::string operator/(std::string_view name) const
    {
        return m_path + "/" + std::string(name);
    }

    // The number of files and directories directly in it.
    [[nodiscard]] std::size_t entries() const
    {
        using Iterator = std::filesystem::directory_iterator;
        return static_cast<std::size_t>(std::distance(Iterator(m_path), Iterator()));
    }

  private:
    std::string m_path;
};

inline void write_file(const std::string& path, std::string_view contents)
{
    std::ofstream file(path, std::ios::binary);
    if (!file.write(contents.data(), static_cast<std::streamsize>(contents.size())).flush()) {
        throw std::runtime_error("cannot write " + path);
    }
}

// Makes a file of `size` bytes that takes no space.
inline void make_sparse_file(const std::string& path, std::uint64_t size)
{
    write_file(path, "");
    std::filesystem::resize_file(path, size);
}

[[nodiscard]] inline std::string read_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw std::runtime_error("cannot read " + path);
    }
    std::ostringstream text;
    text
        << file.rdbuf(); // not byte by byte, which takes ThreadSanitizer minutes; files of /proc have no size
    return text.str();
}

} // namespace ezio::test
