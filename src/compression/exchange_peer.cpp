// SPDX-License-Identifier: GPL-2.0-or-later
#include "exchange_peer.hpp"

#include "ezio/peers/peer_messages.hpp"
#include "ezio/peers/piece_number.hpp"
#include "ezio/peers/reply_limits.hpp"

#include <libtorrent/error_code.hpp>
#include <libtorrent/operations.hpp>
#include <libtorrent/peer_request.hpp>

#include <algorithm>
#include <utility>

namespace ezio {

namespace {

UnitPlace to_place(const lt::peer_request& request)
{
    return {to_number(request.piece), static_cast<std::uint32_t>(request.start),
            static_cast<std::uint32_t>(request.length)};
}

lt::peer_request to_request(const UnitPlace& place)
{
    return {lt::piece_index_t(static_cast<int>(place.piece)), static_cast<int>(place.start),
            static_cast<int>(place.length)};
}

std::vector<UnitPlace> blocks_of(const UnitPlace& place)
{
    std::vector<UnitPlace> blocks;
    for (std::uint32_t at = 0; at < place.length; at += block_bytes) {
        blocks.push_back({place.piece, place.start + at, std::min(block_bytes, place.length - at)});
    }
    return blocks;
}

std::span<const char> to_std(lt::span<const char> bytes)
{
    return {bytes.data(), static_cast<std::size_t>(bytes.size())};
}

} // namespace

ExchangePeer::ExchangePeer(std::shared_ptr<ExchangeState> state, lt::peer_connection_handle connection)
    : m_state(std::move(state)),
      m_connection(std::move(connection)), m_listeners{find_listener(m_connection, swarm_plugin),
                                                       find_listener(m_connection, ledger_plugin),
                                                       find_listener(m_connection, guard_plugin)}
{
    m_state->add(*this);
}

ExchangePeer::~ExchangePeer()
{
    forget_late();
    m_state->remove(*this); // for connections that fail, which have no on_disconnect()
}

// --- negotiation ---

void ExchangePeer::add_handshake(lt::entry& handshake)
{
    if (m_state->can_take()) {
        handshake["m"][units_key] = units_id;
        handshake[codecs_key] = known_codecs;
    }
}

bool ExchangePeer::on_extension_handshake(const lt::bdecode_node& handshake)
{
    m_id = extension_id(handshake, units_key);
    if (m_id == 0) {
        m_codecs = 0;
    }
    if (m_id != 0 && !m_can_take && m_state->can_take() && BlockInjector::fits(m_connection, handshake)) {
        m_can_take = true;
        if (m_state->wants_units()) {
            say_what_may_be_sent();
        }
    }
    return true;
}

void ExchangePeer::say_what_may_be_sent()
{
    if (!m_can_take || m_id == 0) {
        return;
    }
    std::string message;
    put_extended(message, m_id, may_message(m_state->wants_units() ? known_codecs : 0));
    send(message);
}

bool ExchangePeer::on_extended(int length, int message, lt::span<const char> body)
{
    if (message != units_id) {
        return false;
    }
    if (length < 1 || static_cast<std::size_t>(length) > most_message_bytes) {
        hang_up();
    } else if (body.size() >= length) {
        receive(body);
    }
    return true;
}

void ExchangePeer::receive(lt::span<const char> body)
{
    if (const auto codecs = parse_may(to_std(body))) {
        m_codecs = m_id != 0 ? *codecs & known_codecs : 0;
        return;
    }
    const auto unit = m_can_take ? parse_unit(to_std(body), m_state->image()) : std::nullopt;
    if (!unit || !m_asked.take(unit->place)) {
        hang_up();
    } else if (!BlockInjector::fits(m_connection, body)) {
        m_state->take_nothing(); // it fitted when the peer connected: nothing is certain any more
        hang_up();
    } else {
        receive_unit(*unit);
    }
}

void ExchangePeer::on_disconnect(const lt::error_code&)
{
    m_gone = true;
    m_codecs = 0;
    (void)m_queue.take_all();
    forget_late();
    m_state->remove(*this);
}

void ExchangePeer::hang_up()
{
    m_connection.disconnect(lt::errors::invalid_message, lt::operation_t::bittorrent);
}

void ExchangePeer::send(const std::string& message)
{
    if (!m_gone && !m_connection.is_disconnecting()) {
        m_connection.send_buffer(message.data(), static_cast<int>(message.size()));
    }
}

// --- requests of the peer ---

// libtorrent validates requests only after this hook, so every unusual one is left to it.
bool ExchangePeer::takes_over(const lt::peer_request& request) const
{
    if (m_codecs == 0 || request.start < 0 || request.length <= 0 || m_connection.is_choked() ||
        !m_connection.is_peer_interested()) {
        return false;
    }
    const UnitPlace block = to_place(request);
    if (!m_state->has(block.piece) || block.start % block_bytes != 0) {
        return false;
    }
    const std::uint64_t size = m_state->image().piece_size(block.piece);
    return block.start < size && block.length == std::min<std::uint64_t>(block_bytes, size - block.start);
}

bool ExchangePeer::on_request(const lt::peer_request& request)
{
    if (!takes_over(request) || !m_state->compresses() || m_state->dense().leave_out() ||
        !m_queue.add(to_place(request))) {
        return false;
    }
    m_state->look_soon();
    return true;
}

bool ExchangePeer::on_cancel(const lt::peer_request& request)
{
    const UnitPlace block = to_place(request);
    if (!m_queue.cancel(block)) {
        return false;
    }
    std::string message;
    put_reject(message, block.piece, block.start, block.length);
    send(message);
    return true;
}

void ExchangePeer::sent_choke()
{
    for (const UnitPlace& block : m_queue.take_all()) {
        reject(block);
    }
}

void ExchangePeer::fail(const UnitPlace& place)
{
    ended(place);
    reject(place);
}

void ExchangePeer::reject(const UnitPlace& place)
{
    std::string message;
    for (const UnitPlace& block : blocks_of(place)) {
        put_reject(message, block.piece, block.start, block.length);
        for (AnswerListener* listener : m_listeners) {
            if (listener != nullptr && !m_gone) {
                listener->sent_rejection(to_request(block));
            }
        }
    }
    send(message);
}

// libtorrent does not see the requests that are answered here.
bool ExchangePeer::can_disconnect(const lt::error_code& error)
{
    constexpr std::chrono::seconds patience{60};
    return error != lt::errors::timed_out_no_request ||
           (m_queue.empty() && m_in_work == 0 && Clock::now() - m_last_sent > patience);
}

// Queues as much as libtorrent does: a tenth of a second, because messages wait behind it. See
// session_settings.cpp.
void ExchangePeer::tick() // once a second
{
    m_rate = std::exchange(m_sent_bytes, 0);
    m_window = std::clamp(m_rate / 10, least_window, most_window);
}

// At the start, before the rate is known, or when the network has become faster.
void ExchangePeer::widen_if_starved()
{
    if (m_has_sent && !m_queue.empty() && m_in_work == 0 && waiting_to_send() == 0) {
        m_window = std::min(2 * m_window, most_window);
        m_has_sent = false;
    }
}

void ExchangePeer::sent_payload(int bytes)
{
    m_sent_bytes += static_cast<std::uint64_t>(bytes);
    m_state->count_sent(static_cast<std::uint64_t>(bytes));
}

// While data does not shrink, only tries come here. They do not wait: plain blocks keep the buffer full.
std::uint64_t ExchangePeer::window() const
{
    return m_state->dense().is_likely() ? usual_waiting : m_window;
}

void ExchangePeer::pump()
{
    widen_if_starved();
    while (!m_queue.empty() && m_state->has_room() && waiting_to_send() + m_in_work < window()) {
        const UnitPlace run = m_queue.next_run(m_state->unit_bytes());
        if (const UnitPtr unit = m_state->store().find(run, m_codecs)) {
            m_queue.pop(unit->place);
            m_state->dense().did_shrink();
            m_state->shared().forwarded_payload += unit->place.length;
            send_unit(*unit);
            continue;
        }
        m_queue.pop(run);
        m_in_work += run.length;
        m_state->begin(*this, run);
    }
}

// There is no event when the network has taken units, so this is when it will have taken a quarter of the
// window.
std::optional<milliseconds> ExchangePeer::next_look() const
{
    constexpr milliseconds soonest{2};
    constexpr milliseconds latest{20};
    if (!m_late.empty()) {
        return soonest;
    }
    if (m_queue.empty() || m_in_work > 0) {
        return std::nullopt;
    }
    const std::uint64_t enough = window() / 4 * 3;
    const std::uint64_t waiting = waiting_to_send();
    const std::uint64_t excess = waiting > enough ? waiting - enough : 0;
    const auto time = static_cast<std::int64_t>(1000 * excess / std::max<std::uint64_t>(m_rate, 1));
    return m_rate == 0 ? soonest : std::clamp(milliseconds(time), soonest, latest);
}

void ExchangePeer::ended(const UnitPlace& place)
{
    m_in_work -= std::min<std::uint64_t>(m_in_work, place.length);
}

void ExchangePeer::answer(const Unit& unit)
{
    ended(unit.place);
    send_unit(unit);
}

void ExchangePeer::send_unit(const Unit& unit)
{
    std::string payload;
    payload.reserve(unit_head_bytes + unit.packed.size());
    put_unit_head(payload, unit.codec, unit.place);
    payload.append(unit.packed.data(), unit.packed.size());
    std::string message;
    message.reserve(payload.size() + 6);
    put_extended(message, m_id, payload);
    send(message);
    count_sent(unit.place, message.size());
}

void ExchangePeer::answer_as_it_is(const UnitPlace& place, const std::byte* data)
{
    ended(place);
    std::string message;
    for (const UnitPlace& block : blocks_of(place)) {
        message.clear();
        put_piece(message, block.piece, block.start,
                  {reinterpret_cast<const char*>(data) + (block.start - place.start), block.length});
        send(message);
    }
    count_sent(place, place.length);
}

void ExchangePeer::count_sent(const UnitPlace& place, std::uint64_t wire_bytes)
{
    if (m_gone) {
        return;
    }
    m_last_sent = Clock::now();
    m_has_sent = true;
    m_sent_bytes += wire_bytes;
    m_state->count_sent(place.length);
    m_state->shared().sent_bytes += wire_bytes;
    m_state->shared().sent_payload += place.length;
    for (const UnitPlace& block : blocks_of(place)) {
        const std::uint64_t share = wire_bytes * block.length / place.length;
        for (AnswerListener* listener : m_listeners) {
            if (listener != nullptr) {
                listener->sent_block(to_request(block), share);
            }
        }
    }
}

// --- requests to the peer ---

void ExchangePeer::sent_request(const lt::peer_request& request)
{
    if (m_can_take) {
        m_asked.asked(to_number(request.piece), static_cast<std::uint32_t>(request.start));
    }
}

bool ExchangePeer::on_piece(const lt::peer_request& request, lt::span<const char> data)
{
    m_state->count_received(static_cast<std::uint64_t>(data.size()));
    m_asked.answered(to_number(request.piece), static_cast<std::uint32_t>(request.start));
    return false;
}

bool ExchangePeer::on_reject(const lt::peer_request& request)
{
    m_asked.answered(to_number(request.piece), static_cast<std::uint32_t>(request.start));
    return false;
}

void ExchangePeer::receive_unit(const UnitView& unit)
{
    m_state->shared().received_bytes += unit.packed.size() + unit_head_bytes;
    m_state->shared().received_payload += unit.place.length;
    m_state->count_unit(unit.place.length);
    const DiskEngine& engine = *m_state->shared().engine;
    const std::uint64_t taken_before = engine.blocks_taken();
    const std::uint32_t handed_over = m_late.empty() ? hand_over(unit, 0) : 0;
    if (m_gone || m_connection.is_disconnecting()) {
        return;
    }
    if (handed_over < unit.place.length) {
        wait({unit.codec, unit.place, handed_over, {unit.packed.begin(), unit.packed.end()}});
    } else if (engine.blocks_taken() - taken_before == blocks_of(unit.place).size()) {
        m_state->store().add_received(std::make_shared<const Unit>(
            Unit{unit.codec, unit.place, {unit.packed.begin(), unit.packed.end()}}));
    }
}

// Such a unit is not stored for other peers: its piece may meanwhile have failed and been begun again.
void ExchangePeer::wait(LateUnit unit)
{
    m_state->add_late(unit.packed.size());
    m_late.push_back(std::move(unit));
    m_state->look_soon();
}

void ExchangePeer::forget_late()
{
    for (const LateUnit& unit : m_late) {
        m_state->remove_late(unit.packed.size());
    }
    m_late.clear();
}

// Hands over the unit's blocks from byte `from` on, until libtorrent stops reading. Returns the end of the
// handed-over bytes.
std::uint32_t ExchangePeer::hand_over(const UnitView& unit, std::uint32_t from)
{
    BlockInjector& injector = m_state->injector();
    const std::span<char> data = injector.memory().first(unit.place.length);
    if (BlockInjector::is_held(m_connection)) {
        return from;
    }
    if (!unpack(unit.codec, unit.packed, data)) {
        hang_up();
        return from;
    }
    for (std::uint32_t at = from; at < unit.place.length;) {
        const std::uint32_t length = std::min(block_bytes, unit.place.length - at);
        injector.inject(m_connection, {unit.place.piece, unit.place.start + at, length}, at);
        at += length;
        if (m_gone || m_connection.is_disconnecting() || BlockInjector::is_held(m_connection)) {
            return at;
        }
    }
    return unit.place.length;
}

void ExchangePeer::go_on()
{
    while (!m_late.empty() && !m_gone && !m_connection.is_disconnecting()) {
        LateUnit unit = std::move(m_late.front()); // taken out: the queue may be cleared meanwhile
        m_late.pop_front();
        m_state->remove_late(unit.packed.size());
        const std::uint32_t handed_over = hand_over({unit.codec, unit.place, unit.packed}, unit.handed_over);
        if (handed_over < unit.place.length && !m_gone && !m_connection.is_disconnecting()) {
            m_state->add_late(unit.packed.size());
            m_late.push_front({unit.codec, unit.place, handed_over, std::move(unit.packed)});
            return;
        }
    }
}

} // namespace ezio
