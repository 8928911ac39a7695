// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the seeder's policy does for swarms that no test machine can hold: 1 seeder and up to 1,000 fetchers.
//
//     swarm_sim [--fetchers N]... [--pieces N] [--piece-size MIB] [--mbit RATE] [--latency MS] [--neighbours
//     N] [--ratio R]
//
// The policy is the program's own code (PieceAssigner, SendWindow). The rest is a model:
//  - Time goes in slots, of a 16th of a piece at the speed of a link. In a slot every node sends at most one
//  such
//    part and receives at most one. A sender serves those who have asked it for something in turn. Headers
//    (4.6 % with TCP over Ethernet), losses, and what TCP does at the start of a connection are left out.
//  - A fetcher asks each of its neighbours for one piece at a time: the rarest that it neither has nor has
//  asked
//    for, as libtorrent does, from the knowledge that it has. It learns of a piece `latency` after a
//    neighbour has completed it. A new piece is asked for without delay (in libtorrent, this is what requests
//    ahead are for).
//  - Everybody starts at the same moment and knows its neighbours, chosen at random where there are more
//  fetchers
//    than connections. All disks keep up.
//  - With --ratio R the data shrinks to an R-th on every link, at once and at no cost: a link carries R times
//  as
//    much of it. Latencies stay, and so do the windows' bytes.
// Prints for each number of fetchers the time of the last one and of the median, over that of one perfect
// transfer.
#include "ezio/swarm/piece_assigner.hpp"
#include "swarm/send_window.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using ezio::PieceAssigner;
using ezio::SendWindow;

constexpr std::uint32_t parts_per_piece = 16;
constexpr double block_bytes = 16384;

struct Model {
    std::uint32_t pieces = 512;
    double piece_mib = 4;
    double mbit = 1000;
    double latency_ms = 100;
    double ratio = 1;
    unsigned neighbours = 255; // the program's default for connections, less the seeder's

    [[nodiscard]] std::uint32_t blocks_per_piece() const
    {
        return static_cast<std::uint32_t>(piece_mib * 1048576 / block_bytes);
    }
    [[nodiscard]] std::uint64_t piece_bytes() const
    {
        return static_cast<std::uint64_t>(piece_mib * 1048576);
    }
    [[nodiscard]] std::uint32_t pieces_ahead() const { return ezio::pieces_ahead(piece_bytes()); }
    [[nodiscard]] double slot_ms() const
    {
        return piece_mib * 1048576 * 8 / parts_per_piece / mbit / 1000 / ratio;
    }
};

struct Result {
    double last;
    double median;
    double sent_by_seeder; // in images
};

constexpr unsigned seeder = 0; // the fetchers are 1 to N

struct Transfer {
    unsigned to;
    std::uint32_t piece;
    std::uint32_t parts_left = parts_per_piece;
};

using Bits = std::vector<std::uint64_t>; // a bit per piece

bool test(const Bits& bits, std::uint32_t piece)
{
    return (bits[piece / 64] >> piece % 64 & 1) != 0;
}

void set(Bits& bits, std::uint32_t piece)
{
    bits[piece / 64] |= std::uint64_t{1} << piece % 64;
}

struct Node {
    Bits has;   // and offers
    Bits asked; // of somebody
    std::uint32_t missing = 0;
    std::vector<unsigned> neighbours;
    std::vector<char> busy_with;  // by node: has asked it for something
    std::deque<Transfer> to_send; // whose turn is next
    std::uint64_t received_in_slot = 0;
    std::uint64_t done_in_slot = 0;
};

class Swarm {
  public:
    Swarm(const Model& model, unsigned fetchers);
    Result run();

  private:
    struct News {
        std::uint64_t slot;
        unsigned node;
        std::uint32_t piece;
    };

    void connect(unsigned fetchers);
    void hand_out();
    void hear_news();
    void ask(unsigned node, unsigned of);
    void ask_for(unsigned node, unsigned of, std::uint32_t piece);
    void send(unsigned from);
    void complete(unsigned node, unsigned from, std::uint32_t piece);
    [[nodiscard]] ezio::Clock::time_point now() const
    {
        return ezio::Clock::time_point(std::chrono::duration_cast<ezio::Clock::duration>(
            std::chrono::duration<double, std::milli>(static_cast<double>(m_slot) * m_model.slot_ms())));
    }

    const Model m_model;
    std::mt19937 m_random{7};
    PieceAssigner m_assigner;
    SendWindow m_window;
    std::vector<Node> m_nodes;
    std::vector<std::uint32_t> m_holders; // of each piece, among the fetchers
    std::deque<News> m_news;
    std::uint64_t m_slot = 1;
    std::uint64_t m_parts_of_seeder = 0;
    unsigned m_unfinished;
    bool m_released = false;
};

Swarm::Swarm(const Model& model, unsigned fetchers)
    : m_model(model), m_assigner(model.pieces, model.pieces_ahead()), m_window(model.piece_bytes()),
      m_nodes(fetchers + 1), m_holders(model.pieces), m_unfinished(fetchers)
{
    for (Node& node : m_nodes) {
        node.has.resize((model.pieces + 63) / 64);
        node.asked.resize(node.has.size());
        node.busy_with.resize(m_nodes.size());
        node.missing = model.pieces;
    }
    for (std::uint32_t piece = 0; piece < model.pieces; ++piece) {
        set(m_nodes[seeder].has, piece);
    }
    connect(fetchers);
}

void Swarm::connect(unsigned fetchers)
{
    const auto link = [this](unsigned one, unsigned other) {
        m_nodes[one].neighbours.push_back(other);
        m_nodes[other].neighbours.push_back(one);
    };
    std::vector<unsigned> all(fetchers);
    for (unsigned node = 1; node <= fetchers; ++node) {
        all[node - 1] = node;
    }
    std::shuffle(all.begin(), all.end(), m_random);
    for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), m_model.neighbours + 1); ++i) {
        link(seeder, all[i]);
        m_assigner.add_peer(all[i]);
        m_assigner.admit(all[i]);
    }
    const double share = std::min(1.0, static_cast<double>(m_model.neighbours) / fetchers);
    std::bernoulli_distribution connected(share);
    for (unsigned one = 1; one <= fetchers; ++one) {
        for (unsigned other = one + 1; other <= fetchers; ++other) {
            if (connected(m_random)) {
                link(one, other);
            }
        }
    }
}

Result Swarm::run()
{
    std::vector<unsigned> order(m_nodes.size());
    for (unsigned node = 0; node < order.size(); ++node) {
        order[node] = node;
    }
    for (; m_unfinished > 0; ++m_slot) {
        if (m_slot > std::uint64_t{100} * m_model.pieces * parts_per_piece) {
            throw std::runtime_error("the swarm has come to a standstill");
        }
        hear_news();
        hand_out();
        std::shuffle(order.begin(), order.end(), m_random);
        for (const unsigned node : order) {
            send(node);
        }
    }
    std::vector<std::uint64_t> times;
    for (unsigned node = 1; node < m_nodes.size(); ++node) {
        times.push_back(m_nodes[node].done_in_slot);
    }
    std::sort(times.begin(), times.end());
    const double image = static_cast<double>(m_model.pieces) * parts_per_piece; // in slots, compressed
    const double perfect = image * m_model.ratio;
    return {static_cast<double>(times.back()) / perfect,
            static_cast<double>(times[times.size() / 2]) / perfect,
            static_cast<double>(m_parts_of_seeder) / image};
}

// As the program's seeder does.
void Swarm::hand_out()
{
    if (m_released) {
        return;
    }
    if (m_assigner.all_spread()) {
        m_released = true;
        for (const unsigned node : m_nodes[seeder].neighbours) {
            ask(node, seeder);
        }
        return;
    }
    while (m_window.has_room(now())) {
        const auto to = m_assigner.next_in_line();
        if (!to) {
            break;
        }
        const std::uint32_t piece = m_assigner.give(*to);
        m_window.given(piece, now());
        ask_for(static_cast<unsigned>(*to), seeder, piece);
    }
    for (const unsigned node : m_nodes[seeder].neighbours) {
        const auto change = m_assigner.help_out(node);
        for (const std::uint32_t piece : change.give) {
            if (!test(m_nodes[node].asked, piece)) {
                ask_for(node, seeder, piece);
            }
        }
    }
}

// Neighbours learn who has completed what.
void Swarm::hear_news()
{
    for (; !m_news.empty() && m_news.front().slot <= m_slot; m_news.pop_front()) {
        const News news = m_news.front();
        set(m_nodes[news.node].has, news.piece); // from now on it is offered
        for (const unsigned neighbour : m_nodes[news.node].neighbours) {
            if (neighbour == seeder) {
                m_assigner.peer_has(news.node, news.piece);
                m_window.gone(news.piece);
            } else if (m_nodes[neighbour].busy_with[news.node] == 0) {
                ask(neighbour, news.node);
            }
        }
    }
}

// `node` asks for the rarest piece that it can get from there.
void Swarm::ask(unsigned node, unsigned of)
{
    const Bits& offered = m_nodes[of].has;
    const Bits& asked = m_nodes[node].asked;
    const std::size_t start = m_random() % offered.size(); // among equals, any
    std::optional<std::uint32_t> rarest;
    for (std::size_t i = 0; i < offered.size(); ++i) {
        const std::size_t word = (start + i) % offered.size();
        for (std::uint64_t bits = offered[word] & ~asked[word]; bits != 0; bits &= bits - 1) {
            const auto piece =
                static_cast<std::uint32_t>(word * 64 + static_cast<std::size_t>(std::countr_zero(bits)));
            if (!rarest || m_holders[piece] < m_holders[*rarest]) {
                rarest = piece;
            }
        }
    }
    if (rarest) {
        ask_for(node, of, *rarest);
    }
}

void Swarm::ask_for(unsigned node, unsigned of, std::uint32_t piece)
{
    set(m_nodes[node].asked, piece);
    m_nodes[node].busy_with[of] = 1;
    m_nodes[of].to_send.push_back({node, piece});
    if (of == seeder) {
        (void)m_assigner.peer_began(node, piece);
    }
}

// One part to the first whose link is free.
void Swarm::send(unsigned from)
{
    std::deque<Transfer>& queue = m_nodes[from].to_send;
    const auto free = std::find_if(queue.begin(), queue.end(), [this](const Transfer& transfer) {
        return m_nodes[transfer.to].received_in_slot != m_slot;
    });
    if (free == queue.end()) {
        return;
    }
    Transfer transfer = *free;
    queue.erase(free);
    m_nodes[transfer.to].received_in_slot = m_slot;
    if (from == seeder) {
        ++m_parts_of_seeder;
        for (std::uint32_t block = 0; block < m_model.blocks_per_piece() / parts_per_piece; ++block) {
            m_window.sent_block(transfer.piece, now());
        }
    }
    if (--transfer.parts_left > 0) {
        queue.push_back(transfer);
    } else {
        complete(transfer.to, from, transfer.piece);
    }
}

void Swarm::complete(unsigned node, unsigned from, std::uint32_t piece)
{
    ++m_holders[piece];
    m_nodes[node].busy_with[from] = 0;
    const auto latency = static_cast<std::uint64_t>(m_model.latency_ms / m_model.slot_ms()) + 1;
    m_news.push_back({m_slot + latency, node, piece});
    if (--m_nodes[node].missing == 0) {
        m_nodes[node].done_in_slot = m_slot;
        --m_unfinished;
    } else if (from != seeder || m_released) {
        ask(node, from);
    }
}

double number(const char* text)
{
    char* end = nullptr;
    const double value = std::strtod(text, &end);
    if (*end != '\0' || !(value > 0) || value > 1e6) {
        throw std::runtime_error(std::string("not a number: ") + text);
    }
    return value;
}

int run(const std::vector<const char*>& arguments)
{
    Model model;
    std::vector<unsigned> swarms;
    for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
        const std::string option = arguments[i];
        const double value = number(arguments[i + 1]);
        if (option == "--fetchers") {
            swarms.push_back(static_cast<unsigned>(value));
        } else if (option == "--pieces") {
            model.pieces = static_cast<std::uint32_t>(value);
        } else if (option == "--piece-size") {
            model.piece_mib = value;
        } else if (option == "--mbit") {
            model.mbit = value;
        } else if (option == "--latency") {
            model.latency_ms = value;
        } else if (option == "--neighbours") {
            model.neighbours = static_cast<unsigned>(value);
        } else if (option == "--ratio") {
            model.ratio = value;
        } else {
            throw std::runtime_error("unknown option " + option);
        }
    }
    if (arguments.size() % 2 != 0) {
        throw std::runtime_error("each option takes a value");
    }
    if (swarms.empty()) {
        swarms = {32, 100, 300, 1000};
    }
    std::printf(
        "%u pieces of %.2f MiB, links of %.0f Mbit/s, latency %.0f ms, %u neighbours at most, %.1f:1\n",
        model.pieces, model.piece_mib, model.mbit, model.latency_ms, model.neighbours, model.ratio);
    for (const unsigned fetchers : swarms) {
        const Result result = Swarm(model, fetchers).run();
        std::printf("N=%-4u  stretch %.3f  median %.3f  the seeder sent %.3f images\n", fetchers, result.last,
                    result.median, result.sent_by_seeder);
        std::fflush(stdout);
    }
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "swarm_sim: %s\n", error.what());
        return 2;
    }
}
