// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the disk engine costs without a network:
//
//     engine_bench TARGET [--mib 2048] [--piece-kib 4096] [--peers 8] [--memory 256M] [--runs 3]
//
// receive: blocks from several peers, each with a piece of its own in progress, in random turns, are written
//          to TARGET (a file, made and filled beforehand so that no page of it is new), hashed and synced.
// serve:   the same peers ask for all of it, each piece by piece in an order of its own share.
// Prints for each MiB/s, CPU seconds per GiB, and the cost as a multiple of SHA-1's, which holds across
// machines. Use tmpfs to see the engine, a disk to see the disk.
#include "ezio/engine/disk_engine.hpp"
#include "ezio/util/units.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <random>

#include <sys/resource.h>

namespace {

using namespace ezio;
using Clock = std::chrono::steady_clock;

struct Options {
    std::string target;
    std::uint64_t mib = 2048;
    std::uint64_t piece_kib = 4096;
    unsigned peers = 8;
    std::uint64_t memory = 256_MiB;
    unsigned runs = 3;
};

// Plays the network thread: what is posted is run by run_one(), on the thread that calls it.
class Loop {
  public:
    void post(std::function<void()> function)
    {
        const std::lock_guard lock(m_mutex);
        m_posted.push_back(std::move(function));
        m_wake.notify_one();
    }

    // Runs what was posted; waits for the first if `wait`.
    void run(bool wait)
    {
        std::unique_lock lock(m_mutex);
        m_wake.wait(lock, [&] { return !wait || !m_posted.empty(); });
        while (!m_posted.empty()) {
            const auto function = std::move(m_posted.front());
            m_posted.pop_front();
            lock.unlock();
            function();
            lock.lock();
        }
    }

  private:
    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::deque<std::function<void()>> m_posted;
};

double cpu_seconds()
{
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) {
        throw std::system_error(errno, std::generic_category(), "getrusage");
    }
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// CPU seconds for a GiB.
double sha1_cost()
{
    const std::vector<std::byte> data(1_MiB);
    Sha1 sha1;
    const double before = cpu_seconds();
    for (int i = 0; i < 1024; ++i) {
        sha1.update(data);
    }
    (void)sha1.finish();
    return cpu_seconds() - before;
}

// Every piece has the same random contents, so that one buffer stands for all of the image.
struct Fixture {
    explicit Fixture(const Options& options) : contents(options.piece_kib << 10)
    {
        std::mt19937_64 random(1);
        for (std::size_t at = 0; at < contents.size(); at += 8) {
            const std::uint64_t word = random();
            std::memcpy(contents.data() + at, &word, 8);
        }
        image.name = "bench";
        image.piece_length = contents.size();
        const std::uint64_t pieces = (options.mib << 20) / contents.size();
        Sha1 sha1;
        sha1.update(contents);
        image.hashes.assign(pieces, sha1.finish());
        // 64 extents with gaps between them.
        const std::uint64_t payload = pieces * contents.size();
        for (std::uint64_t i = 0; i < 64; ++i) {
            const std::uint64_t from = payload / 64 * i;
            const std::uint64_t to = i == 63 ? payload : payload / 64 * (i + 1);
            image.extents.push_back({from + i * 64_KiB, to - from});
        }
        image.map = ExtentMap(image.extents);
    }

    std::vector<std::byte> contents;
    Image image;
};

struct Peer {
    std::uint32_t piece = 0;
    std::uint64_t begin = 0; // of the next block in the piece
};

class Bench {
  public:
    Bench(const Options& options, const Fixture& fixture, Target& target, bool on_disk)
        : m_options(options), m_fixture(fixture), m_pieces(fixture.image.piece_count()),
          m_engine(fixture.image, target, std::vector<bool>(m_pieces, on_disk),
                   {options.memory, std::clamp(std::thread::hardware_concurrency(), 2U, 8U),
                    [this](std::function<void()> function) { m_loop.post(std::move(function)); },
                    [this] { m_loop.post([] {}); }})
    {}

    void receive()
    {
        start_peers();
        while (Peer* peer = next_peer()) {
            if (m_unanswered > 1024) {
                m_loop.run(true); // a peer's window
                continue;
            }
            receive_block(*peer);
            m_loop.run(false);
        }
        while (m_engine.facts().done_bytes < m_fixture.image.map.payload_size() && !m_engine.failure()) {
            m_loop.run(true);
        }
    }

    void serve()
    {
        start_peers();
        while (Peer* peer = next_peer()) {
            while (m_unanswered > 64 * m_options.peers) {
                m_loop.run(true);
            }
            serve_block(*peer);
        }
        while (m_unanswered > 0) {
            m_loop.run(true);
        }
    }

    [[nodiscard]] const DiskEngine& engine() const { return m_engine; }

  private:
    void start_peers()
    {
        m_next_piece = 0;
        m_peers.clear();
        for (unsigned i = 0; i < m_options.peers && m_next_piece < m_pieces; ++i) {
            m_peers.push_back({m_next_piece++, 0});
        }
    }

    // One of the peers, at random, with a block to go; nullptr when there is nothing left.
    Peer* next_peer()
    {
        if (m_peers.empty()) {
            return nullptr;
        }
        const std::size_t chosen = m_random() % m_peers.size();
        Peer& peer = m_peers[chosen];
        if (peer.begin < m_fixture.contents.size()) {
            return &peer;
        }
        if (m_next_piece < m_pieces) {
            peer = {m_next_piece++, 0};
            return &peer;
        }
        m_peers.erase(m_peers.begin() + static_cast<std::ptrdiff_t>(chosen));
        return next_peer();
    }

    void receive_block(Peer& peer)
    {
        ++m_unanswered;
        const auto block = std::span(m_fixture.contents).subspan(peer.begin, block_bytes);
        (void)m_engine.write(
            m_fixture.image.piece_offset(peer.piece) + peer.begin, block, [this](int) { --m_unanswered; },
            [] {});
        peer.begin += block_bytes;
        if (peer.begin == m_fixture.contents.size()) {
            m_engine.hash(peer.piece, [](int, const PieceDigests&) {});
        }
    }

    void serve_block(Peer& peer)
    {
        const std::uint64_t offset = m_fixture.image.piece_offset(peer.piece) + peer.begin;
        peer.begin += block_bytes;
        if (m_engine.try_read(offset, block_bytes)) {
            return;
        }
        ++m_unanswered;
        m_engine.read(offset, block_bytes, [this](int, const ReadBuffer&) { --m_unanswered; });
    }

    const Options& m_options;
    const Fixture& m_fixture;
    const std::uint32_t m_pieces;
    Loop m_loop;
    DiskEngine m_engine;
    std::vector<Peer> m_peers;
    std::uint32_t m_next_piece = 0;
    std::uint64_t m_unanswered = 0;
    std::mt19937 m_random{7};
};

void fill(Target& target, const Fixture& fixture)
{
    const std::vector<std::byte> ones(1_MiB, std::byte{0xff});
    for (std::uint64_t at = 0; at + ones.size() <= fixture.image.map.device_end(); at += ones.size()) {
        throw_if(target.write_at(at, ones));
    }
}

template <typename Work>
void measure(const char* what, const Fixture& fixture, double sha1, Work work)
{
    const double cpu = cpu_seconds();
    const auto start = Clock::now();
    const std::uint64_t read = work();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const double payload = static_cast<double>(fixture.image.map.payload_size());
    const double cost = (cpu_seconds() - cpu) / (payload / static_cast<double>(1_GiB));
    fmt::print("{:<8} {:6.0f} MiB/s  {:.2f} cpu-s/GiB = {:.2f} x SHA-1  read {:.2f} x the image\n", what,
               payload / static_cast<double>(1_MiB) / seconds, cost, cost / sha1,
               static_cast<double>(read) / payload);
}

int run(const Options& options)
{
    const Fixture fixture(options);
    const auto target = open_target(options.target, Access::read_write, fixture.image);
    fill(*target, fixture);
    const double sha1 = sha1_cost();
    for (unsigned i = 0; i < options.runs; ++i) {
        measure("receive", fixture, sha1, [&] {
            Bench bench(options, fixture, *target, false);
            bench.receive();
            throw_if(bench.engine().failure());
            throw_if(target->sync());
            return bench.engine().facts().read_bytes;
        });
        measure("serve", fixture, sha1, [&] {
            Bench bench(options, fixture, *target, true);
            bench.serve();
            throw_if(bench.engine().failure());
            return bench.engine().facts().read_bytes;
        });
    }
    return 0;
}

int run(int argc, char** argv)
{
    Options options;
    CLI::App app("What the disk engine costs without a network");
    app.add_option("TARGET", options.target, "A file, on tmpfs or on the disk in question")->required();
    app.add_option("--mib", options.mib, "Size of the image");
    app.add_option("--piece-kib", options.piece_kib, "Piece length");
    app.add_option("--peers", options.peers, "Peers that send at once");
    app.add_option("--memory", options.memory, "As of ezio-cli, in bytes or with a unit")
        ->transform(CLI::AsSizeValue(false));
    app.add_option("--runs", options.runs, "How often");
    CLI11_PARSE(app, argc, argv);
    return run(options);
}

} // namespace

int main(int argc, char** argv)
{
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "engine_bench: {}\n", error.what());
        return 1;
    }
}
