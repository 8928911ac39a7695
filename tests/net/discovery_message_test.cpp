// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/discovery_message.hpp"

#include "catch.hpp"

#include <random>

namespace ezio {

namespace {

const std::string one = "0123456789abcdef0123456789abcdef01234567";
const std::string two = "fedcba9876543210fedcba9876543210fedcba98";

} // namespace

TEST_CASE("discovery message: it is written as BEP 14 has it")
{
    CHECK(encode({6881, {one}, "c00"}, "239.192.152.143:6771") == "BT-SEARCH * HTTP/1.1\r\n"
                                                                  "Host: 239.192.152.143:6771\r\n"
                                                                  "Port: 6881\r\n"
                                                                  "Infohash: " +
                                                                      one +
                                                                      "\r\n"
                                                                      "cookie: c00\r\n"
                                                                      "\r\n\r\n");
}

TEST_CASE("discovery message: what was written is read")
{
    const DiscoveryMessage message{65535, {one, two}, "name-1"};
    CHECK(parse_discovery_message(encode(message, "[ff15::efc0:988f]:6771")) == message);
}

TEST_CASE("discovery message: case, blanks, unknown headers and bare line feeds do not matter")
{
    const DiscoveryMessage expected{6881, {one}, ""};
    CHECK(parse_discovery_message("BT-SEARCH * HTTP/1.1\nhost: x\nPORT:6881 \nFoo\nBar: baz\n"
                                  "InfoHash:\t0123456789ABCDEF0123456789ABCDEF01234567\n\n") == expected);
    CHECK(parse_discovery_message("BT-SEARCH * HTTP/1.1\r\nPort: 6881\r\nInfohash: " + one) == expected);
}

TEST_CASE("discovery message: what stands behind the empty line does not count")
{
    CHECK_FALSE(
        parse_discovery_message("BT-SEARCH * HTTP/1.1\r\nPort: 6881\r\n\r\nInfohash: " + one + "\r\n"));
}

TEST_CASE("discovery message: without a port, an info-hash or the right first line it is none")
{
    const std::string start = "BT-SEARCH * HTTP/1.1\r\n";
    const std::string hash = "Infohash: " + one + "\r\n";
    for (const std::string& packet :
         {std::string(), std::string("\r\n"), start, start + "Port: 6881\r\n", start + hash,
          start + "Port: 0\r\n" + hash, start + "Port: 65536\r\n" + hash, start + "Port: -1\r\n" + hash,
          start + "Port: 6881x\r\n" + hash, start + "Port: 6881\r\nInfohash: " + one + "0\r\n",
          start + "Port: 6881\r\nInfohash: x" + one.substr(1) + "\r\n",
          "M-SEARCH * HTTP/1.1\r\nPort: 6881\r\n" + hash, " " + start + "Port: 6881\r\n" + hash}) {
        CAPTURE(packet);
        CHECK_FALSE(parse_discovery_message(packet));
    }
}

TEST_CASE("discovery message: any bytes are read without harm")
{
    std::mt19937 random(1);
    const std::string good = encode({6881, {one}, "c"}, "h");
    for (int round = 0; round < 2000; ++round) {
        std::string packet = good.substr(0, random() % (good.size() + 1));
        for (unsigned changes = random() % 8; changes > 0 && !packet.empty(); --changes) {
            packet[random() % packet.size()] = static_cast<char>(random());
        }
        const auto message = parse_discovery_message(packet);
        CHECK((!message || (message->port != 0 && message->info_hashes.at(0).size() == 40)));
    }
}

} // namespace ezio
