// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/verify/image_check.hpp"

#include "catch.hpp"
#include "expect_error.hpp"
#include "fake_target.hpp"
#include "test_image.hpp"

#include "ezio/util/clock.hpp"
#include "ezio/util/units.hpp"

#include <cerrno>

namespace ezio {

using Operation = IoFailure::Operation;
using First = ImageCheck::First;
using Pieces = std::vector<std::uint32_t>;
using test::FakeTarget;

namespace {

// Four pieces of 16 KiB that are all full of 0xff, as FakeTarget is at first.
Image image_of_ones()
{
    Image image = test::image_of({{16_KiB, 64_KiB}});
    const std::vector<std::byte> piece(16_KiB, std::byte{0xff});
    Sha1 sha1;
    sha1.update(piece);
    std::fill(image.hashes.begin(), image.hashes.end(), sha1.finish());
    return image;
}

void run(ImageCheck& check, Wakeup& wakeup)
{
    const auto until = Clock::now() + test::deadline;
    while (!check.advance() && Clock::now() < until) {
        wakeup.wait_for(test::deadline); // it must be woken up for every step
    }
}

} // namespace

TEST_CASE("target check: the pieces that are not the image's are found, and the target is left as it is")
{
    const Image image = image_of_ones();
    FakeTarget target(1_MiB);
    target.bytes()[16_KiB] = std::byte{0};              // the first byte of piece 0
    target.bytes()[16_KiB + 48_KiB - 1] = std::byte{0}; // the last one of piece 2
    Wakeup wakeup;
    ImageCheck check(image, target, First::nothing, wakeup);
    run(check, wakeup);
    CHECK(check.wrong() == Pieces{0, 2});
    CHECK(check.bytes_done() == 64_KiB);
    CHECK(target.calls(Operation::write).empty());
    CHECK(target.calls(Operation::sync).empty());
    CHECK(target.cache_drops() == 0);
}

TEST_CASE("target check: what is found is told once, the wrong apart from the right, in order")
{
    const Image image = image_of_ones();
    FakeTarget target(1_MiB);
    target.bytes()[16_KiB] = target.bytes()[48_KiB] = std::byte{0}; // of pieces 0 and 2
    Wakeup wakeup;
    ImageCheck check(image, target, First::nothing, wakeup);
    run(check, wakeup);
    const auto found = check.take_findings();
    CHECK(found.right == Pieces{1, 3});
    CHECK(found.wrong == Pieces{0, 2});
    CHECK(check.take_findings().right.empty());
    CHECK(check.take_findings().wrong.empty());
    CHECK(check.wrong() == Pieces{0, 2});
}

TEST_CASE("target check: what is found is told while the rest is still to be read")
{
    const Image image = test::image_of({{0, 16_MiB}}); // 1024 pieces, each read by one call
    FakeTarget target(16_MiB);
    target.read_gate.close();
    Wakeup wakeup;
    ImageCheck check(image, target, First::nothing, wakeup);
    CHECK(check.take_findings().wrong.empty());
    target.read_gate.let_through(512);
    std::size_t found = 0;
    CHECK(test::comes_true([&] {
        found += check.take_findings().wrong.size();
        return found > 8;
    }));
    CHECK_FALSE(check.advance());
    target.read_gate.open();
    run(check, wakeup);
    found += check.take_findings().wrong.size();
    CHECK(found == 1024);
}

TEST_CASE("target check: what others have written is synced, then forgotten by the kernel, then read")
{
    const Image image = image_of_ones();
    FakeTarget target(1_MiB);
    target.sync_gate.close();
    Wakeup wakeup;
    ImageCheck check(image, target, First::sync_and_drop_cache, wakeup);
    REQUIRE(target.sync_gate.wait_for_waiting(1));
    CHECK_FALSE(check.advance());
    CHECK(check.bytes_done() == 0);
    CHECK(target.calls(Operation::read).empty());
    CHECK(target.cache_drops() == 0);
    target.sync_gate.open();
    run(check, wakeup);
    CHECK(check.wrong().empty());
    CHECK(target.cache_drops() == 1);
}

TEST_CASE("target check: what was synced already is only forgotten by the kernel")
{
    const Image image = image_of_ones();
    FakeTarget target(1_MiB);
    Wakeup wakeup;
    ImageCheck check(image, target, First::drop_cache, wakeup);
    run(check, wakeup);
    CHECK(check.wrong().empty());
    CHECK(target.calls(Operation::sync).empty());
    CHECK(target.cache_drops() == 1);
}

TEST_CASE("target check: a sync that fails ends it, before anything is read")
{
    const Image image = image_of_ones();
    FakeTarget target(1_MiB);
    target.fail(Operation::sync, 1, EIO);
    Wakeup wakeup;
    ImageCheck check(image, target, First::sync_and_drop_cache, wakeup);
    wakeup.wait_for(test::deadline);
    const auto refusal = test::refusal_of([&] { (void)check.advance(); });
    CHECK(refusal.status == ExitStatus::io);
    CHECK(refusal.message == "/dev/fake: sync failed: Input/output error");
    CHECK(target.calls(Operation::read).empty());
}

TEST_CASE("target check: a target that cannot be read ends it")
{
    const Image image = image_of_ones();
    FakeTarget target(1_MiB);
    target.fail(Operation::read, 1, EIO);
    Wakeup wakeup;
    ImageCheck check(image, target, First::nothing, wakeup);
    const auto refusal = test::refusal_of([&] { run(check, wakeup); });
    CHECK(refusal.status == ExitStatus::io);
    CHECK_THAT(refusal.message, test::contains("Input/output error"));
}

} // namespace ezio
