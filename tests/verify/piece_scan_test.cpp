// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/verify/piece_scan.hpp"

#include "catch.hpp"
#include "fake_target.hpp"
#include "faults.hpp"
#include "temp_dir.hpp"
#include "test_image.hpp"

#include "ezio/util/units.hpp"

#include <cerrno>
#include <memory>
#include <new>
#include <random>
#include <span>

namespace ezio {

using test::Call;
using test::FakeTarget;
using test::Fault;
using test::FaultyCalls;

namespace {

constexpr std::chrono::seconds deadline{60};

// The owner is woken up when the scan has ended, not before, and once.
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

// An image file of zeros, however large, which takes no space.
struct Zeros {
    explicit Zeros(std::uint64_t size, std::uint64_t piece_length = 16_KiB)
        : image(test::image_of({{0, size}}, piece_length))
    {
        test::make_sparse_file(dir / "disk.img", size);
        target = open_target(dir / "disk.img", Access::read_only, image);
    }

    test::TempDir dir;
    Image image;
    std::unique_ptr<Target> target;
};

constexpr Fault works{0, 1 << 30};

// What reads and nothing else, of a disk in memory.
class ReadOnly : public Target {
  public:
    explicit ReadOnly(FakeTarget& disk) : m_disk(disk) {}

    std::optional<IoFailure> do_read_at(std::uint64_t offset, std::span<iovec> parts) override
    {
        return m_disk.read_at(offset, parts);
    }
    std::optional<IoFailure> do_write_at(std::uint64_t, std::span<iovec>) override { return {}; }
    std::optional<IoFailure> do_write_behind(const Extent&, std::uint64_t) override { return {}; }
    std::optional<IoFailure> do_sync() override { return {}; }
    void do_drop_cache() override {}
    bool is_rotational() const override { return false; }
    const std::string& path() const override { return m_disk.path(); }

  private:
    FakeTarget& m_disk;
};

class Rotating : public ReadOnly {
  public:
    using ReadOnly::ReadOnly;
    bool is_rotational() const override { return true; }
};

class Throwing : public ReadOnly {
  public:
    using ReadOnly::ReadOnly;
    using Target::read_at;
    std::optional<IoFailure> do_read_at(std::uint64_t, std::span<iovec>) override { throw std::bad_alloc(); }
};

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
    const Zeros zeros(1, 16_MiB);
    Wakeup wakeup;
    const PieceScan scan(zeros.image.map, 16_MiB, *zeros.target, 4, wakeup);
    wait_for_end(scan, wakeup);
    REQUIRE(scan.digests().size() == 1);
    CHECK(to_hex(scan.digests()[0]) == "5ba93c9db0cff93f52b521d7420e43f6eda2784f"); // of one zero byte
}

TEST_CASE("piece scan: an error of the device ends it, and is kept as it was")
{
    const Zeros zeros(1_GiB);
    const FaultyCalls reads(Call::preadv, {works, works, works, works, works, {EIO}});
    Wakeup wakeup;
    const PieceScan scan(zeros.image.map, 16_KiB, *zeros.target, 1, wakeup);
    wait_for_end(scan, wakeup);
    REQUIRE(scan.failure());
    CHECK(scan.failure()->message() ==
          (zeros.dir / "disk.img") + ": read of 16384 bytes at offset 81920 failed: Input/output error");
    CHECK(scan.bytes_done() == 5 * 16_KiB);
    CHECK(reads.calls() == 6);
}

TEST_CASE("piece scan: of the errors of many threads one is kept, and all of them end")
{
    const Zeros zeros(1_GiB);
    const FaultyCalls reads(Call::preadv, std::vector<Fault>(8, Fault{EIO}));
    Wakeup wakeup;
    const PieceScan scan(zeros.image.map, 16_KiB, *zeros.target, 8, wakeup);
    wait_for_end(scan, wakeup);
    REQUIRE(scan.failure());
    CHECK(scan.failure()->error == EIO);
    CHECK(reads.calls() <= 8); // none of them went on
}

TEST_CASE("piece scan: a file that became shorter is an error of reading")
{
    const Zeros zeros(4_MiB);
    std::filesystem::resize_file(zeros.dir / "disk.img", 1_MiB);
    Wakeup wakeup;
    const PieceScan scan(zeros.image.map, 16_KiB, *zeros.target, 2, wakeup);
    wait_for_end(scan, wakeup);
    REQUIRE(scan.failure());
    CHECK_THAT(scan.failure()->message(), test::contains("end of file"));
}

TEST_CASE("piece scan: it can be given up at any time, between pieces and in the middle of one")
{
    constexpr std::uint64_t size = 64_GiB; // minutes of hashing
    for (const std::uint64_t piece_length : {std::uint64_t{1_MiB}, size}) {
        const Zeros zeros(size, piece_length);
        const FaultyCalls reads(Call::preadv, {});
        Wakeup wakeup;
        {
            const PieceScan scan(zeros.image.map, piece_length, *zeros.target, 2, wakeup);
            const auto start = std::chrono::steady_clock::now();
            while (scan.bytes_done() == 0 && std::chrono::steady_clock::now() - start < deadline) {
                std::this_thread::yield();
            }
            CHECK_FALSE(scan.finished());
        }
        CHECK(reads.calls() > 0);
        CHECK(reads.calls() < size / 1_MiB);
    }
}

TEST_CASE("piece scan: there is at least one thread, and on a rotating disk no other")
{
    const Zeros zeros(16_KiB);
    CHECK(scan_threads(*zeros.target) >= 1);
    FakeTarget disk(16_KiB);
    CHECK(scan_threads(Rotating(disk)) == 1);
}

TEST_CASE("piece scan: the order on the device is told where it is another than the payload's")
{
    CHECK(device_order(ExtentMap({{0, 40_KiB}, {64_KiB, 8_KiB}}), 16_KiB).empty());
    const ExtentMap map({{64_KiB, 32_KiB}, {0, 16_KiB}, {128_KiB, 16_KiB}});
    CHECK(device_order(map, 16_KiB) == std::vector<std::uint32_t>{2, 0, 1, 3});
}

TEST_CASE("piece scan: a rotating disk is read from one end to the other, whatever the payload's order")
{
    const Image image = test::image_of({{64_KiB, 32_KiB}, {0, 16_KiB}, {128_KiB, 16_KiB}});
    FakeTarget disk(1_MiB);
    Rotating rotating(disk);
    Wakeup wakeup;
    const PieceScan scan(image.map, 16_KiB, rotating, scan_threads(rotating), wakeup);
    wait_for_end(scan, wakeup);
    std::vector<std::uint64_t> offsets;
    for (const auto& call : disk.calls(IoFailure::Operation::read)) {
        offsets.push_back(call.offset);
    }
    CHECK(offsets == std::vector<std::uint64_t>{0, 64_KiB, 80_KiB, 128_KiB});
    CHECK(scan.digests() == std::vector<Sha1Digest>(4, scan.digests()[0])); // all is full of 0xff
}

TEST_CASE("piece scan: what a thread throws is its owner's")
{
    const Image image = test::image_of({{0, 64_KiB}});
    FakeTarget disk(1_MiB);
    Throwing throwing(disk);
    Wakeup wakeup;
    const PieceScan scan(image.map, 16_KiB, throwing, 2, wakeup);
    wait_for_end(scan, wakeup);
    CHECK_THROWS_AS(scan.failure(), std::bad_alloc);
}

TEST_CASE("piece scan: padding is hashed as zeros, whatever was read before it")
{
    const test::TempDir dir;
    const std::vector<Extent> extents{{4096, 150'000}, {200'000, 30'000}};
    const std::vector<Extent> padding{{150'000, 40'000}, {220'000, 9'000}};
    const std::string device = random_bytes(300'000);
    test::write_file(dir / "disk.img", device);
    const std::string payload = device.substr(4096, 150'000) + std::string(40'000, '\0') +
                                device.substr(200'000, 30'000) + std::string(9'000, '\0');
    Image image = test::image_of(extents);
    image.map = ExtentMap(extents, padding);
    const auto target = open_target(dir / "disk.img", Access::read_only, image);
    Wakeup wakeup;
    const PieceScan scan(image.map, 16_KiB, *target, 1, wakeup);
    wait_for_end(scan, wakeup);
    CHECK(scan.digests() == expected_digests(payload, {{0, payload.size()}}, 16_KiB));
}

} // namespace ezio
