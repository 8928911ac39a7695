// SPDX-License-Identifier: GPL-2.0-or-later
//
// With the library as it is: a session, a connection over a socket, and a plugin that does nothing but hand
// over what it gets. Its messages are a letter, piece, start, and blocks as they are.
#include "compression/block_injection.hpp"
#include "peer_socket.hpp"
#include "session_rig.hpp"

#include "catch.hpp"

#include "ezio/compression/availability.hpp"
#include "ezio/peers/peer_plugins.hpp"

#include <libtorrent/entry.hpp>
#include <libtorrent/extensions.hpp>

#include <deque>

namespace ezio {

using test::PeerMessage;
using test::PeerSocket;
using test::SessionRig;

namespace {

constexpr char now = 'n';
constexpr char later = 'l'; // when the test says so

const std::string extensions = "d1:md11:ezio_units1i40eee";

struct Run {
    UnitPlace place;
    std::string bytes;
};

// The network thread's, but for where a test knows that it rests.
struct Probe {
    BlockInjector injector;
    bool fits_handshake = false;
    bool fits_copy = false;
    int fitting = 0; // messages
    int misfits = 0;
    int blocks = 0; // that on_piece() has heard of
    int hang_up_after = 0;
    std::deque<std::pair<lt::peer_connection_handle, Run>> late;
};

void hand_over(Probe& probe, const lt::peer_connection_handle& connection, const Run& run)
{
    std::copy(run.bytes.begin(), run.bytes.end(), probe.injector.memory().begin());
    for (std::uint32_t at = 0; at < run.place.length && !connection.is_disconnecting(); at += block_bytes) {
        probe.injector.inject(connection, {run.place.piece, run.place.start + at, block_bytes}, at);
    }
}

class ProbePeer final : public lt::peer_plugin {
  public:
    ProbePeer(std::shared_ptr<Probe> probe, lt::peer_connection_handle connection)
        : m_probe(std::move(probe)), m_connection(std::move(connection))
    {}

    void add_handshake(lt::entry& handshake) override { handshake["m"][units_key] = units_id; }

    bool on_extension_handshake(const lt::bdecode_node& handshake) override
    {
        const auto section = handshake.data_section();
        const std::string copy(section.begin(), section.end());
        m_probe->fits_handshake = BlockInjector::fits(m_connection, handshake);
        m_probe->fits_copy = BlockInjector::fits(m_connection, lt::span<const char>(copy)) ||
                             BlockInjector::fits(m_connection, section.subspan(1)) ||
                             BlockInjector::fits(m_connection, section.first(section.size() - 1));
        return true;
    }

    bool on_extended(int length, int message, lt::span<const char> body) override
    {
        if (message != units_id || body.size() < length) {
            return message == units_id;
        }
        ++(BlockInjector::fits(m_connection, body) ? m_probe->fitting : m_probe->misfits);
        const PeerMessage parts{body[0], {body.begin() + 1, body.end()}};
        Run run{{parts.number(0), parts.number(4), static_cast<std::uint32_t>(body.size()) - 9},
                parts.payload.substr(8)};
        if (body[0] == now) {
            hand_over(*m_probe, m_connection, run);
        } else {
            m_probe->late.emplace_back(m_connection, std::move(run));
        }
        return true;
    }

    bool on_piece(const lt::peer_request&, lt::span<const char>) override
    {
        if (++m_probe->blocks == m_probe->hang_up_after) {
            m_connection.disconnect(lt::errors::invalid_message, lt::operation_t::bittorrent);
            return true;
        }
        return false;
    }

  private:
    const std::shared_ptr<Probe> m_probe;
    lt::peer_connection_handle m_connection;
};

struct Rig : SessionRig {
    explicit Rig(const Options& options = {}) : Rig(options, std::make_shared<Probe>()) {}
    Rig(const Options& options, const std::shared_ptr<Probe>& the_probe)
        : SessionRig(options), probe(the_probe)
    {
        add_torrent([&](lt::add_torrent_params& params) { add_peer_plugins<ProbePeer>(params, probe); });
    }

    PeerSocket peer()
    {
        PeerSocket socket(port());
        socket.introduce(*parse_sha1(torrent.info_hash), extensions);
        return socket;
    }

    [[nodiscard]] std::string bytes_of(const UnitPlace& place) const
    {
        const auto at = torrent.image.piece_offset(place.piece) + place.start;
        return {reinterpret_cast<const char*>(&payload[at]), place.length};
    }

    [[nodiscard]] std::string unit(char when, const UnitPlace& place) const
    {
        std::string body(1, when);
        put_big_endian(body, place.piece, 4);
        put_big_endian(body, place.start, 4);
        std::string message;
        put_extended(message, units_id, body + bytes_of(place));
        return message;
    }

    [[nodiscard]] std::string piece(const UnitPlace& place) const
    {
        std::string message;
        put_piece(message, place.piece, place.start, bytes_of(place));
        return message;
    }

    void wait_for_late()
    {
        REQUIRE(test::comes_true([&] {
            bool came = false;
            on_network([&] { came = !probe->late.empty(); });
            return came;
        }));
    }

    // Every byte arrived, once, and counts as it does when it comes in a PIECE message.
    void check_complete()
    {
        CHECK(completes());
        const lt::torrent_status now_is = status();
        CHECK(now_is.total_payload_download == static_cast<std::int64_t>(payload.size()));
        CHECK(now_is.total_redundant_bytes == 0);
        CHECK(now_is.total_failed_bytes == 0);
        CHECK(probe->misfits == 0);
    }

    const std::shared_ptr<Probe> probe;
};

UnitPlace next_request(PeerSocket& peer)
{
    const PeerMessage request = peer.next(6);
    REQUIRE(request.kind == 6);
    return {request.number(0), request.number(4), request.number(8)};
}

} // namespace

TEST_CASE("block injection: a block that is handed over is one that has come")
{
    if (!compression_is_built_in()) {
        return;
    }
    Rig rig;
    PeerSocket peer = rig.peer();
    for (std::uint32_t i = 0; i < rig.blocks(); ++i) {
        peer.send(rig.unit(now, next_request(peer)));
    }
    rig.check_complete();
    CHECK(rig.probe->fits_handshake);
    CHECK(rig.probe->fitting == static_cast<int>(rig.blocks()));
}

TEST_CASE("block injection: blocks of one message, and blocks that come as ever, in turns")
{
    if (!compression_is_built_in()) {
        return;
    }
    Rig rig;
    PeerSocket peer = rig.peer();
    for (std::uint32_t i = 0; i < rig.blocks(); i += 2) { // two are asked for at least
        UnitPlace first = next_request(peer);
        const UnitPlace second = next_request(peer);
        if (i % 4 == 0) {
            peer.send(rig.piece(first) + rig.unit(now, second));
        } else if (first.piece == second.piece && first.start + first.length == second.start) {
            first.length += second.length;
            peer.send(rig.unit(now, first));
        } else {
            peer.send(rig.unit(now, first) + rig.piece(second));
        }
    }
    rig.check_complete();
}

TEST_CASE("block injection: also while another block has come half")
{
    if (!compression_is_built_in()) {
        return;
    }
    Rig rig;
    PeerSocket peer = rig.peer();
    for (std::uint32_t i = 0; i < rig.blocks(); i += 2) {
        const UnitPlace first = next_request(peer);
        const std::string second = rig.piece(next_request(peer));
        const std::size_t half = second.size() / 2;
        peer.send(rig.unit(later, first) + second.substr(0, half));
        rig.wait_for_late();
        REQUIRE(test::comes_true([&] {
            const auto peers = rig.peers();
            return !peers.empty() && peers[0].downloading_progress > 0;
        }));
        rig.on_network([&] {
            const auto [connection, run] = rig.probe->late.front();
            rig.probe->late.pop_front();
            CHECK_FALSE(BlockInjector::is_held(connection));
            hand_over(*rig.probe, connection, run);
        });
        peer.send(second.substr(half));
    }
    rig.check_complete();
}

TEST_CASE("block injection: who is hung up on in the middle does no harm")
{
    if (!compression_is_built_in()) {
        return;
    }
    Rig rig;
    rig.probe->hang_up_after = 1;
    {
        PeerSocket peer = rig.peer();
        UnitPlace first = next_request(peer);
        const UnitPlace second = next_request(peer);
        REQUIRE(first.piece == second.piece);
        REQUIRE(first.start + first.length == second.start);
        first.length += second.length;
        peer.send(rig.unit(now, first));
        peer.wait_for_end();
    }
    rig.on_network([&] { CHECK(rig.probe->blocks == 1); });
    PeerSocket other = rig.peer();
    for (std::uint32_t i = 0; i < rig.blocks(); ++i) {
        other.send(rig.unit(now, next_request(other)));
    }
    CHECK(rig.completes());
}

TEST_CASE("block injection: a message fits where the connection has it, and nowhere else")
{
    if (!compression_is_built_in()) {
        return;
    }
    Rig rig;
    PeerSocket peer = rig.peer();
    peer.send(rig.unit(later, next_request(peer)));
    rig.wait_for_late();
    rig.on_network([&] {
        CHECK(rig.probe->fits_handshake);
        CHECK_FALSE(rig.probe->fits_copy);
        CHECK(rig.probe->fitting == 1);
        const std::string& bytes = rig.probe->late.front().second.bytes; // the message is over
        CHECK_FALSE(BlockInjector::fits(rig.probe->late.front().first, lt::span<const char>(bytes)));
        rig.probe->late.clear();
    });
}

TEST_CASE("block injection: a connection with RC4 does not fit")
{
    if (!compression_is_built_in()) {
        return;
    }
    SessionRig::Options options;
    options.insists_on_rc4 = true;
    Rig fetcher(options);
    options.disk = SessionRig::Disk::complete;
    Rig seeder(options);
    seeder.handle().connect_peer({lt::make_address("127.0.0.1"), fetcher.port()});
    CHECK(fetcher.completes());
    CHECK_FALSE(fetcher.probe->fits_handshake);
    CHECK_FALSE(seeder.probe->fits_handshake);
    CHECK(fetcher.probe->blocks == static_cast<int>(fetcher.blocks()));
}

TEST_CASE("block injection: only the version of libtorrent that it was built with will do")
{
    CHECK(why_no_compression("2.0.8.0", "2.0.8.0").empty());
    CHECK(why_no_compression("2.0.8.0", "2.0.11.0") ==
          "this program was built with libtorrent 2.0.8.0, and runs with 2.0.11.0");
    CHECK(why_no_compression().empty() == compression_is_built_in());
}

} // namespace ezio
