// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/file_roles.hpp"

#include "expect_error.hpp"
#include "loop_device.hpp"
#include "temp_dir.hpp"

#include "ezio/util/units.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace ezio {

using test::contains;
using test::refusal_of;
using test::TempDir;

namespace {

// Standard output goes to a file while it lives.
class RedirectedOutput {
  public:
    explicit RedirectedOutput(const std::string& path) : m_saved(::dup(STDOUT_FILENO))
    {
        const Fd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
        REQUIRE(m_saved);
        REQUIRE(::dup2(file.get(), STDOUT_FILENO) == STDOUT_FILENO);
    }
    RedirectedOutput(const RedirectedOutput&) = delete;
    RedirectedOutput& operator=(const RedirectedOutput&) = delete;
    ~RedirectedOutput() { (void)::dup2(m_saved.get(), STDOUT_FILENO); }

  private:
    const Fd m_saved;
};

} // namespace

TEST_CASE("file roles: what is to be read is not replaced, by whatever name it is called")
{
    const TempDir dir;
    const std::string disk = dir / "disk.img";
    test::write_file(disk, "data");
    std::filesystem::create_symlink(disk, dir / "link");
    std::filesystem::create_hard_link(disk, dir / "second");
    for (const std::string& name : {disk, dir / "link", dir / "second", dir / "./disk.img"}) {
        const auto refusal = refusal_of([&] { refuse_replacing(name, {"", dir / "missing", disk}); });
        CHECK(refusal.status == ExitStatus::usage);
        CHECK_THAT(refusal.message, contains("would be replaced"));
    }
    refuse_replacing(dir / "new.torrent", {disk, dir / "missing", dir / "new.img"});
    CHECK(refusal_of([&] { refuse_replacing(dir / "new.img", {dir / "./new.img"}); }).status ==
          ExitStatus::usage); // both are about to be made
}

TEST_CASE("file roles: what is to be read is not overwritten, by whatever name, nor by way of a directory")
{
    const TempDir dir;
    test::write_file(dir / "k.pem", "key");
    std::filesystem::create_hard_link(dir / "k.pem", dir / "second");
    const std::vector<InputFile> inputs{
        {"--ssl-cert", ""}, {"the torrent", dir / "missing"}, {"--ssl-key", dir / "k.pem"}};
    const auto refusal = refusal_of([&] { refuse_overwriting({dir / "new", dir / "second"}, inputs); });
    CHECK(refusal.status == ExitStatus::usage);
    CHECK(refusal.message == "--ssl-key " + (dir / "k.pem") + " would be overwritten by the image, because " +
                                 (dir / "second") + " is the target; name another target");
    refuse_overwriting({dir / "new", dir / "missing", dir.path()}, inputs);
    refuse_overwriting({}, inputs);
}

TEST_CASE("file roles: a loop device is its file, too")
{
    const TempDir dir;
    test::make_sparse_file(dir / "disk", 1_MiB);
    test::make_sparse_file(dir / "other", 1_MiB);
    const auto lower = test::attach(dir / "disk");
    const auto upper = lower ? test::attach(lower->path()) : std::nullopt;
    if (!upper) {
        return;
    }
    CHECK(files_behind(upper->path()) == std::set<FileId>{file_id(upper->path()).value(),
                                                          file_id(lower->path()).value(),
                                                          file_id(dir / "disk").value()});
    CHECK(refusal_of([&] { refuse_replacing(dir / "disk", {upper->path()}); }).status == ExitStatus::usage);
    CHECK(refusal_of([&] {
              refuse_overwriting({upper->path()}, {{"the torrent", dir / "disk"}});
          }).status == ExitStatus::usage);
    refuse_replacing(dir / "other", {upper->path()});
}

TEST_CASE("file roles: in a directory, an image is what is named by offsets")
{
    const TempDir dir;
    const std::string extent = dir / "00000000000000000000000000100000";
    for (const std::string& name : {extent, dir / "torrent.info", dir / "notes.txt"}) {
        test::write_file(name, "");
    }
    auto files = image_files_in(dir.path());
    std::sort(files.begin(), files.end());
    CHECK(files == std::vector<std::string>{extent, dir / "torrent.info"});
    CHECK(image_files_in(dir / "missing").empty());
}

TEST_CASE("file roles: nothing is printed into an image")
{
    const TempDir dir;
    test::write_file(dir / "disk.img", "data");
    std::filesystem::create_hard_link(dir / "disk.img", dir / "second");
    refuse_printing_into({dir / "disk.img"});
    test::Refusal refusal{};
    {
        const RedirectedOutput output(dir / "second");
        refusal = refusal_of([&] { refuse_printing_into({dir / "missing", dir / "disk.img"}); });
    }
    CHECK(refusal.status == ExitStatus::usage);
    CHECK(refusal.message == "the output would go into " + (dir / "disk.img") + "; redirect it elsewhere");
    CHECK(test::read_file(dir / "disk.img") == "data");
}

} // namespace ezio
