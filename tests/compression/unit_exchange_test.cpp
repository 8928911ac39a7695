// SPDX-License-Identifier: GPL-2.0-or-later
//
// The receiving side, in a session, with a peer that the test plays.
#include "compression/unit_message.hpp"
#include "peer_socket.hpp"
#include "session_rig.hpp"

#include "catch.hpp"

#include "ezio/compression/availability.hpp"
#include "ezio/compression/unit_exchange.hpp"

#include <utility>

namespace ezio {

using test::PeerMessage;
using test::PeerSocket;
using test::SessionRig;
using namespace std::chrono_literals;

namespace {

constexpr int hung_up = -1;
constexpr int request = 6;
constexpr int extended = 20;

struct Exchange { // which is there before the session, and after it
    std::optional<UnitExchange> exchange{};
};

struct Rig : Exchange, SessionRig {
    Rig(const Options& options, std::uint64_t memory) : SessionRig(options)
    {
        exchange.emplace(torrent.image, UnitExchange::Options{on_disk(), memory, false});
        exchange->attach(context(), engine());
        add_torrent([&](lt::add_torrent_params& params) { exchange->extend(params); });
    }
    ~Rig()
    {
        target.write_gate.open();
        exchange->stop();
    }

    PeerSocket peer(char name = 'a')
    {
        PeerSocket socket(port());
        socket.introduce(*parse_sha1(torrent.info_hash), "d11:ezio_codecsi3e1:md11:ezio_units1i40eee", name);
        return socket;
    }

    [[nodiscard]] std::span<const std::byte> bytes_of(const UnitPlace& place) const
    {
        return std::span(payload).subspan(torrent.image.piece_offset(place.piece) + place.start,
                                          place.length);
    }

    [[nodiscard]] std::string unit(const UnitPlace& place)
    {
        std::vector<char> packed;
        REQUIRE(m_packer.pack({}, bytes_of(place), place.length, packed));
        std::string body;
        put_unit_head(body, Codec::lz4, place);
        body.append(packed.begin(), packed.end());
        std::string message;
        put_extended(message, units_id, body);
        return message;
    }

    [[nodiscard]] std::string piece(const UnitPlace& place) const
    {
        const auto bytes = bytes_of(place);
        std::string message;
        put_piece(message, place.piece, place.start,
                  {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        return message;
    }

  private:
    Packer m_packer;
};

UnitPlace place_of(const PeerMessage& message)
{
    return {message.number(0), message.number(4), message.number(8)};
}

// What may be sent, where the message says that.
std::optional<CodecMask> permission_in(const PeerMessage& message)
{
    const bool is_ours = message.kind == extended && message.payload.starts_with(static_cast<char>(units_id));
    return is_ours ? parse_may(std::span(message.payload).subspan(1)) : std::nullopt;
}

// What may be sent from now on. Fails when the other end hangs up before it says so.
std::optional<CodecMask> next_permission(PeerSocket& peer)
{
    for (PeerMessage message = peer.next(extended); message.kind != hung_up; message = peer.next(extended)) {
        if (const auto permission = permission_in(message)) {
            return permission;
        }
    }
    return std::nullopt;
}

} // namespace

TEST_CASE("unit exchange: while units wait for the disk none are wanted, and no block is taken twice")
{
    if (!compression_is_built_in()) {
        return;
    }
    constexpr std::uint64_t memory = 16_KiB; // a unit that waits is too much
    SessionRig::Options options;
    options.blocks = 512; // four times what the engine has room for
    Rig rig(options, memory);
    rig.target.write_gate.close();
    PeerSocket peer = rig.peer();
    std::vector<CodecMask> permissions;
    bool sends_units = false;
    std::string answers; // sent together, so that what follows a unit that waits is there when it waits
    for (std::uint32_t answered = 0; answered < rig.blocks();) {
        if (!peer.has_something_to_read(0ms)) {
            peer.send(std::exchange(answers, {}));
        }
        if (!peer.has_something_to_read(500ms)) {
            rig.target.write_gate
                .open(); // the full engine has stopped the connection with no unit in between
        }
        const PeerMessage message = peer.message();
        REQUIRE(message.kind != hung_up);
        if (const auto codecs = permission_in(message)) {
            permissions.push_back(*codecs);
            sends_units = *codecs != 0;
            if (!sends_units) {
                rig.target.write_gate.open();
            }
        } else if (message.kind == request) {
            const UnitPlace place = place_of(message);
            answers += sends_units ? rig.unit(place) : rig.piece(place);
            ++answered;
        }
    }
    peer.send(answers);
    CHECK(rig.completes());
    REQUIRE_FALSE(permissions.empty());
    for (std::size_t i = 0; i < permissions.size(); ++i) {
        CHECK(permissions[i] == (i % 2 == 0 ? known_codecs : 0));
    }
    CHECK(rig.engine().blocks_taken() == rig.blocks());
    CHECK(rig.status().total_redundant_bytes == 0);
    const auto reasons = rig.exchange->take_reasons();
    REQUIRE_FALSE(reasons.empty());
    CHECK_THAT(reasons.front(), test::contains("the disk is behind"));
}

TEST_CASE("unit exchange: a unit of what the peer has said that it will not send is a reason to hang up")
{
    if (!compression_is_built_in()) {
        return;
    }
    Rig rig({}, 1_MiB);
    PeerSocket peer = rig.peer();
    REQUIRE(next_permission(peer) == known_codecs);
    const UnitPlace place = place_of(peer.next(request));
    std::string rejection;
    put_reject(rejection, place.piece, place.start, place.length);
    peer.send(rejection + rig.unit(place));
    peer.wait_for_end();
    CHECK(rig.exchange->counts().received_payload == 0);
}

TEST_CASE("unit exchange: of a unit that holds nothing of what it says not a block is taken")
{
    if (!compression_is_built_in()) {
        return;
    }
    Rig rig({}, 1_MiB);
    PeerSocket peer = rig.peer();
    REQUIRE(next_permission(peer) == known_codecs);
    std::string unit = rig.unit(place_of(peer.next(request)));
    unit.at(6) = static_cast<char>(Codec::zstd); // which it is not
    peer.send(unit);
    peer.wait_for_end();
    CHECK(rig.engine().blocks_taken() == 0);
}

} // namespace ezio
