// SPDX-License-Identifier: GPL-2.0-or-later
//
// libtorrent counts data as received in peer_connection::incoming_piece. That function is neither virtual nor
// exported, and for BitTorrent the parser of PIECE messages is its only caller. The public interface is not
// enough:
//   - plugins can only look at messages and swallow them;
//   - a PIECE shorter than its block ends the connection;
//   - a crypto_plugin works in place, so data cannot become longer;
//   - torrent_handle::add_piece takes whole pieces, credits no peer, and leaves the requests open.
// Units would need a second picker, with windows and time-outs of its own.
//
// But the headers of both connection classes are installed, so a program compiled with the same package knows
// their layout. And bt_peer_connection::on_receive, a public virtual member, parses whatever the receive
// buffer contains. So each block is injected like this, with the memory of the receive buffer replaced by
// ours:
//     1. A PIECE message is made of the block by writing the 9 bytes of its head before it.
//     2. The receive buffer is set to contain this one message, as if just read, and on_receive() is called.
//     3. Memory and counters are restored, even after an exception.
// libtorrent's picker, request windows, time-outs, rates, bans, plugins and limits then see what they always
// see. on_receive() may be called within on_receive(): the parser calls on_extended() at the end of a message
// and looks at the buffer's counters only afterwards. It corks the sending side. Nothing in it reads from the
// socket, because bw_network is set meanwhile. A read in progress continues into memory that stays in place.
//
// Seven of the members are private or protected. Access is not checked in an explicit instantiation, which
// yields their addresses; a renamed member is a compile error. The other safeguards:
//     - lt::version() must be the version of the headers, otherwise compression is not offered to any peer.
//     - The canary: when the peer's extension handshake arrives, and again with each unit, the message that
//       libtorrent hands to the plugin must lie exactly where these members say.
//     - Connections with RC4 are excluded: on_receive() would decrypt injected data. TLS is a layer below all
//       this.
// UBSan's vptr check is impossible in this file, because the library hides the classes' type information.
#include "block_injection.hpp"

#include "ezio/compression/availability.hpp"

#include <libtorrent/version.hpp>

#include <fmt/format.h>

#ifdef EZIO_COMPRESSION

#include <libtorrent/bdecode.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/peer_info.hpp>
#if LIBTORRENT_VERSION_NUM >= 20100
#include <libtorrent/aux_/bt_peer_connection.hpp>
#else
#include <libtorrent/bt_peer_connection.hpp>
#endif

namespace ezio {

namespace {

#if LIBTORRENT_VERSION_NUM >= 20100
using Connection = lt::aux::peer_connection;
using BtConnection = lt::aux::bt_peer_connection;
#else
using Connection = lt::peer_connection;
using BtConnection = lt::bt_peer_connection;
#endif
using Buffer = lt::aux::receive_buffer;

// reach(Tag) returns the `Value` that was granted to the tag.
template <typename Tag, auto Value>
struct Grant {
    friend constexpr auto reach(Tag) { return Value; }
};

struct ReceiveBuffer {
    friend constexpr auto reach(ReceiveBuffer);
};
struct Start {
    friend constexpr auto reach(Start);
};
struct End {
    friend constexpr auto reach(End);
};
struct Pos {
    friend constexpr auto reach(Pos);
};
struct PacketSize {
    friend constexpr auto reach(PacketSize);
};
struct BufferMemory {
    friend constexpr auto reach(BufferMemory);
};
struct State {
    friend constexpr auto reach(State);
};
struct ReadPacket {
    friend constexpr auto reach(ReadPacket);
};

template struct Grant<ReceiveBuffer, &Connection::m_recv_buffer>;
template struct Grant<Start, &Buffer::m_recv_start>;
template struct Grant<End, &Buffer::m_recv_end>;
template struct Grant<Pos, &Buffer::m_recv_pos>;
template struct Grant<PacketSize, &Buffer::m_packet_size>;
template struct Grant<BufferMemory, &Buffer::m_recv_buffer>;
template struct Grant<State, &BtConnection::m_state>;
template struct Grant<ReadPacket, BtConnection::state_t::read_packet>;

constexpr int piece_head_bytes = 9; // of a PIECE message, without its length
constexpr char piece_message = 7;
constexpr char extended_message = 20;

Buffer& receive_buffer(Connection& connection)
{
    return connection.*reach(ReceiveBuffer{});
}

std::shared_ptr<BtConnection> bt_connection(const lt::peer_connection_handle& handle)
{
    return std::static_pointer_cast<BtConnection>(handle.native_handle());
}

// Whether the message with this payload, which the parser is processing, is where it must be.
bool holds(BtConnection& connection, lt::span<const char> payload)
{
    constexpr int before = 2; // 20, and the extension's number
    const Buffer& buffer = receive_buffer(connection);
    const auto& memory = buffer.*reach(BufferMemory{});
    const int start = buffer.*reach(Start{});
    const int size = static_cast<int>(payload.size()) + before;
    return start >= 0 && buffer.*reach(Pos{}) == size && buffer.*reach(PacketSize{}) == size &&
           buffer.*reach(End{}) >= start + size && memory.size() >= buffer.*reach(End{}) &&
           payload.data() == memory.data() + start + before && memory.data()[start] == extended_message &&
           connection.*reach(State{}) == reach(ReadPacket{}) && !connection.rc4_encrypted();
}

// Replaces the memory of the connection's receive buffer by ours for its lifetime.
class Exchanged {
  public:
    Exchanged(BtConnection& connection, lt::aux::buffer& memory)
        : m_connection(connection), m_buffer(receive_buffer(connection)), m_memory(memory),
          m_start(m_buffer.*reach(Start{})), m_end(m_buffer.*reach(End{})), m_pos(m_buffer.*reach(Pos{})),
          m_packet_size(m_buffer.*reach(PacketSize{})), m_state(m_connection.*reach(State{})),
          m_reading(channel() & lt::peer_info::bw_network)
    {
        (m_buffer.*reach(BufferMemory{})).swap(m_memory);
        channel() |= lt::peer_info::bw_network;
    }

    ~Exchanged()
    {
        (m_buffer.*reach(BufferMemory{})).swap(m_memory);
        m_buffer.*reach(Start{}) = m_start;
        m_buffer.*reach(End{}) = m_end;
        m_buffer.*reach(Pos{}) = m_pos;
        m_buffer.*reach(PacketSize{}) = m_packet_size;
        m_connection.*reach(State{}) = m_state;
        if (!m_reading) {
            channel() &= ~lt::peer_info::bw_network;
        }
    }
    Exchanged(const Exchanged&) = delete;
    Exchanged& operator=(const Exchanged&) = delete;

    // Pretends that a message of `size` bytes, from `start` of the memory, was just read.
    void receive(int start, int size)
    {
        m_buffer.*reach(Start{}) = start;
        m_buffer.*reach(End{}) = start + size;
        m_buffer.*reach(Pos{}) = size;
        m_buffer.*reach(PacketSize{}) = size;
        m_connection.*reach(State{}) = reach(ReadPacket{});
        m_connection.on_receive(lt::error_code(), static_cast<std::size_t>(size));
    }

  private:
    [[nodiscard]] lt::bandwidth_state_flags_t& channel()
    {
        return m_connection.m_channel_state[Connection::download_channel];
    }

    BtConnection& m_connection;
    Buffer& m_buffer;
    lt::aux::buffer& m_memory;
    const int m_start;
    const int m_end;
    const int m_pos;
    const int m_packet_size;
    const std::remove_const_t<decltype(reach(ReadPacket{}))> m_state;
    const bool m_reading;
};

void put(char* at, std::uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        *at++ = static_cast<char>(value >> shift & 0xff);
    }
}

} // namespace

struct BlockInjector::Memory {
    lt::aux::buffer buffer{piece_head_bytes + static_cast<std::ptrdiff_t>(most_unit_bytes)};
};

bool compression_is_built_in()
{
    return true;
}

std::string why_no_compression()
{
    return why_no_compression(LIBTORRENT_VERSION, lt::version());
}

BlockInjector::BlockInjector() : m_memory(std::make_unique<Memory>()) {}

bool BlockInjector::fits(const lt::peer_connection_handle& connection, const lt::bdecode_node& handshake)
{
    const auto bt = bt_connection(connection);
    return bt && holds(*bt, handshake.data_section());
}

bool BlockInjector::fits(const lt::peer_connection_handle& connection, lt::span<const char> payload)
{
    const auto bt = bt_connection(connection);
    return bt && holds(*bt, payload);
}

bool BlockInjector::is_held(const lt::peer_connection_handle& connection)
{
    const auto bt = bt_connection(connection);
    return bt && bool(bt->m_channel_state[Connection::download_channel] & lt::peer_info::bw_disk);
}

std::uint64_t BlockInjector::waiting_to_send(const lt::peer_connection_handle& connection)
{
    const auto bt = bt_connection(connection);
    return bt ? static_cast<std::uint64_t>(bt->send_buffer_size()) : 0;
}

std::span<char> BlockInjector::memory()
{
    return {m_memory->buffer.data() + piece_head_bytes, most_unit_bytes};
}

void BlockInjector::inject(const lt::peer_connection_handle& connection, const UnitPlace& block,
                           std::size_t offset)
{
    const auto bt = bt_connection(connection);
    if (!bt) {
        return;
    }
    char* const head = m_memory->buffer.data() + offset;
    head[0] = piece_message;
    put(head + 1, block.piece);
    put(head + 5, block.start);
    Exchanged(*bt, m_memory->buffer)
        .receive(static_cast<int>(offset), piece_head_bytes + static_cast<int>(block.length));
}

} // namespace ezio

#else // #else // built without injection

namespace ezio {

struct BlockInjector::Memory {};

bool compression_is_built_in()
{
    return false;
}

std::string why_no_compression()
{
    return "this program was built without it";
}

BlockInjector::BlockInjector() = default;

bool BlockInjector::fits(const lt::peer_connection_handle&, const lt::bdecode_node&)
{
    return false;
}

bool BlockInjector::fits(const lt::peer_connection_handle&, lt::span<const char>)
{
    return false;
}

bool BlockInjector::is_held(const lt::peer_connection_handle&)
{
    return false;
}

std::uint64_t BlockInjector::waiting_to_send(const lt::peer_connection_handle&)
{
    return 0;
}

std::span<char> BlockInjector::memory()
{
    return {};
}

void BlockInjector::inject(const lt::peer_connection_handle&, const UnitPlace&, std::size_t) {}

} // namespace ezio

#endif

namespace ezio {

std::string why_no_compression(std::string_view built_with, std::string_view runs_with)
{
    return built_with == runs_with
               ? ""
               : fmt::format("this program was built with libtorrent {}, and runs with {}", built_with,
                             runs_with);
}

BlockInjector::~BlockInjector() = default;

} // namespace ezio
