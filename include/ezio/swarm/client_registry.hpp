// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which clients have received the image, of those that do not report (reporting_clients.hpp): as far as the
// seeder knows from the pieces that they announce.
//
// A client is known by its address and the port that it listens on, so that one that is started again counts
// once; several on one host are several. One that says which process it is keeps its first name, and so
// counts once whatever its addresses. Behind a router or a proxy, where several have one address, the one
// that each has on its own host tells them apart, and where that is the same, too, the process does while
// both are connected. Where a peer does not say which port that is, its address alone has to do.
//
// Other programs say neither: several that listen on one port behind one address are several while all are
// connected. One that comes back with what it had, or has left complete, is no further one, whatever its peer
// id: some have another one for each connection. So however many ids a host goes through, it counts as often
// as it has connections at once.
//
// A client is complete when it has announced every piece: it has received and verified them. That it has
// synced its disk it does not say. Once complete, it stays counted when it leaves; one that comes back with
// less is in progress again. Those that say they are `ezio-cli seed` are no clients, and neither are other
// programs that have everything when they come first: they may be anybody's seeds. Who comes back with
// everything is a client: many a program hangs up when it gets its last piece, and does not say so before.
#pragma once

#include "ezio/report/client_status.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace ezio {

struct Clients {
    unsigned complete = 0;    // distinct clients, including those that left
    unsigned in_progress = 0; // connected and not complete
    unsigned failed = 0;      // of those that report: failed, stopped or lost
    struct Slowest {
        std::string address;
        std::uint32_t pieces = 0; // number of pieces it has
    };
    std::optional<Slowest> slowest; // of those in progress
};

// Not thread-safe.
class ClientRegistry {
  public:
    // Clients beyond this are not counted: peers that connect under ever new names must not fill the memory.
    static constexpr std::size_t most_clients = 50'000;

    explicit ClientRegistry(std::uint32_t pieces) : m_pieces(pieces) {}

    // The name of the client that listens on `address` and claims to be `process`; empty if it sends no id.
    // `behind` is the address on its own host if that differs (see host_behind).
    [[nodiscard]] std::string name_of(const std::string& process, const std::string& address,
                                      const std::string& behind = "");

    // The name of a client that does not say which process it is, and comes with so many pieces. `peer_id` is
    // empty when it has not connected by itself: then it may be the one that is connected already.
    [[nodiscard]] std::string name_of_other(const std::string& peer_id, const std::string& address,
                                            std::uint32_t pieces);

    // A client is connected and has so many pieces. A second connection of the same client replaces the
    // first.
    void has(const std::string& client, std::uint32_t pieces);
    void left(const std::string& client);

    // Whether it was here before, complete or not. (If there are very many, some clients that left incomplete
    // are forgotten.)
    [[nodiscard]] bool has_seen(const std::string& client) const;

    [[nodiscard]] Clients count() const;

    // Appends the clients that count() counts, at most most_listed of them.
    static constexpr std::size_t most_listed = 10'000;
    void add_to(ClientList& list, std::uint64_t piece_length, std::uint64_t total_bytes) const;

  private:
    struct Client {
        std::uint32_t pieces = 0;
        bool connected = false;
        bool complete = false;
    };

    [[nodiscard]] std::string free_name(const std::string& owner, const std::string& wanted) const;
    [[nodiscard]] std::string name_left_with(const std::string& address, std::uint32_t pieces) const;

    const std::uint32_t m_pieces;
    std::map<std::string, std::string> m_names; // of processes: the first name of each
    // Of the names of those behind something the last process, of those of other programs the peer id while
    // it is connected.
    std::map<std::string, std::string> m_owners;
    std::map<std::string, Client> m_clients;
    std::map<std::string, std::uint32_t> m_left_incomplete; // with so many pieces
};

} // namespace ezio
