// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer/wrong_data.hpp"

#include "catch.hpp"

namespace ezio {

namespace {

constexpr milliseconds second{1000};
const Clock::time_point start{};

} // namespace

TEST_CASE("wrong data: without any there is hope, however long nobody has anything")
{
    WrongData wrong;
    wrong.observe(0, false, start + 1000 * second);
    CHECK_FALSE(wrong.hopeless(start + 2000 * second));
}

TEST_CASE("wrong data: when the source is gone after a wrong piece, waiting is hopeless after a while")
{
    WrongData wrong;
    wrong.given_alone(7, start + 10 * second);
    wrong.observe(0, false, start + 11 * second);
    CHECK_FALSE(wrong.hopeless(start + 11 * second));
    CHECK(wrong.hopeless(start + 10 * second + WrongData::patience) == 7U);
}

TEST_CASE("wrong data: while a connected peer has something that is missing there is hope")
{
    WrongData wrong;
    wrong.given_alone(7, start);
    wrong.observe(0, true, start + 60 * second);
    CHECK_FALSE(wrong.hopeless(start + 61 * second));
    wrong.observe(0, false, start + 70 * second);
    CHECK(wrong.hopeless(start + 70 * second));
}

TEST_CASE("wrong data: a right piece makes up for wrong ones")
{
    WrongData wrong;
    wrong.given_alone(7, start);
    wrong.observe(65536, false, start + second);
    CHECK_FALSE(wrong.hopeless(start + 1000 * second));
}

TEST_CASE("wrong data: pieces that were on their way from the peer that is gone do not make up for it")
{
    WrongData wrong;
    wrong.given_alone(7, start);
    wrong.observe(65536, false, start + second / 2);
    CHECK(wrong.hopeless(start + WrongData::patience) == 7U);
}

TEST_CASE(
    "wrong data: many wrong pieces in a row are hopeless, the same number with a right one between is not")
{
    WrongData wrong;
    const auto reject = [&](unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            wrong.given_alone(i, start);
        }
    };
    reject(WrongData::most_in_a_row - 1);
    CHECK_FALSE(wrong.hopeless(start));
    wrong.observe(65536, true, start);
    reject(WrongData::most_in_a_row - 1);
    CHECK_FALSE(wrong.hopeless(start));
    reject(1);
    CHECK(wrong.hopeless(start) == 0U);
}

} // namespace ezio
