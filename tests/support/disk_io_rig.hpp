// SPDX-License-Identifier: GPL-2.0-or-later
//
// A DiskIo over a fake target, and the thread that runs its io_context: the network thread, as libtorrent's.
#pragma once

#include "fake_target.hpp"
#include "test_image.hpp"
#include "test_payload.hpp"

#include "ezio/util/units.hpp"
#include "session/disk_io.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <libtorrent/disk_observer.hpp>
#include <libtorrent/error_code.hpp>

#include <cerrno>
#include <future>
#include <thread>

namespace ezio::test {

inline constexpr lt::storage_index_t storage{0};
inline constexpr std::uint64_t piece_length = 256_KiB;
inline constexpr std::uint32_t pieces = 16;
inline constexpr std::uint64_t payload_size = pieces * piece_length;

[[nodiscard]] inline lt::error_code system_error(int error)
{
    return {error, boost::system::system_category()};
}

[[nodiscard]] inline lt::storage_error any_error()
{
    lt::storage_error error;
    error.ec = system_error(EINVAL);
    return error;
}

[[nodiscard]] inline lt::peer_request request(int piece, int start, int length = block_bytes)
{
    return {lt::piece_index_t{piece}, start, length};
}

// What a handler was called with, and how often.
struct HandlerCall {
    int times = 0;
    bool within_the_request = false;
    std::thread::id thread;
    lt::storage_error error;
};

struct ReadCall {
    std::shared_ptr<HandlerCall> call;
    std::vector<char> data;
    int size = 0; // of the holder
};

[[nodiscard]] inline int size_of(const lt::disk_buffer_holder& holder, const lt::peer_request& what)
{
#if LIBTORRENT_VERSION_NUM >= 20100
    static_cast<void>(holder); // knows no size any more
    return what.length;
#else
    static_cast<void>(what);
    return static_cast<int>(holder.size());
#endif
}

// A DiskIo in 2 MiB of memory, 128 slabs of 16 KiB, and its network thread.
class DiskIoRig {
  public:
    enum class Disk { empty, complete };

    explicit DiskIoRig(Disk disk = Disk::empty, std::uint64_t device_size = 4096 + payload_size)
        : payload(random_bytes(payload_size, 3)), image(image_of({{4096, payload_size}}, piece_length)),
          target(device_size)
    {
        for (std::uint32_t piece = 0; piece < pieces; ++piece) {
            image.hashes[piece] = sha1_of(std::span(payload).subspan(piece * piece_length, piece_length));
        }
        if (disk == Disk::complete) {
            std::copy(payload.begin(), payload.end(), target.bytes().begin() + 4096);
        }
        const std::vector<bool> on_disk(pieces, disk == Disk::complete);
        m_io = std::make_unique<DiskIo>(m_context, image, target, on_disk,
                                        DiskIo::Options{2_MiB, 2, [this] { failed_or_done.give(); }});
        m_thread = std::thread([this] {
            m_context.run();
            m_run_returned.give();
        });
    }
    DiskIoRig(const DiskIoRig&) = delete;
    DiskIoRig& operator=(const DiskIoRig&) = delete;
    ~DiskIoRig()
    {
        target.write_gate.open();
        target.read_gate.open();
        if (!m_aborted) {
            abort();
        }
        CHECK(run_returns());
        m_thread.join();
    }

    const std::vector<std::byte> payload;
    Image image;
    FakeTarget target;
    Notice failed_or_done;

    // Runs `function` on the network thread, and waits for its end.
    template <typename Function>
    void on_network(Function function)
    {
        std::promise<void> ended;
        boost::asio::post(m_context, [&] {
            function(*m_io);
            ended.set_value();
        });
        const auto status = ended.get_future().wait_for(deadline);
        REQUIRE(status == std::future_status::ready);
    }

    // Makes a request there, with a handler that it passes on; tells how that was called, in the end.
    template <typename Request>
    std::shared_ptr<HandlerCall> make(Request make_request)
    {
        const auto call = std::make_shared<HandlerCall>();
        ++m_requests;
        on_network([&](DiskIo& io) {
            bool returned = false;
            const auto in_request = std::make_shared<bool*>(&returned);
            make_request(io, [this, call, in_request](lt::storage_error error = {}) {
                ++call->times;
                call->within_the_request = *in_request != nullptr;
                call->thread = std::this_thread::get_id();
                call->error = error;
                ++m_answers;
            });
            *in_request = nullptr;
        });
        return call;
    }

    std::shared_ptr<HandlerCall> write(int piece, int start, std::shared_ptr<lt::disk_observer> observer = {})
    {
        return make([&](DiskIo& io, auto answered) {
            const std::uint64_t offset =
                static_cast<std::uint64_t>(piece) * piece_length + static_cast<std::uint64_t>(start);
            // A copy, which is gone when the call returns, as a peer's receive buffer.
            const std::vector<std::byte> block(&payload[offset], &payload[offset] + block_bytes);
            m_held =
                io.async_write(storage, request(piece, start), reinterpret_cast<const char*>(block.data()),
                               observer, [answered](const lt::storage_error& e) { answered(e); }, {});
        });
    }
    void write_piece(int piece)
    {
        for (int start = 0; start < static_cast<int>(piece_length); start += block_bytes) {
            (void)write(piece, start);
        }
    }
    [[nodiscard]] bool last_write_was_held() const { return m_held; }

    // Its `data` is what was read, and nothing after an error.
    std::shared_ptr<ReadCall> read(const lt::peer_request& what)
    {
        const auto read = std::make_shared<ReadCall>();
        read->call = make([&](DiskIo& io, auto answered) {
            io.async_read(storage, what,
                          [answered, read, what](lt::disk_buffer_holder holder, const lt::storage_error& e) {
                              if (holder) {
                                  read->size = size_of(holder, what);
                                  read->data.assign(holder.data(), holder.data() + what.length);
                              }
                              answered(e);
                          },
                          {});
        });
        return read;
    }
    [[nodiscard]] bool is_right(const ReadCall& read, std::uint64_t offset, std::size_t length) const
    {
        return read.data.size() == length && read.size == static_cast<int>(length) &&
               same_bytes(reinterpret_cast<const std::byte*>(read.data.data()), &payload[offset], length);
    }

    [[nodiscard]] bool all_answered()
    {
        return comes_true([this] { return m_answers == m_requests; });
    }
    [[nodiscard]] std::thread::id network_thread() const { return m_thread.get_id(); }

    void abort()
    {
        m_aborted = true;
        on_network([](DiskIo& io) { io.abort(false); });
    }
    [[nodiscard]] bool run_returns() const { return m_run_returned.came(); }
    [[nodiscard]] bool run_has_returned() const { return m_run_returned.has_come(); }
    [[nodiscard]] const DiskEngine& engine() const { return m_io->engine(); }

  private:
    lt::io_context m_context;
    std::unique_ptr<DiskIo> m_io;
    std::thread m_thread;
    Notice m_run_returned;
    std::atomic<int> m_answers = 0;
    int m_requests = 0;
    bool m_held = false; // by on_network's hand-over
    bool m_aborted = false;
};

} // namespace ezio::test
