// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peer_ledger.hpp"

#include "ezio/addresses.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/bitfield.hpp>
#include <libtorrent/client_data.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/peer_request.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

namespace ezio {

namespace {

// Written on the network thread.
struct Account {
    explicit Account(std::string first_address) : address(std::move(first_address)) {}

    const std::string address;
    std::atomic<bool> seeder = false;
    std::atomic<std::uint64_t> received = 0;
    std::atomic<std::uint64_t> sent = 0;
};

} // namespace

// A client that connects again comes from another port, but under the same peer id.
class PeerLedger::Book {
  public:
    // The account of this client, and whether it is a new one.
    std::pair<std::shared_ptr<Account>, bool> account_of(const lt::peer_connection_handle& connection)
    {
        const lt::tcp::endpoint& remote = connection.remote();
        const std::lock_guard lock(m_mutex);
        auto& account = m_accounts[{remote.address(), connection.pid().to_string()}];
        const bool is_new = !account;
        if (is_new) {
            account = std::make_shared<Account>(to_string(remote));
        }
        return {account, is_new};
    }

    [[nodiscard]] std::vector<PeerTotals> totals() const
    {
        const std::lock_guard lock(m_mutex);
        std::vector<PeerTotals> totals;
        for (const auto& [key, account] : m_accounts) {
            if (account->received + account->sent > 0) {
                totals.push_back({account->address, account->seeder, account->received, account->sent});
            }
        }
        return totals;
    }

    void failed(std::uint32_t piece, const std::string& address)
    {
        constexpr std::size_t most =
            1000; // that nobody has asked for: who sends rubbish must not fill the memory
        const std::lock_guard lock(m_mutex);
        if (m_failures.size() < most) {
            m_failures.push_back({piece, address});
        }
    }

    [[nodiscard]] std::vector<Failure> take_failures()
    {
        const std::lock_guard lock(m_mutex);
        return std::exchange(m_failures, {});
    }

  private:
    mutable std::mutex m_mutex; // guards the rest
    std::map<std::pair<lt::address, std::string>, std::shared_ptr<Account>> m_accounts;
    std::vector<Failure> m_failures;
};

namespace {

class LedgerPeer final : public lt::peer_plugin {
  public:
    LedgerPeer(std::shared_ptr<PeerLedger::Book> book, lt::peer_connection_handle connection)
        : m_book(std::move(book)), m_connection(std::move(connection))
    {}

    bool on_have_all() override
    {
        note_first_pieces(true);
        return false;
    }

    bool on_have_none() override
    {
        note_first_pieces(false);
        return false;
    }

    bool on_bitfield(const lt::bitfield& pieces) override
    {
        note_first_pieces(pieces.all_set());
        return false;
    }

    bool on_piece(const lt::peer_request&, lt::span<const char> data) override
    {
        account().received += static_cast<std::uint64_t>(data.size());
        return false;
    }

    void on_piece_failed(lt::piece_index_t piece) override
    {
        m_book->failed(static_cast<std::uint32_t>(static_cast<int>(piece)), account().address);
    }

    void sent_payload(int bytes) override { account().sent += static_cast<std::uint64_t>(bytes); }

  private:
    // After the handshake: the peer id is known.
    Account& account()
    {
        if (!m_account) {
            std::tie(m_account, m_is_new) = m_book->account_of(m_connection);
        }
        return *m_account;
    }

    void note_first_pieces(bool all)
    {
        Account& mine = account();
        if (m_is_new) {
            mine.seeder = all;
        }
    }

    const std::shared_ptr<PeerLedger::Book> m_book;
    const lt::peer_connection_handle m_connection;
    std::shared_ptr<Account> m_account;
    bool m_is_new = false; // its first connection
};

class LedgerTorrent final : public lt::torrent_plugin {
  public:
    explicit LedgerTorrent(std::shared_ptr<PeerLedger::Book> book) : m_book(std::move(book)) {}

    std::shared_ptr<lt::peer_plugin> new_connection(const lt::peer_connection_handle& connection) override
    {
        return std::make_shared<LedgerPeer>(m_book, connection);
    }

  private:
    const std::shared_ptr<PeerLedger::Book> m_book;
};

} // namespace

PeerLedger::PeerLedger() : m_book(std::make_shared<Book>()) {}

PeerLedger::~PeerLedger() = default;

void PeerLedger::extend(lt::add_torrent_params& params)
{
    params.extensions.push_back([book = m_book](const lt::torrent_handle&, lt::client_data_t) {
        return std::make_shared<LedgerTorrent>(book);
    });
}

std::vector<PeerLedger::Failure> PeerLedger::take_failures()
{
    return m_book->take_failures();
}

std::vector<PeerTotals> PeerLedger::totals() const
{
    auto totals = m_book->totals();
    std::sort(totals.begin(), totals.end(), [](const PeerTotals& a, const PeerTotals& b) {
        return std::tie(b.received_bytes, b.uploaded_bytes, a.address) <
               std::tie(a.received_bytes, a.uploaded_bytes, b.address);
    });
    return totals;
}

} // namespace ezio
