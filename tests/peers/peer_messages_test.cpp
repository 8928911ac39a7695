// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peers/peer_messages.hpp"

#include "catch.hpp"

namespace ezio {

using namespace std::string_literals;

TEST_CASE("peer messages: they are as the protocol has them, one behind the other")
{
    std::string message;
    put_unchoke(message);
    CHECK(message == "\0\0\0\1\1"s);
    put_have(message, 0x01020304);
    CHECK(message == "\0\0\0\1\1\0\0\0\5\4\1\2\3\4"s);
}

TEST_CASE("peer messages: a block is asked for")
{
    std::string message;
    put_request(message, 7, 0x8000, 0x4000);
    CHECK(message == "\0\0\0\15\6\0\0\0\7\0\0\x80\0\0\0\x40\0"s);
}

TEST_CASE("peer messages: a block is rejected as it was asked for")
{
    std::string message;
    put_reject(message, 7, 0x8000, 0x4000);
    CHECK(message == "\0\0\0\15\20\0\0\0\7\0\0\x80\0\0\0\x40\0"s);
}

TEST_CASE("peer messages: a block comes with its place")
{
    std::string message;
    put_piece(message, 7, 0x8000, "abc");
    CHECK(message == "\0\0\0\14\7\0\0\0\7\0\0\x80\0"
                     "abc"s);
}

TEST_CASE("peer messages: those of extensions have the receiver's number")
{
    std::string message;
    put_dont_have(message, 9, 0xfffefdfc);
    CHECK(message == "\0\0\0\6\24\11\xff\xfe\xfd\xfc"s);
    message.clear();
    put_extended(message, 3, "d1:xi1ee");
    CHECK(message == "\0\0\0\12\24\3d1:xi1ee"s);
}

} // namespace ezio
