// SPDX-License-Identifier: GPL-2.0-or-later
//
// Local service discovery (BEP 14): finds peers of the same torrent on this network by multicast. Compatible
// with other clients.
//
// libtorrent's own discovery has two faults. Over IPv6 it uses the network that the routing table prefers,
// not the chosen one. And it stops for good after one packet that could not be sent, as when the cable is
// plugged in later.
// Here each announcement leaves through the interface of a listening address, with that address as its
// source. Interfaces are enumerated every time, and a packet that could not be sent is sent the next time.
// The hop limit is 1, and only answers from the interfaces' own networks count: nothing leaves them, and a
// forged packet cannot make us contact a host outside.
//
// A peer announces each of its addresses with the same cookie. If a peer is heard over IPv4 on an interface,
// that address is preferred, and its IPv6 address is used only if IPv4 leads nowhere.
#pragma once

#include "ezio/net/addresses.hpp"
#include "ezio/net/allowed_networks.hpp"
#include "ezio/util/fd.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ezio {

// One thread. No call blocks.
class LocalDiscovery {
  public:
    enum class Reach {
        preferred, // one address of each peer on each interface
        all        // all its addresses there
    };

    // `info_hash` is in hex; `listen` as in ListenPlace, with one port. Only peers in `allowed` are found; if
    // that is empty, all peers.
    LocalDiscovery(std::string info_hash, std::vector<Endpoint> listen, std::vector<AddressRange> allowed);

    void announce();

    // The peers that were heard since the last call, without duplicates.
    [[nodiscard]] std::vector<Endpoint> take_found(Reach reach);

    // Why nothing can be received; empty if all is well.
    [[nodiscard]] const std::string& trouble() const { return m_trouble; }

  private:
    struct Place { // a listening address and its interface
        boost::asio::ip::address address;
        unsigned interface_index;
    };

    void look_at_interfaces();
    void open_sockets();
    void join(const Place& place) const;
    void send(const Place& place) const;
    struct Heard {
        Endpoint peer;
        std::pair<std::string, unsigned> who; // its cookie and the interface
    };
    void receive(const Fd& socket, std::vector<Heard>& heard) const;
    [[nodiscard]] const Place* place_in_network_of(const boost::asio::ip::address& address) const;

    const std::string m_info_hash;
    const std::vector<Endpoint> m_listen;
    const std::vector<AddressRange> m_allowed;
    const std::string m_cookie;
    std::string m_trouble;
    Fd m_v4; // empty if the machine has no such family
    Fd m_v6;
    std::vector<Place> m_places;
    std::vector<AddressRange> m_networks;                // of the places, in the same order
    std::set<std::pair<std::string, unsigned>> m_has_v4; // as in Heard
};

} // namespace ezio
