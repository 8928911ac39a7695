// SPDX-License-Identifier: GPL-2.0-or-later
//
// A disk engine over a fake target. The test's thread is the network thread: it drains the queue of what was
// posted whenever it waits for something. Every answer is recorded, and at the end, after the engine was
// stopped, each must have come exactly once and on the network thread.
#pragma once

#include "fake_target.hpp"
#include "test_image.hpp"
#include "test_payload.hpp"

#include "ezio/engine/disk_engine.hpp"
#include "ezio/util/units.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace ezio::test {

// What was posted to the network thread.
class Network {
  public:
    [[nodiscard]] CompletionQueue::Post post()
    {
        return [this](std::function<void()> function) {
            const std::lock_guard lock(m_mutex);
            m_posted.push_back(std::move(function));
            m_changed.notify_all();
        };
    }

    // Runs what is posted, until `question` is true; false when the deadline has passed.
    [[nodiscard]] bool run_until(const std::function<bool()>& question)
    {
        const auto until = std::chrono::steady_clock::now() + deadline;
        while (!question()) {
            std::unique_lock lock(m_mutex);
            if (!m_changed.wait_until(lock, until, [this] { return !m_posted.empty(); })) {
                return false;
            }
            lock.unlock();
            run_posted();
        }
        return true;
    }

    void run_posted()
    {
        std::deque<std::function<void()>> batch;
        {
            const std::lock_guard lock(m_mutex);
            batch.swap(m_posted);
        }
        m_is_running = true;
        for (const auto& function : batch) {
            function();
        }
        m_is_running = false;
    }

    // Whether something posted is being run: answers may come then, and only then.
    [[nodiscard]] bool is_running() const { return m_is_running; }

  private:
    bool m_is_running = false; // the network thread's
    std::mutex m_mutex;        // guards the rest
    std::condition_variable m_changed;
    std::deque<std::function<void()>> m_posted;
};

struct Answer {
    std::string what; // was asked
    int calls = 0;
    std::size_t place = 0; // among all answers, from 1 on
    int error = 0;
    bool held = false; // a write's
    int resumes = 0;   // a write's
    Sha1Digest digest{};
    ReadBuffer data;
};
using AnswerPtr = std::shared_ptr<Answer>;

[[nodiscard]] inline std::vector<std::byte> random_payload(const ExtentMap& map)
{
    auto payload = random_bytes(map.payload_size(), 7);
    map.clear_padding(0, payload);
    return payload;
}

// An image with the hashes of `payload` cut at `extents`.
[[nodiscard]] inline Image image_with(const std::vector<Extent>& extents, std::uint64_t piece_length,
                                      std::span<const std::byte> payload,
                                      const std::vector<Extent>& padding = {},
                                      std::vector<V2Piece> v2_pieces = {})
{
    Image image = image_of(extents, piece_length);
    image.padding = padding;
    image.v2_pieces = std::move(v2_pieces);
    image.map = ExtentMap(extents, padding);
    image.hashes.resize((payload.size() + piece_length - 1) / piece_length);
    for (std::uint32_t piece = 0; piece < image.piece_count(); ++piece) {
        image.hashes[piece] = sha1_of(payload.subspan(image.piece_offset(piece), image.piece_size(piece)));
    }
    return image;
}

class EngineRig {
  public:
    struct Setup {
        std::uint64_t piece_length = 16_KiB;
        std::uint64_t memory = 2_MiB;
        unsigned threads = 4;
        std::vector<Extent> extents = {{1_MiB, 8_MiB}};
        std::vector<Extent> padding = {};
        std::uint64_t device_size = 10_MiB;
        enum class Disk { empty, complete } disk = Disk::empty;
        std::vector<V2Piece> v2_pieces = {};
    };

    explicit EngineRig(const Setup& setup)
        : payload(random_payload(ExtentMap(setup.extents, setup.padding))),
          image(image_with(setup.extents, setup.piece_length, payload, setup.padding, setup.v2_pieces)),
          target(setup.device_size)
    {
        if (setup.disk == Setup::Disk::complete) {
            image.map.for_each(0, payload.size(), [&](const ExtentMap::Range& range) {
                std::memcpy(&target.bytes()[range.device_offset], &payload[range.payload_offset],
                            range.length);
            });
        }
        const std::vector<bool> on_disk(image.piece_count(), setup.disk == Setup::Disk::complete);
        m_engine = std::make_unique<DiskEngine>(
            image, target, on_disk,
            DiskEngine::Options{setup.memory, setup.threads, network.post(), [this] { ++m_wakes; }});
    }
    EngineRig(const EngineRig&) = delete;
    EngineRig& operator=(const EngineRig&) = delete;
    ~EngineRig()
    {
        target.write_gate.open();
        target.read_gate.open();
        stop();
        CHECK(m_stopped.came());
        network.run_posted();
        std::vector<std::string> not_answered_once;
        for (const AnswerPtr& answer : m_answers) {
            if (answer->calls != 1 || answer->resumes != (answer->held ? 1 : 0)) {
                not_answered_once.push_back(answer->what);
            }
            free(*answer);
        }
        // NOLINTNEXTLINE(readability-container-size-empty): so that they are shown
        CHECK(not_answered_once == std::vector<std::string>());
    }

    const std::vector<std::byte> payload;
    const Image image;
    FakeTarget target;
    Network network;
    [[nodiscard]] DiskEngine& engine() { return *m_engine; }

    // --- requests; blocks count from the start of the payload ---

    enum class Data { right, wrong };

    AnswerPtr write(std::uint64_t block, Data data = Data::right)
    {
        const std::uint64_t offset = block * block_bytes;
        std::vector<std::byte> bytes(payload.begin() + static_cast<std::ptrdiff_t>(offset),
                                     payload.begin() + static_cast<std::ptrdiff_t>(end_of_block(block)));
        bytes.front() ^= data == Data::wrong ? std::byte{1} : std::byte{0};
        return write_bytes(offset, bytes);
    }

    AnswerPtr write_bytes(std::uint64_t offset, std::span<const std::byte> bytes)
    {
        const AnswerPtr answer = expect("write of block " + std::to_string(offset / block_bytes));
        answer->held = m_engine->write(
            offset, bytes, [this, answer](int error) { note(*answer, error); },
            [answer] { ++answer->resumes; });
        return answer;
    }

    void write_piece(std::uint32_t piece)
    {
        const std::uint64_t end = image.piece_offset(piece) + image.piece_size(piece);
        for (std::uint64_t at = image.piece_offset(piece); at < end; at += block_bytes) {
            (void)write(at / block_bytes);
        }
    }

    AnswerPtr hash(std::uint32_t piece)
    {
        const AnswerPtr answer = expect("hash of piece " + std::to_string(piece));
        m_engine->hash(piece, [this, answer](int error, const PieceDigests& digests) {
            answer->digest = digests.sha1;
            note(*answer, error);
        });
        return answer;
    }

    AnswerPtr clear(std::uint32_t piece)
    {
        const AnswerPtr answer = expect("clearing of piece " + std::to_string(piece));
        m_engine->clear(piece, [this, answer] { note(*answer, 0); });
        return answer;
    }

    AnswerPtr read(std::uint64_t offset, std::uint64_t length)
    {
        const AnswerPtr answer = expect("read at " + std::to_string(offset));
        m_engine->read(offset, length, [this, answer](int error, ReadBuffer data) {
            answer->data = std::move(data);
            note(*answer, error);
        });
        return answer;
    }

    // A second call changes nothing.
    void stop()
    {
        m_engine->stop([this] { m_stopped.give(); });
    }
    [[nodiscard]] const Notice& stopped() const { return m_stopped; }

    // --- waiting ---

    [[nodiscard]] bool comes(const AnswerPtr& answer)
    {
        return network.run_until([&] { return answer->calls > 0; });
    }
    [[nodiscard]] bool all_come()
    {
        return network.run_until([&] { return m_came == m_answers.size(); });
    }
    // The whole piece is written to the engine, verified, and on the target.
    [[nodiscard]] bool completes(std::uint32_t piece)
    {
        const std::uint64_t before = m_engine->facts().done_bytes;
        write_piece(piece);
        return comes(hash(piece)) &&
               comes_true([&] { return m_engine->facts().done_bytes == before + image.piece_size(piece); });
    }

    // --- facts ---

    [[nodiscard]] int wakes() const { return m_wakes; }

    [[nodiscard]] bool is_right(const Answer& answer, std::uint64_t offset, std::uint64_t length) const
    {
        return answer.calls == 1 && answer.error == 0 && answer.data != nullptr &&
               same_bytes(answer.data.get(), &payload[offset], length);
    }

    // The payload's range on the target, but for padding. Only while nothing writes there.
    [[nodiscard]] bool target_has(std::uint64_t offset, std::uint64_t length)
    {
        const auto ranges = image.map.ranges(offset, length);
        return std::all_of(ranges.begin(), ranges.end(), [&](const ExtentMap::Range& range) {
            return same_bytes(&target.bytes()[range.device_offset], &payload[range.payload_offset],
                              range.length);
        });
    }

    // No byte outside the image's extents was changed.
    [[nodiscard]] bool rest_is_untouched()
    {
        std::uint64_t at = 0;
        const auto untouched = [&](std::uint64_t end) {
            return std::all_of(target.bytes().begin() + static_cast<std::ptrdiff_t>(at),
                               target.bytes().begin() + static_cast<std::ptrdiff_t>(end),
                               [](std::byte byte) { return byte == std::byte{0xff}; });
        };
        for (const Extent& used : image.map.used()) {
            if (!untouched(used.offset)) {
                return false;
            }
            at = used.end();
        }
        return untouched(target.bytes().size());
    }

    // Gives a read's data back.
    static void free(Answer& answer) { answer.data.reset(); }

  private:
    [[nodiscard]] std::uint64_t end_of_block(std::uint64_t block) const
    {
        return std::min<std::uint64_t>((block + 1) * block_bytes, payload.size());
    }

    [[nodiscard]] AnswerPtr expect(std::string what)
    {
        m_answers.push_back(std::make_shared<Answer>());
        m_answers.back()->what = std::move(what);
        return m_answers.back();
    }

    void note(Answer& answer, int error)
    {
        CHECK(std::this_thread::get_id() == m_network_thread);
        CHECK(network.is_running());
        answer.error = error;
        answer.place = ++m_came;
        ++answer.calls;
    }

    const std::thread::id m_network_thread = std::this_thread::get_id();
    std::vector<AnswerPtr> m_answers;
    std::size_t m_came = 0;
    std::atomic<int> m_wakes = 0;
    Notice m_stopped;
    std::unique_ptr<DiskEngine> m_engine; // last: its threads use the rest
};

} // namespace ezio::test
