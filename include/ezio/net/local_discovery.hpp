// SPDX-License-Identifier: GPL-2.0-or-later
//
// Local service discovery (BEP 14): who on this network has to do with the same torrent, by multicast. It
// understands and is understood by other clients.
//
// libtorrent has it, too, but over IPv6 it asks the network that the routing table prefers, not the chosen
// one, and it falls silent for good after one packet that could not be sent, as when the cable is plugged in
// later. Here each announcement goes out by the interface of an address that is listened on, with that
// address as its sender; interfaces are looked at anew every time; and what could not be sent is sent the
// next time. The hop limit is 1, and only answers from the interfaces' own networks count: nothing leaves
// them, and nobody outside is contacted for a forged packet's sake.
//
// A peer announces itself from each of its addresses, with one cookie. Who is heard over IPv4 on an interface
// is found there, and by IPv6 only when that leads nowhere.
#pragma once

#include "ezio/net/addresses.hpp"
#include "ezio/net/allowed_networks.hpp"
#include "ezio/util/fd.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ezio {

// One thread. No call waits.
class LocalDiscovery {
  public:
    enum class Reach {
        preferred, // one address of each peer on each interface
        all        // all its addresses there
    };

    // `info_hash` in hex; `listen` as in ListenPlace, with one port. Only who is in `allowed` is found; when
    // that is empty, everybody.
    LocalDiscovery(std::string info_hash, std::vector<Endpoint> listen, std::vector<AddressRange> allowed);

    void announce();

    // Who has announced itself since the last call, nobody twice.
    [[nodiscard]] std::vector<Endpoint> take_found(Reach reach);

    // Why nothing can be heard; empty when all is well.
    [[nodiscard]] const std::string& trouble() const { return m_trouble; }

  private:
    struct Place { // an address that is listened on, and the interface that has it
        boost::asio::ip::address address;
        unsigned interface_index;
    };

    void look_at_interfaces();
    void open_sockets();
    void join(const Place& place) const;
    void send(const Place& place) const;
    struct Heard {
        Endpoint peer;
        std::pair<std::string, unsigned> who; // by its cookie, and on which interface
    };
    void receive(const Fd& socket, std::vector<Heard>& heard) const;
    [[nodiscard]] const Place* place_in_network_of(const boost::asio::ip::address& address) const;

    const std::string m_info_hash;
    const std::vector<Endpoint> m_listen;
    const std::vector<AddressRange> m_allowed;
    const std::string m_cookie;
    std::string m_trouble;
    Fd m_v4; // none when the machine has no such family
    Fd m_v6;
    std::vector<Place> m_places;
    std::vector<AddressRange> m_networks;                // of the places, in the same order
    std::set<std::pair<std::string, unsigned>> m_has_v4; // as in Heard
};

} // namespace ezio
