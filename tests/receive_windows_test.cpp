// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/receive_windows.hpp"

#include "catch.hpp"
#include "ezio/fd.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

using namespace ezio;

namespace {

struct Connection { // over loopback
    Fd listener{::socket(AF_INET, SOCK_STREAM, 0)};
    Fd near{::socket(AF_INET, SOCK_STREAM, 0)};
    Fd far;

    Connection()
    {
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const where = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(::bind(listener.get(), where, size) == 0);
        REQUIRE(::listen(listener.get(), 1) == 0);
        REQUIRE(::getsockname(listener.get(), where, &size) == 0);
        REQUIRE(::connect(near.get(), where, size) == 0);
        far = Fd(::accept(listener.get(), nullptr, nullptr));
        REQUIRE(far.get() >= 0);
    }
};

int receive_buffer(const Fd& fd)
{
    int bytes = 0;
    socklen_t size = sizeof bytes;
    REQUIRE(::getsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &bytes, &size) == 0);
    return bytes;
}

TEST_CASE("receive windows: the kernel chooses them for a few connections")
{
    CHECK_FALSE(receive_buffer_for(0));
    CHECK_FALSE(receive_buffer_for(5));

    const Connection connection;
    const int before = receive_buffer(connection.near);
    ReceiveWindows windows;
    windows.adapt(1);
    CHECK(receive_buffer(connection.near) == before);
}

TEST_CASE("receive windows: many connections share what a switch port can queue, and each gets a few segments")
{
    CHECK(receive_buffer_for(16) == 32 * 1024);
    CHECK(receive_buffer_for(8) == 64 * 1024);
    CHECK(receive_buffer_for(1000) == 32 * 1024);
    CHECK(receive_buffer_for(SIZE_MAX) == 32 * 1024);
}

TEST_CASE("receive windows: connections with the LAN are changed, and given more when others have gone")
{
    const Connection connection;
    ReceiveWindows windows;
    windows.adapt(32);
    CHECK(receive_buffer(connection.near) == 2 * 32 * 1024); // the kernel doubles it, for its own use
    CHECK(receive_buffer(connection.far) == 2 * 32 * 1024);
    const int listening = receive_buffer(connection.listener);
    windows.adapt(1);
    CHECK(receive_buffer(connection.near) > 2 * 64 * 1024);
    CHECK(receive_buffer(connection.listener) == listening);
}

} // namespace
