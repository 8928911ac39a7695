// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/positional_io.hpp"

#include "ezio/util/error.hpp"

#include "catch.hpp"
#include "faults.hpp"
#include "temp_dir.hpp"

#include "ezio/util/fd.hpp"

#include <cerrno>
#include <climits>
#include <numeric>

#include <fcntl.h>

namespace ezio {

using test::Call;
using test::FaultyCalls;
using test::TempDir;

namespace {

Fd open_file(const std::string& path)
{
    return Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

// `text` cut into parts of the given lengths, which must add up.
std::vector<iovec> parts_of(std::string& text, const std::vector<std::size_t>& lengths)
{
    std::vector<iovec> parts;
    std::size_t position = 0;
    for (const std::size_t length : lengths) {
        parts.push_back({text.data() + position, length});
        position += length;
    }
    return parts;
}

int write_text(int fd, std::string text, std::uint64_t offset)
{
    auto parts = parts_of(text, {text.size()});
    return write_fully(fd, parts, offset);
}

std::string alphabet()
{
    std::string text(26, ' ');
    std::iota(text.begin(), text.end(), 'a');
    return text;
}

} // namespace

TEST_CASE("positional I/O: parts are written and read one after the other, empty ones too")
{
    const TempDir dir;
    const Fd fd = open_file(dir / "file");
    std::string text = alphabet();
    auto parts = parts_of(text, {0, 3, 0, 0, 20, 3, 0});
    CHECK(total_bytes(parts) == 26);
    REQUIRE(write_fully(fd.get(), parts, 5) == 0);
    CHECK(test::read_file(dir / "file") == std::string(5, '\0') + alphabet());

    std::string back(20, ' ');
    parts = parts_of(back, {1, 0, 19});
    REQUIRE(read_fully(fd.get(), parts, 8) == 0);
    CHECK(back == alphabet().substr(3, 20));
}

TEST_CASE("positional I/O: nothing at all is done at once")
{
    const FaultyCalls reads(Call::preadv, {{EIO}});
    CHECK(read_fully(-1, {}, 0) == 0);
    std::vector<iovec> empty_parts(3);
    CHECK(read_fully(-1, empty_parts, 0) == 0);
    CHECK(reads.calls() == 0);
}

TEST_CASE("positional I/O: more parts than the kernel takes at once are all transferred")
{
    const TempDir dir;
    const Fd fd = open_file(dir / "file");
    std::string text(2 * IOV_MAX + 1, 'x');
    text.back() = 'y';
    auto parts = parts_of(text, std::vector<std::size_t>(text.size(), 1));
    REQUIRE(write_fully(fd.get(), parts, 0) == 0);
    CHECK(test::read_file(dir / "file") == text);

    std::string back(text.size(), ' ');
    parts = parts_of(back, std::vector<std::size_t>(back.size(), 1));
    REQUIRE(read_fully(fd.get(), parts, 0) == 0);
    CHECK(back == text);
}

TEST_CASE("positional I/O: interrupted and short calls are continued where they stopped")
{
    const TempDir dir;
    const Fd fd = open_file(dir / "file");
    std::string text = alphabet();
    {
        const FaultyCalls writes(Call::pwritev, {{EINTR}, {0, 1}, {0, 9}, {EINTR}, {0, 10}, {0, 1}});
        auto parts = parts_of(text, {10, 10, 6});
        REQUIRE(write_fully(fd.get(), parts, 0) == 0);
        CHECK(writes.calls() == 7);
    }
    CHECK(test::read_file(dir / "file") == alphabet());

    const FaultyCalls reads(Call::preadv, {{0, 12}, {EINTR}, {0, 1}});
    std::string back(26, ' ');
    auto parts = parts_of(back, {10, 10, 6});
    REQUIRE(read_fully(fd.get(), parts, 0) == 0);
    CHECK(back == alphabet());
}

TEST_CASE("positional I/O: an error is returned, also after a part was done")
{
    const TempDir dir;
    const Fd fd = open_file(dir / "file");
    {
        const FaultyCalls writes(Call::pwritev, {{0, 3}, {EIO}});
        CHECK(write_text(fd.get(), alphabet(), 0) == EIO);
    }
    const FaultyCalls reads(Call::preadv, {{0, 1}, {EIO}});
    std::string back(3, ' ');
    auto parts = parts_of(back, {3});
    CHECK(read_fully(fd.get(), parts, 0) == EIO);
}

TEST_CASE("positional I/O: a read beyond the end of the file is a failure of its own kind")
{
    const TempDir dir;
    const Fd fd = open_file(dir / "file");
    REQUIRE(write_text(fd.get(), "abc", 0) == 0);
    std::string back(4, ' ');
    auto parts = parts_of(back, {4});
    CHECK(read_fully(fd.get(), parts, 0) == end_of_file);
    parts = parts_of(back, {4});
    CHECK(read_fully(fd.get(), parts, 3) == end_of_file);
}

TEST_CASE("positional I/O: a write that the kernel takes nothing of does not go on for ever")
{
    const TempDir dir;
    const Fd fd = open_file(dir / "file");
    const FaultyCalls writes(Call::pwritev, {{0, 0}});
    CHECK(write_text(fd.get(), "abc", 0) == ENOSPC);
}

TEST_CASE("positional I/O: a full device is an error")
{
    const Fd full(::open("/dev/full", O_RDWR | O_CLOEXEC));
    REQUIRE(full);
    CHECK(write_text(full.get(), "abc", 0) == ENOSPC);
}

TEST_CASE("positional I/O: a file that may not grow is written as far as it goes, then an error")
{
    const TempDir dir;
    const Fd fd = open_file(dir / "file");
    const test::FileSizeLimit limit(10);
    CHECK(write_text(fd.get(), alphabet(), 0) == EFBIG);
    CHECK(test::read_file(dir / "file") == alphabet().substr(0, 10));
}

TEST_CASE("positional I/O: the front of a list of parts may be cut anywhere")
{
    std::string text = alphabet();
    auto parts = parts_of(text, {10, 0, 10, 6});
    std::span<iovec> rest(parts);
    const auto front = take_front(rest, 13);
    CHECK(total_bytes(front) == 13);
    CHECK(total_bytes(rest) == 13);
    CHECK(front.back().iov_base == text.data() + 10);
    CHECK(rest.front().iov_base == text.data() + 13);

    CHECK(take_front(rest, 0).empty());
    CHECK(total_bytes(take_front(rest, 13)) == 13);
    CHECK(rest.empty());
}

} // namespace ezio
