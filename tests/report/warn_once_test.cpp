// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/report/warn_once.hpp"

#include "catch.hpp"
#include "recording_reporter.hpp"

namespace ezio {

TEST_CASE("warnings: each is told once")
{
    test::RecordingReporter reporter;
    WarnOnce warnings(reporter);
    CHECK(warnings.tell("tracker a: no"));
    CHECK_FALSE(warnings.tell("tracker a: no"));
    CHECK(warnings.tell("tracker b: no"));
    CHECK(reporter.take() == std::vector<std::string>{"warning: tracker a: no", "warning: tracker b: no"});
}

TEST_CASE("warnings: after so many it is said that there will be no more, and there are no more")
{
    test::RecordingReporter reporter;
    WarnOnce warnings(reporter);
    for (std::size_t i = 0; i < 2 * WarnOnce::limit; ++i) {
        CHECK(warnings.tell(std::to_string(i)) == (i < WarnOnce::limit));
    }
    const auto told = reporter.take();
    REQUIRE(told.size() == WarnOnce::limit + 1);
    CHECK(told.back() == "warning: further warnings are not shown");
}

} // namespace ezio
