// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/net/local_discovery.hpp"

#include "discovery_message.hpp"
#include "ezio/util/error.hpp"
#include "interfaces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <random>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace ezio {

namespace {

namespace ip = boost::asio::ip;

constexpr std::uint16_t discovery_port = 6771;
constexpr const char* group_v4 = "239.192.152.143";
constexpr const char* group_v6 = "ff15::efc0:988f";
constexpr int packets_at_once = 256; // the rest waits, so that a flood does not hold up the transfer
constexpr std::size_t most_remembered = 4096;

int prefix_length(const ip::address& netmask)
{
    int bits = 0;
    const auto count = [&](const auto& bytes) {
        for (const unsigned char byte : bytes) {
            bits += std::popcount(byte);
        }
    };
    netmask.is_v4() ? count(netmask.to_v4().to_bytes()) : count(netmask.to_v6().to_bytes());
    return bits;
}

AddressRange network_of(const ip::address& address, const ip::address& netmask)
{
    const ip::address plain =
        address.is_v6() ? ip::address(ip::address_v6(address.to_v6().to_bytes())) : address;
    return parse_network(fmt::format("{}/{}", plain.to_string(), prefix_length(netmask))).value();
}

bool is_listened_on(const std::vector<Endpoint>& listen, const ip::address& address)
{
    return std::any_of(listen.begin(), listen.end(), [&](const Endpoint& it) {
        return it.address() == address ||
               (it.address().is_unspecified() && it.address().is_v4() == address.is_v4());
    });
}

// Do not announce on an address family that --allow excludes.
bool has_family_of(const std::vector<AddressRange>& allowed, const ip::address& address)
{
    return allowed.empty() || std::any_of(allowed.begin(), allowed.end(), [&](const AddressRange& it) {
               return it.first.is_v4() == address.is_v4();
           });
}

template <typename Value>
bool set_option(int fd, int level, int name, const Value& value)
{
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// A socket bound to the port, which all programs on the host share. Without a socket on failure; errno has
// the reason.
Fd open_socket(int family)
{
    Fd fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    bool ready = fd && set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (family == AF_INET) {
        sockaddr_in any{};
        any.sin_family = AF_INET;
        any.sin_port = htons(discovery_port);
        ready =
            ready && set_option(fd.get(), IPPROTO_IP, IP_MULTICAST_TTL, 1) &&
            set_option(fd.get(), IPPROTO_IP, IP_MULTICAST_ALL, 0) && // only groups that this socket joined
            ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
    } else {
        sockaddr_in6 any{};
        any.sin6_family = AF_INET6;
        any.sin6_port = htons(discovery_port);
        ready = ready && set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
                set_option(fd.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1) &&
                set_option(fd.get(), IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0) &&
                ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
    }
    return ready ? std::move(fd) : Fd();
}

// Sends `packet` to the group. `info` (in_pktinfo or in6_pktinfo) selects the interface and the source
// address. The result is ignored, because the packet is sent repeatedly anyway.
template <typename Info, typename Group>
void send_packet(int fd, const std::string& packet, Group& group, int level, int type, const Info& info)
{
    iovec part{const_cast<char*>(packet.data()), packet.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(Info))> control{};
    msghdr message{};
    message.msg_name = &group;
    message.msg_namelen = sizeof group;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof(Info));
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
    (void)::sendmsg(fd, &message, MSG_NOSIGNAL);
}

} // namespace

LocalDiscovery::LocalDiscovery(std::string info_hash, std::vector<Endpoint> listen,
                               std::vector<AddressRange> allowed)
    : m_info_hash(std::move(info_hash)), m_listen(std::move(listen)), m_allowed(std::move(allowed)),
      m_cookie(fmt::format("{:08x}", std::random_device()()))
{
    look_at_interfaces();
}

void LocalDiscovery::announce()
{
    look_at_interfaces();
    for (const Place& place : m_places) {
        send(place);
    }
}

std::vector<Endpoint> LocalDiscovery::take_found(Reach reach)
{
    std::vector<Heard> heard;
    receive(m_v6, heard); // first, because IPv4 packets sent before it have then arrived, too
    receive(m_v4, heard);
    if (m_has_v4.size() > most_remembered) {
        m_has_v4.clear();
    }
    for (const Heard& it : heard) {
        if (it.peer.address().is_v4() && !it.who.first.empty()) {
            m_has_v4.insert(it.who);
        }
    }
    std::vector<Endpoint> found;
    for (const Heard& it : heard) {
        if (reach == Reach::all || it.peer.address().is_v4() || m_has_v4.count(it.who) == 0) {
            found.push_back(it.peer);
        }
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

// Follows changes of the machine's addresses. A group once joined stays joined.
void LocalDiscovery::look_at_interfaces()
{
    open_sockets();
    const auto addresses = interface_addresses();
    if (addresses.empty()) { // the kernel reports nothing: keep what was known
        return;
    }
    m_places.clear();
    m_networks.clear();
    for (const InterfaceAddress& it : addresses) {
        const bool is_up = (it.flags & IFF_UP) != 0 && (it.flags & (IFF_MULTICAST | IFF_LOOPBACK)) != 0;
        if (!is_up) {
            continue;
        }
        const Place place{it.address, ::if_nametoindex(it.interface.c_str())};
        if (!is_listened_on(m_listen, place.address) || !has_family_of(m_allowed, place.address)) {
            continue;
        }
        join(place);
        m_places.push_back(place);
        m_networks.push_back(network_of(place.address, it.netmask));
    }
}

void LocalDiscovery::open_sockets()
{
    if (!m_v4) {
        m_v4 = open_socket(AF_INET);
    }
    const int error = errno;
    if (!m_v6) {
        m_v6 = open_socket(AF_INET6);
    }
    m_trouble = m_v4 || m_v6 ? "" : fmt::format("UDP port {}: {}", discovery_port, errno_text(error));
}

void LocalDiscovery::join(const Place& place) const
{
    if (place.address.is_v4()) {
        ip_mreqn wish{};
        ::inet_pton(AF_INET, group_v4, &wish.imr_multiaddr);
        wish.imr_ifindex = static_cast<int>(place.interface_index);
        (void)set_option(m_v4.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, wish);
    } else {
        ipv6_mreq wish{};
        ::inet_pton(AF_INET6, group_v6, &wish.ipv6mr_multiaddr);
        wish.ipv6mr_interface = place.interface_index;
        (void)set_option(m_v6.get(), IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, wish);
    }
}

void LocalDiscovery::send(const Place& place) const
{
    const DiscoveryMessage message{m_listen.front().port(), {m_info_hash}, m_cookie};
    if (place.address.is_v4()) {
        sockaddr_in group{};
        group.sin_family = AF_INET;
        group.sin_port = htons(discovery_port);
        ::inet_pton(AF_INET, group_v4, &group.sin_addr);
        in_pktinfo info{};
        info.ipi_ifindex = static_cast<int>(place.interface_index);
        info.ipi_spec_dst.s_addr = htonl(place.address.to_v4().to_uint());
        send_packet(m_v4.get(), encode(message, fmt::format("{}:{}", group_v4, discovery_port)), group,
                    IPPROTO_IP, IP_PKTINFO, info);
    } else {
        sockaddr_in6 group{};
        group.sin6_family = AF_INET6;
        group.sin6_port = htons(discovery_port);
        ::inet_pton(AF_INET6, group_v6, &group.sin6_addr);
        in6_pktinfo info{};
        info.ipi6_ifindex = place.interface_index;
        const auto bytes = place.address.to_v6().to_bytes();
        std::memcpy(&info.ipi6_addr, bytes.data(), bytes.size());
        send_packet(m_v6.get(), encode(message, fmt::format("[{}]:{}", group_v6, discovery_port)), group,
                    IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
}

const LocalDiscovery::Place* LocalDiscovery::place_in_network_of(const ip::address& address) const
{
    for (std::size_t i = 0; i < m_networks.size(); ++i) {
        if (allows({m_networks[i]}, address)) {
            return &m_places[i];
        }
    }
    return nullptr;
}

void LocalDiscovery::receive(const Fd& socket, std::vector<Heard>& heard) const
{
    std::array<char, 1500> buffer{};
    sockaddr_storage sender{};
    for (int count = 0; socket && count < packets_at_once; ++count) {
        socklen_t length = sizeof sender;
        const ssize_t size = ::recvfrom(socket.get(), buffer.data(), buffer.size(), 0,
                                        reinterpret_cast<sockaddr*>(&sender), &length);
        if (size < 0) {
            return;
        }
        const auto message = parse_discovery_message({buffer.data(), static_cast<std::size_t>(size)});
        const auto& hashes = message ? message->info_hashes : std::vector<std::string>{};
        const bool is_ours = std::find(hashes.begin(), hashes.end(), m_info_hash) != hashes.end();
        const ip::address address = address_of(reinterpret_cast<const sockaddr&>(sender));
        const Place* const place = place_in_network_of(address);
        if (is_ours && message->cookie != m_cookie && place != nullptr && allows(m_allowed, address)) {
            heard.push_back({Endpoint(address, message->port), {message->cookie, place->interface_index}});
        }
    }
}

} // namespace ezio
