// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peers/peer_ledger.hpp"

#include "ezio/net/addresses.hpp"
#include "ezio/peers/peer_plugins.hpp"
#include "ezio/peers/piece_number.hpp"
#include "ezio/util/mutex.hpp"

#include <libtorrent/bitfield.hpp>
#include <libtorrent/peer_request.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <tuple>
#include <utility>

namespace ezio {

// Accounts by client. A client that reconnects has another port. Most clients then keep their peer id, and so
// their account. libtorrent makes a new id for each connection, and gets an account for each.
class PeerLedger::Book {
  public:
    // Written by the network thread only.
    struct Account {
        Account(std::string first_address, bool had_all) : address(std::move(first_address)), seeder(had_all)
        {}

        const std::string address;
        const bool seeder;
        std::atomic<std::uint64_t> received = 0;
        std::atomic<std::uint64_t> sent = 0;
    };

    // The account of this client. A new one is a seeder's if the client `had_all` pieces from the start.
    std::shared_ptr<Account> account_of(const lt::peer_connection_handle& connection, bool had_all)
    {
        const lt::tcp::endpoint& remote = connection.remote();
        const auto key = std::pair(remote.address(), connection.pid().to_string());
        const MutexLock lock(m_mutex);
        if (m_accounts.size() >= most_accounts && m_accounts.count(key) == 0) {
            return m_others;
        }
        auto& account = m_accounts[key];
        if (!account) {
            account = std::make_shared<Account>(to_string(remote), had_all);
        }
        return account;
    }

    [[nodiscard]] std::vector<PeerTotals> totals() const
    {
        const MutexLock lock(m_mutex);
        std::vector<PeerTotals> totals;
        const auto add = [&totals](const Account& account) {
            if (account.received + account.sent > 0) {
                totals.push_back({account.address, account.seeder, account.received, account.sent});
            }
        };
        for (const auto& [key, account] : m_accounts) {
            add(*account);
        }
        add(*m_others);
        return totals;
    }

    void failed(std::uint32_t piece, const std::string& address)
    {
        // A limit until they are taken: a peer that sends garbage must not fill the memory.
        constexpr std::size_t most = 1000;
        const MutexLock lock(m_mutex);
        if (m_failures.size() < most) {
            m_failures.push_back({piece, address});
        }
    }

    [[nodiscard]] std::vector<Failure> take_failures()
    {
        const MutexLock lock(m_mutex);
        return std::exchange(m_failures, {});
    }

  private:
    // More than in any lab. A peer that requests blocks under ever new ids must not fill the memory.
    static constexpr std::size_t most_accounts = 10'000;

    const std::shared_ptr<Account> m_others = std::make_shared<Account>("others", false);
    mutable Mutex m_mutex;
    std::map<std::pair<lt::address, std::string>, std::shared_ptr<Account>> m_accounts GUARDED_BY(m_mutex);
    std::vector<Failure> m_failures GUARDED_BY(m_mutex);
};

namespace {

class LedgerPeer final : public AnswerListener {
  public:
    LedgerPeer(std::shared_ptr<PeerLedger::Book> book, lt::peer_connection_handle connection)
        : m_book(std::move(book)), m_connection(std::move(connection))
    {}

    [[nodiscard]] lt::string_view type() const override { return ledger_plugin; }

    bool on_have_all() override
    {
        m_had_all = true;
        return false;
    }

    bool on_bitfield(const lt::bitfield& pieces) override
    {
        m_had_all = pieces.all_set();
        return false;
    }

    bool on_piece(const lt::peer_request&, lt::span<const char> data) override
    {
        account().received += static_cast<std::uint64_t>(data.size());
        return false;
    }

    void on_piece_failed(lt::piece_index_t piece) override
    {
        m_book->failed(to_number(piece), account().address);
    }

    void sent_payload(int bytes) override { account().sent += static_cast<std::uint64_t>(bytes); }

    void sent_block(const lt::peer_request& block, std::uint64_t) override
    {
        account().sent += static_cast<std::uint64_t>(block.length);
    }

  private:
    // Created at the first exchange: a peer that only connects needs none.
    PeerLedger::Book::Account& account()
    {
        if (!m_account) {
            m_account = m_book->account_of(m_connection, m_had_all);
        }
        return *m_account;
    }

    const std::shared_ptr<PeerLedger::Book> m_book;
    const lt::peer_connection_handle m_connection;
    std::shared_ptr<PeerLedger::Book::Account> m_account;
    bool m_had_all = false; // when it connected
};

} // namespace

PeerLedger::PeerLedger() : m_book(std::make_shared<Book>()) {}

PeerLedger::~PeerLedger() = default;

void PeerLedger::extend(lt::add_torrent_params& params)
{
    const auto any = [](const lt::peer_connection_handle&) { return true; }; // web seeds, too
    add_peer_plugins<LedgerPeer>(params, m_book, any);
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
