// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/piece_scan.hpp"

#include "catch.hpp"
#include "temp_dir.hpp"
#include "test_image.hpp"

#include "ezio/units.hpp"

#include <atomic>
#include <cerrno>
#include <functional>
#include <random>
#include <span>

namespace ezio {

namespace {

constexpr std::chrono::seconds deadline{60};

void wait_for_end(const PieceScan& scan, Wakeup& wakeup)
{
    wakeup.wait_for(deadline);
    REQUIRE(scan.finished());
}

std::string random_bytes(std::size_t size)
{
    std::mt19937 random(1);
    std::string bytes(size, '\0');
    for (char& byte : bytes) {
        byte = static_cast<char>(random());
    }
    return bytes;
}

// What the scan must find: the payload put together, then cut into pieces.
std::vector<Sha1Digest> expected_digests(const std::string& device, const std::vector<Extent>& extents,
                                         std::uint64_t piece_length)
{
    std::string payload;
    for (const Extent& extent : extents) {
        payload += device.substr(extent.offset, extent.length);
    }
    std::vector<Sha1Digest> digests;
    for (std::size_t at = 0; at < payload.size(); at += piece_length) {
        Sha1 sha1;
        sha1.update(
            std::as_bytes(std::span(payload).subspan(at, std::min(piece_length, payload.size() - at))));
        digests.push_back(sha1.finish());
    }
    return digests;
}

// A device of zeros that asks `on_read` before each read.
class ZeroTarget : public Target {
  public:
    using OnRead = std::function<std::optional<IoFailure>(std::uint64_t offset)>;

    explicit ZeroTarget(OnRead on_read = {}) : m_on_read(std::move(on_read)) {}

    using Target::read_at;
    using Target::write_at;
    std::optional<IoFailure> read_at(std::uint64_t offset, std::span<iovec>) override
    {
        m_reads.fetch_add(1);
        return m_on_read ? m_on_read(offset) : std::nullopt;
    }
    std::optional<IoFailure> write_at(std::uint64_t, std::span<iovec>) override
    {
        return IoFailure{IoFailure::Operation::write, m_path, 0, 0, EROFS};
    }
    void start_writeback(std::uint64_t, std::uint64_t) override {}
    std::optional<IoFailure> sync() override { return std::nullopt; }
    const std::string& path() const override { return m_path; }

    [[nodiscard]] std::uint64_t reads() const { return m_reads.load(); }

  private:
    const std::string m_path = "zeros";
    const OnRead m_on_read;
    std::atomic<std::uint64_t> m_reads = 0;
};

IoFailure bad_sector(std::uint64_t offset)
{
    return {IoFailure::Operation::read, "zeros", offset, 16_KiB, EIO};
}

} // namespace

TEST_CASE("piece scan: every piece of an image file is hashed, with any number of threads")
{
    const std::vector<Extent> extents{{3_MiB + 1, 700'001}, {0, 16_KiB}, {16_KiB, 5}, {1_MiB, 1'500'000}};
    const std::string device = random_bytes(4_MiB);
    const test::TempDir dir;
    test::write_file(dir / "disk.img", device);
    for (const std::uint64_t piece_length : {16_KiB, 256_KiB, 2_MiB, 16_MiB}) {
        const Image image = test::image_of(extents, piece_length);
        const auto target = open_target(dir / "disk.img", Access::read_only, image);
        for (const unsigned threads : {1U, 2U, 7U}) {
            CAPTURE(piece_length, threads);
            Wakeup wakeup;
            const PieceScan scan(image.map, piece_length, *target, threads, wakeup);
            wait_for_end(scan, wakeup);
            CHECK_FALSE(scan.failure());
            CHECK(scan.bytes_done() == image.map.payload_size());
            CHECK(scan.digests() == expected_digests(device, extents, piece_length));
        }
    }
}

TEST_CASE("piece scan: an image that is shorter than one piece is hashed")
{
    ZeroTarget target;
    Wakeup wakeup;
    const ExtentMap map(std::vector<Extent>{{0, 1}});
    const PieceScan scan(map, 16_MiB, target, 4, wakeup);
    wait_for_end(scan, wakeup);
    CHECK(scan.digests().size() == 1);
    CHECK(to_hex(scan.digests()[0]) == "5ba93c9db0cff93f52b521d7420e43f6eda2784f"); // of one zero byte
}

TEST_CASE("piece scan: the owner is woken up once, at the end")
{
    std::atomic<bool> woken_early = false;
    Wakeup wakeup;
    std::atomic<const PieceScan*> running = nullptr;
    ZeroTarget target([&](std::uint64_t) {
        const PieceScan* scan = running.load();
        woken_early = woken_early || (scan != nullptr && scan->finished());
        return std::nullopt;
    });
    const ExtentMap map(std::vector<Extent>{{0, 4_MiB}});
    const PieceScan scan(map, 16_KiB, target, 3, wakeup);
    running = &scan;
    wait_for_end(scan, wakeup);
    CHECK_FALSE(woken_early);
    CHECK(target.reads() == 256);
}

TEST_CASE("piece scan: an error of the device ends it, and is kept as it was")
{
    ZeroTarget target([](std::uint64_t offset) {
        return offset == 5 * 16_KiB ? std::optional(bad_sector(offset)) : std::nullopt;
    });
    Wakeup wakeup;
    const ExtentMap map(std::vector<Extent>{{0, 1_GiB}});
    const PieceScan scan(map, 16_KiB, target, 1, wakeup);
    wait_for_end(scan, wakeup);
    REQUIRE(scan.failure());
    CHECK(scan.failure()->message() ==
          "zeros: read of 16384 bytes at offset 81920 failed: Input/output error");
    CHECK(scan.bytes_done() == 5 * 16_KiB);
    CHECK(target.reads() == 6);
}

TEST_CASE("piece scan: of the errors of many threads one is kept, and all of them end")
{
    ZeroTarget target([](std::uint64_t offset) { return bad_sector(offset); });
    Wakeup wakeup;
    const ExtentMap map(std::vector<Extent>{{0, 1_GiB}});
    const PieceScan scan(map, 16_KiB, target, 8, wakeup);
    wait_for_end(scan, wakeup);
    REQUIRE(scan.failure());
    CHECK(scan.failure()->error == EIO);
    CHECK(target.reads() <= 8);
}

TEST_CASE("piece scan: a file that became shorter is an error of reading")
{
    const test::TempDir dir;
    test::make_sparse_file(dir / "disk.img", 4_MiB);
    const Image image = test::image_of({{0, 4_MiB}});
    const auto target = open_target(dir / "disk.img", Access::read_only, image);
    std::filesystem::resize_file(dir / "disk.img", 1_MiB);
    Wakeup wakeup;
    const PieceScan scan(image.map, image.piece_length, *target, 2, wakeup);
    wait_for_end(scan, wakeup);
    REQUIRE(scan.failure());
    CHECK_THAT(scan.failure()->message(), test::contains("end of file"));
}

TEST_CASE("piece scan: it can be given up at any time, between pieces and in the middle of one")
{
    constexpr std::uint64_t size = 1ULL << 40; // hours of hashing
    const ExtentMap map(std::vector<Extent>{{0, size}});
    for (const std::uint64_t piece_length : {16_MiB, 1024_GiB}) {
        Wakeup first_read;
        ZeroTarget target([&](std::uint64_t) {
            first_read.notify();
            return std::nullopt;
        });
        Wakeup wakeup;
        {
            const PieceScan scan(map, piece_length, target, 2, wakeup);
            first_read.wait_for(deadline);
            CHECK_FALSE(scan.finished());
        }
        CHECK(target.reads() < size / 1_MiB);
    }
}

TEST_CASE("piece scan: there is at least one thread")
{
    CHECK(scan_threads() >= 1);
}

} // namespace ezio
