// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peers/duplicate_peers.hpp"

#include "ezio/peers/peer_plugins.hpp"

#include <fmt/format.h>

#include <libtorrent/entry.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/operations.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <tuple>

namespace ezio {

namespace {

constexpr const char* process_key = "ezio_process";
constexpr std::size_t longest_id = 64; // of others; longer ones are ignored

bool is_v4(const lt::tcp::endpoint& endpoint)
{
    return endpoint.address().is_v4();
}

class GuardedPeer;

// A torrent's connections by the process at the other end, where that is known.
struct Links {
    const std::string own_id;
    std::map<std::string, std::set<GuardedPeer*>> by_process;
};

class GuardedPeer final : public lt::peer_plugin {
  public:
    GuardedPeer(std::shared_ptr<Links> links, lt::peer_connection_handle connection)
        : m_links(std::move(links)), m_connection(std::move(connection))
    {}

    void add_handshake(lt::entry& handshake) override { handshake.dict()[process_key] = m_links->own_id; }

    bool on_extension_handshake(const lt::bdecode_node& handshake) override
    {
        std::string id = process_id(handshake);
        if (!id.empty() && m_id.empty() && id != m_links->own_id) {
            m_id = std::move(id);
            m_links->by_process[m_id].insert(this);
            keep_one();
        }
        return true;
    }

    void on_disconnect(const lt::error_code&) override
    {
        if (const auto links = m_links->by_process.find(m_id); links != m_links->by_process.end()) {
            links->second.erase(this);
            if (links->second.empty()) {
                m_links->by_process.erase(links);
            }
        }
        m_id.clear();
    }

  private:
    [[nodiscard]] PeerLink link() const
    {
        const bool outgoing = m_connection.is_outgoing();
        const auto local = m_connection.local_endpoint();
        const auto& remote = m_connection.remote();
        return {outgoing ? local : remote, outgoing ? remote : local, outgoing ? m_links->own_id : m_id};
    }

    void keep_one()
    {
        const auto others = m_links->by_process[m_id]; // a copy: a disconnected peer removes itself
        const PeerLink mine = link();
        for (GuardedPeer* other : others) {
            if (other == this || !mine.repeats(other->link())) {
                continue;
            }
            if (mine.is_worse_than(other->link())) {
                hang_up();
                return;
            }
            other->hang_up();
        }
    }

    // Reported as a failure, because each failure delays libtorrent's next attempt at that address.
    void hang_up()
    {
        m_connection.disconnect(lt::errors::duplicate_peer_id, lt::operation_t::bittorrent,
                                lt::peer_connection_interface::failure);
    }

    const std::shared_ptr<Links> m_links;
    lt::peer_connection_handle m_connection;
    std::string m_id; // the other end's, while it is known and connected
};

} // namespace

std::string make_process_id()
{
    std::random_device random;
    return fmt::format("{:08x}{:08x}", random(), random());
}

std::string process_id(const lt::bdecode_node& handshake)
{
    const std::string id(handshake.dict_find_string_value(process_key));
    return id.size() <= longest_id ? id : "";
}

bool PeerLink::repeats(const PeerLink& other) const
{
    if (is_v4(acceptor) != is_v4(other.acceptor)) {
        return true;
    }
    const auto hosts = [](const PeerLink& link) {
        return std::minmax({link.initiator.address(), link.acceptor.address()});
    };
    return hosts(*this) == hosts(other);
}

bool PeerLink::is_worse_than(const PeerLink& older) const
{
    const auto rank = [](const PeerLink& link) {
        return std::make_tuple(is_v4(link.acceptor), link.initiator_id);
    };
    return rank(*this) < rank(older);
}

void refuse_duplicates(lt::add_torrent_params& params, const std::string& own_id)
{
    add_peer_plugins<GuardedPeer>(params, std::make_shared<Links>(Links{own_id, {}}));
}

} // namespace ezio
