// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "catch.hpp"
#include "deadline.hpp"

#include "ezio/image/image.hpp"
#include "ezio/peers/peer_messages.hpp"
#include "ezio/util/byte_order.hpp"
#include "ezio/util/fd.hpp"

#include <cerrno>
#include <cstdint>
#include <span>
#include <string>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

namespace ezio::test {

struct PeerMessage {
    int kind = -1; // -1: the other end has hung up
    std::string payload;

    [[nodiscard]] std::uint32_t number(std::size_t at) const
    {
        return static_cast<std::uint32_t>(big_u32(std::as_bytes(std::span(payload)), at));
    }
};

// A peer that has everything, as far as a test plays it: on a socket to 127.0.0.1.
class PeerSocket {
  public:
    explicit PeerSocket(std::uint16_t port) : m_socket(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        const timeval patience{deadline.count(), 0};
        REQUIRE(setsockopt(m_socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
        REQUIRE(setsockopt(m_socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(connect(m_socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }

    // With extensions (BEP 10) and rejections (BEP 6); `extensions` is bencoded. Each peer of a
    // session has another name.
    void introduce(const Sha1Digest& info_hash, const std::string& extensions, char name = 'a')
    {
        std::string hello =
            "\x13" + std::string("BitTorrent protocol") + std::string("\0\0\0\0\0\x10\0\4", 8);
        hello.append(reinterpret_cast<const char*>(info_hash.data()), info_hash.size());
        hello += "-XX0000-bcdefghijkl";
        hello.push_back(name);
        put_extended(hello, 0, extensions);
        put_big_endian(hello, 1, 4);
        hello.push_back(14); // it has everything
        put_unchoke(hello);
        send(hello);
        (void)receive(68);
    }

    void send(std::string_view bytes)
    {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(m_socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0) {
                return; // the other end has hung up, which receiving tells
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    [[nodiscard]] bool has_something_to_read(std::chrono::milliseconds patience) const
    {
        pollfd wanted{m_socket.get(), POLLIN, 0};
        return ::poll(&wanted, 1, static_cast<int>(patience.count())) == 1;
    }

    [[nodiscard]] PeerMessage message()
    {
        const std::string length = receive(4);
        if (length.empty()) {
            return {};
        }
        const std::string body = receive(PeerMessage{0, length}.number(0));
        return body.empty() ? message() : PeerMessage{body[0], body.substr(1)}; // an empty one keeps alive
    }

    // Until the other end has hung up.
    void wait_for_end()
    {
        while (message().kind != -1) {
        }
    }

    // The next message of this kind; those before it are lost.
    [[nodiscard]] PeerMessage next(int kind)
    {
        PeerMessage found = message();
        while (found.kind != -1 && found.kind != kind) {
            found = message();
        }
        return found;
    }

  private:
    std::string receive(std::size_t count)
    {
        std::string bytes(count, '\0');
        for (std::size_t at = 0; at < count;) {
            const ssize_t got = recv(m_socket.get(), bytes.data() + at, count - at, 0);
            REQUIRE((got >= 0 || errno == ECONNRESET)); // or nothing came in time
            if (got <= 0) {
                return "";
            }
            at += static_cast<std::size_t>(got);
        }
        return bytes;
    }

    Fd m_socket;
};

} // namespace ezio::test
