// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/suggestion.hpp"

#include "catch.hpp"

namespace ezio {

TEST_CASE("suggestion: the distance counts what has to be changed, and a swap of neighbours once")
{
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("fetch", "fetch") == 0);
    CHECK(edit_distance("", "fetch") == 5);
    CHECK(edit_distance("fetch", "") == 5);
    CHECK(edit_distance("fetc", "fetch") == 1);
    CHECK(edit_distance("ffetch", "fetch") == 1);
    CHECK(edit_distance("fatch", "fetch") == 1);
    CHECK(edit_distance("fecth", "fetch") == 1);
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("ab", "ba") == 1);
}

TEST_CASE("suggestion: the nearest word is meant, the first of several")
{
    const std::vector<std::string> words{"--peer", "--tracker", "--max-upload", "--max-download",
                                         "--max-peers"};
    CHECK(nearest("--peers", words) == "--peer");
    CHECK(nearest("--traker", words) == "--tracker");
    CHECK(nearest("--max-uplaod", words) == "--max-upload");
    CHECK(nearest("--max-peer", words) == "--max-peers");
}

TEST_CASE("suggestion: a beginning is completed")
{
    CHECK(nearest("--seed", {"--serial", "--seed-time"}) == "--seed-time");
    CHECK(nearest("ver", {"fetch", "verify"}) == "verify");
    CHECK(nearest("--", {"--peer"}) == std::nullopt); // of all, this says nothing
}

TEST_CASE("suggestion: what is too different is not meant")
{
    CHECK(nearest("destroy", {"fetch", "seed", "create"}) == std::nullopt);
    CHECK(nearest("x", {"fetch"}) == std::nullopt);
    CHECK(nearest("", {"fetch"}) == std::nullopt);
    CHECK(nearest("anything", {}) == std::nullopt);
}

} // namespace ezio
