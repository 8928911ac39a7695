// SPDX-License-Identifier: GPL-2.0-or-later
#include "disk_io.hpp"

#include "ezio/peers/piece_number.hpp"

#include <boost/asio/post.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/operations.hpp>
#include <libtorrent/storage_defs.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ezio {

namespace {

// After EIO libtorrent disconnects every peer, and no seeder receives the last report. So it is told a milder
// error: after ENOSPC for a write it stops requesting and stays connected, and it ignores a cancelled hash.
// DiskEngine::failure() has the true error.
lt::storage_error storage_error(int error, lt::operation_t operation, int instead_of_eio = EIO)
{
    lt::storage_error result;
    if (error != 0) {
        result.ec = lt::error_code(error == EIO ? instead_of_eio : error, lt::system_category());
        result.file(lt::file_index_t{0}); // libtorrent uses it as an index
        result.operation = operation;
    }
    return result;
}

lt::storage_error unsupported()
{
    return storage_error(EOPNOTSUPP, lt::operation_t::unknown);
}

#if LIBTORRENT_VERSION_NUM >= 20100
constexpr lt::status_t status_ok{};
constexpr lt::status_t status_failed = lt::disk_status::fatal_disk_error;
#else
constexpr lt::status_t status_ok = lt::status_t::no_error;
constexpr lt::status_t status_failed = lt::status_t::fatal_disk_error;
#endif

} // namespace

DiskIo::DiskIo(lt::io_context& context, const Image& image, Target& target, const std::vector<bool>& on_disk,
               Options options)
    : m_image(image), m_taken(std::move(options.taken)), m_keep_alive(boost::asio::make_work_guard(context)),
      m_engine(
          image, target, on_disk,
          {options.memory, options.threads,
           [&context](std::function<void()> function) { boost::asio::post(context, std::move(function)); },
           std::move(options.wake_owner)})
{}

DiskIo::~DiskIo() = default;

std::uint64_t DiskIo::payload_offset(const lt::peer_request& request) const
{
    return m_image.piece_offset(static_cast<std::uint32_t>(static_cast<int>(request.piece))) +
           static_cast<std::uint64_t>(request.start);
}

lt::disk_buffer_holder DiskIo::hold(ReadBuffer data, int length)
{
#if LIBTORRENT_VERSION_NUM >= 20100
    static_cast<void>(length);
    return {*this, reinterpret_cast<char*>(data.release())};
#else
    return {*this, reinterpret_cast<char*>(data.release()), length};
#endif
}

void DiskIo::free_disk_buffer(char* buffer)
{
    m_engine.free_buffer(reinterpret_cast<std::byte*>(buffer));
}

#if LIBTORRENT_VERSION_NUM >= 20100
void DiskIo::free_multiple_buffers(lt::span<char*> buffers)
{
    for (char* buffer : buffers) {
        free_disk_buffer(buffer);
    }
}
#endif

// --- the data's way ---

bool DiskIo::async_write(lt::storage_index_t, const lt::peer_request& request, const char* buffer,
                         std::shared_ptr<lt::disk_observer> observer,
                         std::function<void(const lt::storage_error&)> handler, lt::disk_job_flags_t)
{
    if (m_taken) {
        m_taken(request);
    }
    return m_engine.write(
        payload_offset(request),
        {reinterpret_cast<const std::byte*>(buffer), static_cast<std::size_t>(request.length)},
        [handler = std::move(handler)](int error) {
            handler(storage_error(error, lt::operation_t::file_write, ENOSPC));
        },
        [observer = std::weak_ptr<lt::disk_observer>(observer)] {
            if (const auto alive = observer.lock()) {
                alive->on_disk();
            }
        });
}

void DiskIo::async_read(lt::storage_index_t, const lt::peer_request& request,
                        std::function<void(lt::disk_buffer_holder, const lt::storage_error&)> handler,
                        lt::disk_job_flags_t)
{
    // disk_interface::force_copy needs no attention: a pinned slab is never written to again.
    const std::uint64_t offset = payload_offset(request);
    const auto length = static_cast<std::uint64_t>(request.length);
    if (ReadBuffer data = m_engine.try_read(offset, length)) {
        handler(hold(std::move(data), request.length), {});
        return;
    }
    m_engine.read(offset, length,
                  [this, handler = std::move(handler), length = request.length](int error, ReadBuffer data) {
                      handler(data ? hold(std::move(data), length) : lt::disk_buffer_holder(),
                              storage_error(error, lt::operation_t::file_read));
                  });
}

void DiskIo::async_hash(
    lt::storage_index_t, lt::piece_index_t piece, lt::span<lt::sha256_hash> v2, lt::disk_job_flags_t,
    std::function<void(lt::piece_index_t, const lt::sha1_hash&, const lt::storage_error&)> handler)
{
    m_engine.hash(to_number(piece),
                  [piece, v2, handler = std::move(handler)](int error, const PieceDigests& digests) {
                      lt::sha1_hash hash;
                      std::copy(digests.sha1.begin(), digests.sha1.end(), hash.begin());
                      // `v2` belongs to the handler; libtorrent wants a digest for each block that is not
                      // padding.
                      for (std::size_t i = 0;
                           i < std::min(digests.blocks.size(), static_cast<std::size_t>(v2.size())); ++i) {
                          const auto& block = digests.blocks[i];
                          std::copy(block.begin(), block.end(), v2[static_cast<std::ptrdiff_t>(i)].begin());
                      }
                      handler(piece, hash, storage_error(error, lt::operation_t::file_read, ECANCELED));
                  });
}

void DiskIo::async_clear_piece(lt::storage_index_t, lt::piece_index_t index,
                               std::function<void(lt::piece_index_t)> handler)
{
    m_engine.clear(static_cast<std::uint32_t>(static_cast<int>(index)),
                   [index, handler = std::move(handler)] { handler(index); });
}

// --- the torrent's life ---

lt::storage_holder DiskIo::new_torrent(const lt::storage_params&, const std::shared_ptr<void>&)
{
    return {lt::storage_index_t{0}, *this}; // there is one torrent, and its layout is m_image
}

void DiskIo::remove_torrent(lt::storage_index_t) {}

void DiskIo::async_check_files(lt::storage_index_t, const lt::add_torrent_params*,
                               lt::aux::vector<std::string, lt::file_index_t>,
                               std::function<void(lt::status_t, const lt::storage_error&)> handler)
{
    // Nothing to check here: have_pieces has told libtorrent what is known, and TorrentSession::learn() tells
    // the rest later.
    m_engine.answer([handler = std::move(handler)] { handler(status_ok, {}); });
}

void DiskIo::async_release_files(lt::storage_index_t, std::function<void()> handler)
{
    if (handler) { // null if libtorrent does not need the result
        m_engine.answer(std::move(handler));
    }
}

void DiskIo::async_stop_torrent(lt::storage_index_t, std::function<void()> handler)
{
    if (handler) {
        m_engine.answer(std::move(handler));
    }
}

void DiskIo::abort(bool)
{
    m_engine.stop([this] { m_keep_alive.reset(); });
}

// --- not used by this program ---

void DiskIo::async_hash2(
    lt::storage_index_t, lt::piece_index_t piece, int, lt::disk_job_flags_t,
    std::function<void(lt::piece_index_t, const lt::sha256_hash&, const lt::storage_error&)> handler)
{
    m_engine.answer([piece, handler = std::move(handler)] { handler(piece, {}, unsupported()); });
}

void DiskIo::async_move_storage(
    lt::storage_index_t, std::string path, lt::move_flags_t,
    std::function<void(lt::status_t, const std::string&, const lt::storage_error&)> handler)
{
    m_engine.answer([path = std::move(path), handler = std::move(handler)] {
        handler(status_failed, path, unsupported());
    });
}

void DiskIo::async_rename_file(
    lt::storage_index_t, lt::file_index_t index, std::string name,
    std::function<void(const std::string&, lt::file_index_t, const lt::storage_error&)> handler)
{
    m_engine.answer([index, name = std::move(name), handler = std::move(handler)] {
        handler(name, index, unsupported());
    });
}

void DiskIo::async_delete_files(lt::storage_index_t, lt::remove_flags_t,
                                std::function<void(const lt::storage_error&)> handler)
{
    m_engine.answer([handler = std::move(handler)] { handler(unsupported()); });
}

void DiskIo::async_set_file_priority(
    lt::storage_index_t, lt::aux::vector<lt::download_priority_t, lt::file_index_t> priorities,
    std::function<void(const lt::storage_error&, lt::aux::vector<lt::download_priority_t, lt::file_index_t>)>
        handler)
{
    m_engine.answer(
        [priorities = std::move(priorities), handler = std::move(handler)] { handler({}, priorities); });
}

void DiskIo::update_stats_counters(lt::counters&) const {}

std::vector<lt::open_file_state> DiskIo::get_status(lt::storage_index_t) const
{
    return {};
}

void DiskIo::submit_jobs() {} // the engine wakes its threads itself

void DiskIo::settings_updated() {}

} // namespace ezio
