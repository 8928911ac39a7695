// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/engine/disk_engine.hpp"

#include "segment_io.hpp"
#include "slab_plan.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ezio {

namespace {

// Counts one more while it lives.
class Counted {
  public:
    explicit Counted(unsigned& count) : m_count(count) { ++m_count; }
    ~Counted() { --m_count; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

  private:
    unsigned& m_count;
};

template <typename Handler>
Completion with(Handler handler, int error)
{
    return [handler = std::move(handler), error] { handler(error); };
}

} // namespace

DiskEngine::DiskEngine(const Image& image, Target& target, const std::vector<bool>& on_disk, Options options)
    : m_image(image), m_target(target), m_wake_owner(std::move(options.wake_owner)),
      m_max_writers(std::max(1U, options.threads - 1)), m_completions(std::move(options.post)),
      m_arena(make_arena(image, options.memory)),
      m_cache(geometry_for(image, options.memory), m_arena, {low_mark(m_arena), first_read_cache(m_arena)},
              WriteOrder(image)),
      m_pressure(low_mark(m_arena), high_mark(m_arena)), m_workers(options.threads, m_mutex, [this] {
          m_mutex.assert_held();
          return step();
      })
{
    const MutexLock lock(m_mutex);
    std::vector<bool> there = on_disk;
    there.resize(image.piece_count());
    add_padding(there);
    for (std::uint32_t piece = 0; piece < image.piece_count(); ++piece) {
        if (there[piece]) {
            m_cache.set_on_disk(piece);
        }
    }
}

DiskEngine::~DiskEngine() = default;

// Marks blocks and pieces of only padding as already there.
void DiskEngine::add_padding(std::vector<bool>& pieces)
{
    for_each_unit_of_padding(m_image.map, block_bytes, [&](std::uint64_t block) {
        m_mutex.assert_held();
        m_cache.set_padding(block * block_bytes);
    });
    for_each_unit_of_padding(m_image.map, m_image.piece_length,
                             [&](std::uint64_t piece) { pieces[piece] = true; });
}

// --- network thread ---

bool DiskEngine::write(std::uint64_t offset, std::span<const std::byte> block, Written done,
                       std::function<void()> resume)
{
    Completions ready;
    const MutexLock lock(m_mutex);
    bool holding = false;
    PieceCache::Place place{PieceCache::Receive::duplicate, nullptr};
    int error = refusal();
    if (error == 0) {
        place = m_cache.begin_receive(offset);
        error = place.what == PieceCache::Receive::no_memory ? ENOMEM : 0;
    }
    if (place.what == PieceCache::Receive::copy) {
        {
            const MutexUnlock unlocked(m_mutex);
            std::memcpy(place.memory, block.data(), block.size());
            m_image.map.clear_padding(offset, {place.memory, block.size()}); // whatever the peer sent there
        }
        m_cache.end_receive(offset);
        ++m_blocks_taken;
        error = refusal(); // may have changed meanwhile
        if (error == 0) {
            after_change(ready);
            holding = m_pressure.holding();
        }
    }
    if (holding) {
        m_held.push_back({std::move(done), std::move(resume)});
    } else {
        ready.push_back(with(std::move(done), error));
    }
    hand_over(ready);
    return holding;
}

ReadBuffer DiskEngine::try_read(std::uint64_t offset, std::uint64_t length)
{
    const MutexLock lock(m_mutex);
    return lend(refusal() == 0 && !reads_copy() ? m_cache.find_cached(offset, length) : nullptr);
}

void DiskEngine::read(std::uint64_t offset, std::uint64_t length, ReadDone done)
{
    Completions ready;
    const MutexLock lock(m_mutex);
    if (const int error = refusal(); error != 0) {
        ready.push_back([done = std::move(done), error] { done(error, {}); });
    } else {
        find({offset, length, std::move(done)}, ready);
        after_change(ready);
    }
    hand_over(ready);
}

// Answers the waiter: now, after a read of the chunk, or by a job of its own.
void DiskEngine::find(Waiter waiter, Completions& ready)
{
    const PieceCache::Found found = m_cache.find(waiter.offset, waiter.length);
    if (found.what == PieceCache::Read::hit && reads_copy()) {
        m_arena.unpin(found.memory);
    } else if (found.what == PieceCache::Read::hit) {
        ready.push_back([this, done = std::move(waiter.done), data = found.memory] { done(0, lend(data)); });
        return;
    }
    if (found.what == PieceCache::Read::wait) {
        m_waiting_reads[found.chunk].push_back(std::move(waiter));
        return;
    }
    auto segments = m_cache.pinned_segments(waiter.offset, waiter.length);
    if (segments.empty()) {
        ready.push_back([done = std::move(waiter.done)] { done(ENODATA, {}); });
    } else {
        m_gathers.push_back({std::move(segments), nullptr, std::move(waiter.done)});
    }
}

void DiskEngine::free_buffer(std::byte* data)
{
    if (m_arena.contains(data)) {
        m_arena.unpin(data);
    } else {
        delete[] data;
    }
}

void DiskEngine::hash(std::uint32_t piece, Hashed done)
{
    Completions ready;
    const MutexLock lock(m_mutex);
    int error = refusal();
    const bool kept = error == 0 && m_kept.erase(piece) != 0;
    if (error == 0 && !kept && !m_cache.want_hash(piece)) {
        // One of its blocks was refused, which libtorrent already knows; any other error would end the
        // transfer.
        error = ECANCELED;
    }
    if (kept) {
        ready.push_back([done = std::move(done), sha1 = m_image.hashes[piece]] { done(0, {sha1}); });
    } else if (error != 0) {
        ready.push_back([done = std::move(done), error] { done(error, {}); });
    } else {
        m_waiting_hashes.emplace(piece, std::move(done));
        after_change(ready);
    }
    hand_over(ready);
}

void DiskEngine::clear(std::uint32_t piece, Cleared done)
{
    Completions ready;
    const MutexLock lock(m_mutex);
    release_held(ready, 0); // the answers to the piece's writes come first
    answer_hashes(piece, ready, ECANCELED, {});
    if (refusal() != 0 || m_cache.clear(piece)) {
        ready.push_back(std::move(done));
    } else {
        m_waiting_clears[piece].push_back(std::move(done));
    }
    if (refusal() == 0) {
        after_change(ready);
    }
    hand_over(ready);
}

void DiskEngine::stop(std::function<void()> when_stopped)
{
    Completions ready;
    const MutexLock lock(m_mutex);
    m_stopped = true;
    answer_all(ready, ECANCELED);
    m_workers.stop(std::move(when_stopped));
    hand_over(ready);
}

void DiskEngine::answer(Completion completion)
{
    Completions ready;
    ready.push_back(std::move(completion));
    const MutexLock lock(m_mutex);
    hand_over(ready);
}

void DiskEngine::keep(std::uint32_t piece)
{
    const MutexLock lock(m_mutex);
    m_cache.set_on_disk(piece);
    m_kept.insert(piece);
}

DiskEngine::Facts DiskEngine::facts() const
{
    const MutexLock lock(m_mutex);
    Facts facts = m_facts;
    facts.done_bytes = m_cache.done_bytes();
    facts.writers = m_writers;
    facts.held_bytes = m_cache.held_slabs() * m_arena.slab_bytes();
    return facts;
}

std::optional<IoFailure> DiskEngine::failure() const
{
    const MutexLock lock(m_mutex);
    return m_failure;
}

bool DiskEngine::has_failed() const
{
    const MutexLock lock(m_mutex);
    return failed();
}

void DiskEngine::throw_if_failed() const
{
    std::exception_ptr thrown;
    {
        const MutexLock lock(m_mutex);
        throw_if(m_failure);
        thrown = m_thrown;
    }
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

// --- workers ---

// Gathers and cache jobs alternate, so neither kind can starve the other. Gathers run in the order of the
// requests. Reads of peers cannot starve writes either: see PieceCache::next_job.
std::optional<DiskEngine::Job> DiskEngine::next_job()
{
    if (m_gathers.empty() || std::exchange(m_cache_is_next, false)) {
        const bool more_writers = m_writers < m_max_writers;
        auto job = m_cache.next_job(more_writers ? PieceCache::Writes::yes : PieceCache::Writes::no);
        if (job) {
            return std::visit([](auto& chosen) { return Job(std::move(chosen)); }, *job);
        }
    }
    if (m_gathers.empty()) {
        return std::nullopt;
    }
    Job job = std::move(m_gathers.front());
    m_gathers.pop_front();
    m_cache_is_next = true;
    return job;
}

bool DiskEngine::step()
{
    try {
        return try_step();
    } catch (...) { // no memory even for the answers: the owner polls the failure
        m_thrown = failed() ? m_thrown : std::current_exception();
        return false;
    }
}

bool DiskEngine::try_step()
{
    if (refusal() != 0) {
        return false;
    }
    std::optional<Job> job;
    Completions ready;
    bool news = false;
    try {
        job = next_job();
        if (!job) {
            return false;
        }
        if (has_job()) {
            m_workers.wake(); // one more, which wakes the next
        }
        news = work(*job, ready);
    } catch (...) {
        news = give_up(job, ready);
    }
    hand_over(ready);
    if (news && m_wake_owner) {
        const MutexUnlock unlocked(m_mutex);
        m_wake_owner();
    }
    return true;
}

// Returns whether the owner has to be notified of the result.
bool DiskEngine::work(Job& job, Completions& ready)
{
    auto failure = std::visit(
        [&](auto& chosen) {
            m_mutex.assert_held();
            return run(chosen, ready);
        },
        job);
    const bool first_failure = failure && !failed();
    if (first_failure) {
        m_failure = std::move(failure);
        answer_all(ready, EIO);
    } else if (refusal() == 0) {
        after_change(ready);
    }
    return first_failure || just_all_done();
}

// The job has thrown. Returns what work() would.
bool DiskEngine::give_up(std::optional<Job>& job, Completions& ready)
{
    if (auto* const gather = job ? std::get_if<GatherJob>(&*job) : nullptr; gather != nullptr) {
        m_cache.unpin(std::exchange(gather->segments, {}));
        if (gather->done) {
            ready.push_back([done = std::move(gather->done)] { done(EIO, {}); });
        }
    }
    const bool is_first = !failed();
    if (is_first) {
        m_thrown = std::current_exception();
        answer_all(ready, EIO);
    }
    return is_first;
}

std::optional<IoFailure> DiskEngine::run(GatherJob& job, Completions& ready)
{
    auto failed = unlocked([&] {
        job.memory = std::make_unique<std::byte[]>(total_length(job.segments));
        return gather_segments(m_image.map, m_target, job.segments, job.memory.get());
    });
    m_facts.read_bytes += failed ? 0 : data_length(m_image.map, not_in_memory(job.segments));
    m_cache.unpin(std::exchange(job.segments, {}));
    if (failed) {
        ready.push_back([done = std::move(job.done)] { done(EIO, {}); });
    } else {
        ready.push_back(
            [this, done = std::move(job.done), data = job.memory.release()] { done(0, lend(data)); });
    }
    return failed;
}

std::optional<IoFailure> DiskEngine::run(HashJob& job, Completions& ready)
{
    PieceDigests digests;
    auto failed = unlocked([&] {
        auto failure = hash_segments(m_image.map, m_target, job.segments,
                                     [&](std::span<const std::byte> data) { job.sha1->update(data); });
        if (job.last && !failure) {
            digests.sha1 = job.sha1->finish();
        }
        return failure;
    });
    if (!failed && job.last && !m_image.v2_pieces.empty()) {
        failed = hash_v2(job.piece, digests.blocks);
    }
    if (failed) {
        return failed;
    }
    m_facts.read_bytes += data_length(m_image.map, not_in_memory(job.segments));
    std::optional<PieceCache::Verdict> verdict;
    if (job.last) {
        const bool good = judge(job.piece, digests);
        verdict = good ? PieceCache::Verdict::good : PieceCache::Verdict::bad;
        ++(good ? m_facts.right_pieces : m_facts.failed_pieces);
    }
    m_cache.finish(job, verdict);
    if (job.last) {
        answer_hashes(job.piece, ready, 0, digests);
    }
    return std::nullopt;
}

// A hybrid torrent's piece is hashed with SHA-256 once it is complete. Such torrents are too rare for more
// effort.
std::optional<IoFailure> DiskEngine::hash_v2(std::uint32_t piece, std::vector<Sha256Digest>& blocks)
{
    const std::uint64_t data_bytes = m_image.v2_pieces[piece].data_bytes;
    const auto segments = m_cache.pinned_segments(m_image.piece_offset(piece), data_bytes);
    auto failed = unlocked([&] {
        Sha256Blocks sha256(data_bytes);
        auto failure = hash_segments(m_image.map, m_target, segments,
                                     [&](std::span<const std::byte> data) { sha256.update(data); });
        blocks = sha256.digests();
        return failure;
    });
    m_cache.unpin(segments);
    m_facts.read_bytes += data_length(m_image.map, not_in_memory(segments));
    return failed;
}

// If v1 and v2 disagree, all digests are made wrong: libtorrent 2.0.11 crashes when only one of them is.
bool DiskEngine::judge(std::uint32_t piece, PieceDigests& digests)
{
    const bool v1_good = digests.sha1 == m_image.hashes[piece];
    const V2Piece* v2 = m_image.v2_pieces.empty() ? nullptr : &m_image.v2_pieces[piece];
    if (v2 == nullptr || !v2->root) {
        return v1_good;
    }
    const bool v2_good = *v2->root == merkle_root(digests.blocks, v2->leaves);
    if (v1_good != v2_good) {
        m_facts.hashes_disagree = true;
        digests = {};
    }
    return v1_good && v2_good;
}

std::optional<IoFailure> DiskEngine::run(WriteJob& job, Completions&)
{
    const Counted writer(m_writers);
    auto failed = unlocked([&] { return write_segments(m_image.map, m_target, job.segments); });
    if (!failed) {
        m_facts.written_bytes += data_length(m_image.map, job.segments);
        m_cache.finish(job);
    }
    return failed;
}

std::optional<IoFailure> DiskEngine::run(ReadJob& job, Completions& ready)
{
    auto failed = unlocked([&] { return read_segments(m_image.map, m_target, job.segments); });
    if (failed) {
        return failed;
    }
    m_facts.read_bytes += data_length(m_image.map, job.segments);
    m_cache.finish(job);
    auto waiters = m_waiting_reads.extract(job.chunk);
    if (waiters.empty()) {
        return std::nullopt;
    }
    for (Waiter& waiter : waiters.mapped()) {
        find(std::move(waiter), ready);
    }
    return std::nullopt;
}

// --- under the mutex ---

bool DiskEngine::reads_copy() const
{
    return m_cache.held_slabs() > 0 && m_arena.pinned() > most_pinned(m_arena);
}

int DiskEngine::refusal() const
{
    if (m_failure || m_thrown) {
        return EIO;
    }
    return m_stopped ? ECANCELED : 0;
}

void DiskEngine::release_held(Completions& ready, int error)
{
    for (Held& held : m_held) {
        ready.push_back(with(std::move(held.done), error));
    }
    for (Held& held : m_held) { // peers may read again once all of their writes are answered
        if (held.resume) {
            ready.push_back(std::move(held.resume));
        }
    }
    m_held.clear();
}

void DiskEngine::answer_hashes(std::uint32_t piece, Completions& ready, int error,
                               const PieceDigests& digests)
{
    const auto [first, end] = m_waiting_hashes.equal_range(piece);
    for (auto waiting = first; waiting != end; ++waiting) {
        ready.push_back([done = std::move(waiting->second), error, digests] { done(error, digests); });
    }
    m_waiting_hashes.erase(first, end);
}

void DiskEngine::answer_all(Completions& ready, int error)
{
    release_held(ready, error);
    for (auto& [chunk, waiters] : m_waiting_reads) {
        for (Waiter& waiter : waiters) {
            ready.push_back([done = std::move(waiter.done), error] { done(error, {}); });
        }
    }
    for (GatherJob& job : m_gathers) {
        m_cache.unpin(job.segments);
        ready.push_back([done = std::move(job.done), error] { done(error, {}); });
    }
    for (auto& [piece, done] : m_waiting_hashes) {
        ready.push_back([done = std::move(done), error] { done(error, {}); });
    }
    for (auto& [piece, cleared] : m_waiting_clears) {
        std::move(cleared.begin(), cleared.end(), std::back_inserter(ready));
    }
    m_waiting_reads.clear();
    m_gathers.clear();
    m_waiting_hashes.clear();
    m_waiting_clears.clear();
}

// The consequences of a change in the cache: answers to clears, the end of a hold, new work.
void DiskEngine::after_change(Completions& ready)
{
    for (const std::uint32_t piece : m_cache.take_cleared()) {
        auto waiting = m_waiting_clears.extract(piece);
        if (!waiting.empty()) {
            std::move(waiting.mapped().begin(), waiting.mapped().end(), std::back_inserter(ready));
        }
    }
    const bool was_holding = m_pressure.holding();
    if (m_pressure.set_level(m_cache.held_slabs())) {
        release_held(ready, 0);
    }
    m_facts.holds += !was_holding && m_pressure.holding() ? 1 : 0;
    if (has_job()) {
        m_workers.wake();
    }
}

bool DiskEngine::just_all_done()
{
    const bool all_done = m_cache.done_bytes() == m_image.map.payload_size();
    return all_done && !std::exchange(m_all_done, true);
}

// Gives the answers to the network thread, in the order of the changes under the mutex; may release it
// meanwhile.
void DiskEngine::hand_over(Completions& ready)
{
    if (m_completions.add(ready)) {
        const MutexUnlock unlock(m_mutex);
        m_completions.deliver_soon();
    }
}

} // namespace ezio
