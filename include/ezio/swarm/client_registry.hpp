// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which clients have received the image, of those that do not report (reporting_clients.hpp): as far as the
// seeder knows from the pieces that they announce.
//
// A client is identified by its address and listening port, so that a restarted one counts once, and several
// on one host are several. A client that sends its process id keeps its first name, and so counts once with
// any number of addresses. Behind a router or a proxy, clients that share an address are distinguished by the
// address on their own hosts, and if that is the same, too, by their processes while both are connected.
// Without a listening port, the address alone has to do.
//
// Other programs send neither. Several that listen on one port behind one address are several while all of
// them are connected. A client that returns with what it had, or after it left complete, is not counted
// again, whatever its peer id: some programs have a new id for each connection. So a host that uses many ids
// counts only as often as it has connections at the same time.
//
// A client is complete when it has announced every piece: it has received and verified them. Whether it has
// synced its disk is unknown. A complete client stays counted when it leaves; if it returns with less, it is
// in progress again. Peers that identify themselves as `ezio-cli seed` are not clients. Nor are other
// programs that have everything when they first connect, because they can be anyone's seeds. A peer that
// returns with everything is a client: many programs disconnect when they get their last piece, without
// announcing it.
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

    // The name of a client that sends no process id and connects with this many pieces. `peer_id` is empty if
    // we connected to it: it may then be the one that is already connected.
    [[nodiscard]] std::string name_of_other(const std::string& peer_id, const std::string& address,
                                            std::uint32_t pieces);

    // A client is connected and has this many pieces. A second connection of a client replaces the first.
    void has(const std::string& client, std::uint32_t pieces);
    void left(const std::string& client);

    // A client that listens on `address` and sends no process id was disconnected before it announced any
    // piece, and has less than everything.
    void sent_away(const std::string& address);

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
    void left_with(const std::string& name, std::uint32_t pieces);
    [[nodiscard]] std::string name_left_with(const std::string& address, std::uint32_t pieces) const;

    const std::uint32_t m_pieces;
    std::map<std::string, std::string> m_names; // by process: its first name
    // By name: the last process, for clients behind a router or proxy; the peer id while connected, for other
    // programs.
    std::map<std::string, std::string> m_owners;
    std::map<std::string, Client> m_clients;
    std::map<std::string, std::uint32_t> m_left_incomplete; // with their number of pieces
};

} // namespace ezio
