// SPDX-License-Identifier: GPL-2.0-or-later
//
// libtorrent's disk interface on top of the disk engine. It only translates: piece and offset to payload
// offset, errno to storage_error, a slice of a slab to a disk_buffer_holder.
//
// What libtorrent relies on, and how it is ensured:
// - Every handler is called exactly once, on the network thread (DiskEngine's answers). Only async_read may
//   answer within the call, and does so if the data is in memory.
// - Handlers are moved, never copied.
// - The io_context stays alive until the engine has stopped (m_keep_alive).
// - A holder has exactly the size of the request, because libtorrent fills in the rest of it.
// - A failed write is reported as ENOSPC, a failed hash as ECANCELED: after EIO libtorrent would disconnect
//   every peer.
#pragma once

#include "ezio/engine/disk_engine.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <libtorrent/disk_buffer_holder.hpp>
#include <libtorrent/disk_interface.hpp>
#include <libtorrent/disk_observer.hpp>
#include <libtorrent/io_context.hpp>
#include <libtorrent/peer_request.hpp>
#include <libtorrent/string_view.hpp>
#include <libtorrent/version.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ezio {

// For one session with one torrent. Runs on the network thread, except for the constructor, the destructor,
// and where stated.
class DiskIo final : public lt::disk_interface, public lt::buffer_allocator_interface {
  public:
    struct Options {
        std::uint64_t memory = 0;
        unsigned threads = 0;
        std::function<void()> wake_owner;                              // as in DiskEngine
        std::function<void(const lt::peer_request& block)> taken = {}; // called with each block to be written
    };

    // `image` and `target` must outlive the session.
    DiskIo(lt::io_context& context, const Image& image, Target& target, const std::vector<bool>& on_disk,
           Options options);
    ~DiskIo() override;

    // For facts, failures and kept pieces, which are not part of libtorrent's interface.
    [[nodiscard]] DiskEngine& engine() { return m_engine; }

    lt::storage_holder new_torrent(const lt::storage_params& params,
                                   const std::shared_ptr<void>& torrent) override;
    void remove_torrent(lt::storage_index_t storage) override;
    void async_read(lt::storage_index_t storage, const lt::peer_request& request,
                    std::function<void(lt::disk_buffer_holder, const lt::storage_error&)> handler,
                    lt::disk_job_flags_t flags) override;
    bool async_write(lt::storage_index_t storage, const lt::peer_request& request, const char* buffer,
                     std::shared_ptr<lt::disk_observer> observer,
                     std::function<void(const lt::storage_error&)> handler,
                     lt::disk_job_flags_t flags) override;
    void async_hash(lt::storage_index_t storage, lt::piece_index_t piece, lt::span<lt::sha256_hash> v2,
                    lt::disk_job_flags_t flags,
                    std::function<void(lt::piece_index_t, const lt::sha1_hash&, const lt::storage_error&)>
                        handler) override;
    void async_hash2(lt::storage_index_t storage, lt::piece_index_t piece, int offset,
                     lt::disk_job_flags_t flags,
                     std::function<void(lt::piece_index_t, const lt::sha256_hash&, const lt::storage_error&)>
                         handler) override;
    void async_move_storage(
        lt::storage_index_t storage, std::string path, lt::move_flags_t flags,
        std::function<void(lt::status_t, const std::string&, const lt::storage_error&)> handler) override;
    void async_release_files(lt::storage_index_t storage, std::function<void()> handler) override;
    void async_check_files(lt::storage_index_t storage, const lt::add_torrent_params* resume_data,
                           lt::aux::vector<std::string, lt::file_index_t> links,
                           std::function<void(lt::status_t, const lt::storage_error&)> handler) override;
    void async_stop_torrent(lt::storage_index_t storage, std::function<void()> handler) override;
    void async_rename_file(
        lt::storage_index_t storage, lt::file_index_t index, std::string name,
        std::function<void(const std::string&, lt::file_index_t, const lt::storage_error&)> handler) override;
    void async_delete_files(lt::storage_index_t storage, lt::remove_flags_t options,
                            std::function<void(const lt::storage_error&)> handler) override;
    void
    async_set_file_priority(lt::storage_index_t storage,
                            lt::aux::vector<lt::download_priority_t, lt::file_index_t> priorities,
                            std::function<void(const lt::storage_error&,
                                               lt::aux::vector<lt::download_priority_t, lt::file_index_t>)>
                                handler) override;
    void async_clear_piece(lt::storage_index_t storage, lt::piece_index_t index,
                           std::function<void(lt::piece_index_t)> handler) override;
    void update_stats_counters(lt::counters& counters) const override;
    std::vector<lt::open_file_state> get_status(lt::storage_index_t storage) const override;
    void abort(bool wait) override;
    void submit_jobs() override;
    void settings_updated() override;

    void free_disk_buffer(char* buffer) override; // any thread
#if LIBTORRENT_VERSION_NUM >= 20100
    void free_multiple_buffers(lt::span<char*> buffers) override;
#endif

  private:
    [[nodiscard]] std::uint64_t payload_offset(const lt::peer_request& request) const;
    [[nodiscard]] lt::disk_buffer_holder hold(ReadBuffer data, int length);

    using KeepAlive = boost::asio::executor_work_guard<lt::io_context::executor_type>;

    const Image& m_image;
    const std::function<void(const lt::peer_request&)> m_taken;
    std::optional<KeepAlive> m_keep_alive; // until the engine has stopped
    DiskEngine m_engine;                   // after m_keep_alive: its last thread ends that
};

} // namespace ezio
