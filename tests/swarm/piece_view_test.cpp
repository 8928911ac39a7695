// SPDX-License-Identifier: GPL-2.0-or-later
#include "swarm/piece_view.hpp"

#include "catch.hpp"

#include <utility>

namespace ezio {

namespace {

using Told = std::vector<std::pair<std::uint32_t, bool>>;

Told told(PieceView& view, std::size_t most)
{
    Told told;
    for (const PieceView::Change& change : view.next_changes(most)) {
        told.emplace_back(change.piece, change.is_hidden);
    }
    return told;
}

} // namespace

TEST_CASE("piece view: at first all pieces are seen, and there is nothing to tell")
{
    PieceView view(3);
    CHECK_FALSE(view.is_hidden(0));
    CHECK_FALSE(view.is_behind());
    CHECK(told(view, 10).empty());
    CHECK_FALSE(view.is_hidden(3)); // a peer may ask for what there is not
}

TEST_CASE("piece view: what changes for all is told in portions")
{
    PieceView view(5);
    view.set_all(true);
    CHECK(view.is_hidden(4)); // at once
    CHECK(told(view, 2) == Told{{0, true}, {1, true}});
    CHECK(view.is_behind());
    CHECK(told(view, 10) == Told{{2, true}, {3, true}, {4, true}});
    CHECK_FALSE(view.is_behind());
}

TEST_CASE("piece view: what changes for one is told at once, if the peer thinks otherwise")
{
    PieceView view(3);
    CHECK(view.set(1, true));
    CHECK_FALSE(view.set(1, true));
    CHECK(view.set(1, false));
}

TEST_CASE("piece view: what is told at once is not told again, and what was not told needs no taking back")
{
    PieceView view(4);
    view.set_all(true);
    CHECK(told(view, 1) == Told{{0, true}});
    CHECK(view.set(0, false));       // it was told that this is gone
    CHECK_FALSE(view.set(2, false)); // but not that this is
    CHECK(told(view, 10) == Told{{1, true}, {3, true}});
}

TEST_CASE("piece view: all are shown before all are told hidden")
{
    PieceView view(4);
    view.set_all(true);
    CHECK(told(view, 2).size() == 2);
    view.set_all(false);
    CHECK(told(view, 10) == Told{{0, false}, {1, false}});
    CHECK_FALSE(view.is_behind());
}

} // namespace ezio
