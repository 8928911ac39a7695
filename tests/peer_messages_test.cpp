// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peer_messages.hpp"

#include "catch.hpp"

using namespace ezio;
using namespace std::string_literals;

TEST_CASE("peer messages: HAVE")
{
    std::string message = "before";
    put_have(message, 0x01020304);
    CHECK(message == "before\0\0\0\5\4\1\2\3\4"s);
}

TEST_CASE("peer messages: DONT_HAVE, by the peer's number for it")
{
    std::string message;
    put_dont_have(message, 7, 0xfffe);
    CHECK(message == "\0\0\0\6\x14\7\0\0\xff\xfe"s);
    message.clear();
    put_dont_have(message, 255, 0);
    CHECK(message == "\0\0\0\6\x14\xff\0\0\0\0"s);
}

TEST_CASE("peer messages: a nudge is UNCHOKE, twice")
{
    std::string message;
    put_unchoke(message);
    CHECK(message == "\0\0\0\1\1"s);
    std::string nudge;
    put_nudge(nudge);
    CHECK(nudge == message + message);
}
