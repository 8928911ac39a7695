// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "deadline.hpp"
#include "fake_target.hpp"
#include "test_image.hpp"
#include "test_payload.hpp"

#include "ezio/session/session_settings.hpp"
#include "ezio/torrent/torrent_encoder.hpp"
#include "ezio/torrent/torrent_file.hpp"
#include "ezio/util/units.hpp"
#include "session/disk_io.hpp"

#include <boost/asio/post.hpp>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/settings_pack.hpp>
#include <libtorrent/torrent_status.hpp>

#include <algorithm>
#include <functional>
#include <future>
#include <memory>
#include <vector>

namespace ezio::test {

// A libtorrent session on 127.0.0.1 with one torrent, whose target is a fake one; its plugins are the test's.
class SessionRig {
  public:
    enum class Disk { empty, complete };
    struct Options {
        Disk disk = Disk::empty;
        std::uint64_t blocks = 16;
        std::uint64_t memory = 2_MiB;
        bool insists_on_rc4 = false;
    };

    // The session's network thread runs; the torrent is still to be added.
    explicit SessionRig(const Options& options)
        : payload(payload_of(options.blocks)), torrent(torrent_of(payload)), target(payload.size())
    {
        if (options.disk == Disk::complete) {
            target.bytes() = payload;
        }
        m_on_disk.resize(torrent.image.piece_count(), options.disk == Disk::complete);
        lt::session_params params;
        params.settings = session_settings({}, {}, Transport::plain);
        params.settings.set_str(lt::settings_pack::listen_interfaces, "127.0.0.1:0");
        if (options.insists_on_rc4) {
            params.settings.set_int(lt::settings_pack::out_enc_policy, lt::settings_pack::pe_forced);
            params.settings.set_int(lt::settings_pack::in_enc_policy, lt::settings_pack::pe_forced);
            params.settings.set_int(lt::settings_pack::allowed_enc_level, lt::settings_pack::pe_rc4);
        }
        params.disk_io_constructor = [&](lt::io_context& context, const lt::settings_interface&,
                                         lt::counters&) {
            auto disk = std::make_unique<DiskIo>(context, torrent.image, target, m_on_disk,
                                                 DiskIo::Options{options.memory, 2, [] {}});
            m_context = &context;
            m_engine = &disk->engine();
            return disk;
        };
        m_session = std::make_unique<lt::session>(std::move(params));
        REQUIRE(comes_true([this] { return m_session->listen_port() != 0; }));
    }

    ~SessionRig() { target.write_gate.open(); }
    SessionRig(const SessionRig&) = delete;
    SessionRig& operator=(const SessionRig&) = delete;

    const std::vector<std::byte> payload; // of each block, three quarters do not shrink
    const LoadedTorrent torrent;
    FakeTarget target;

    [[nodiscard]] std::uint16_t port() { return m_session->listen_port(); }
    [[nodiscard]] lt::io_context& context() { return *m_context; }
    [[nodiscard]] DiskEngine& engine() { return *m_engine; }
    [[nodiscard]] const std::vector<bool>& on_disk() const { return m_on_disk; }
    [[nodiscard]] lt::torrent_handle& handle() { return m_handle; }
    [[nodiscard]] std::uint32_t blocks() const
    {
        return static_cast<std::uint32_t>(payload.size() / block_bytes);
    }

    // `extend` adds the plugins.
    void add_torrent(const std::function<void(lt::add_torrent_params&)>& extend)
    {
        lt::add_torrent_params params = torrent.params;
        params.save_path = "/";
        params.flags &= ~(lt::torrent_flags::auto_managed | lt::torrent_flags::paused);
        params.flags |= lt::torrent_flags::disable_dht | lt::torrent_flags::disable_lsd |
                        lt::torrent_flags::no_verify_files;
        if (m_on_disk.front()) {
            params.have_pieces.resize(static_cast<int>(m_on_disk.size()), true);
        }
        extend(params);
        m_handle = m_session->add_torrent(std::move(params));
    }

    // Runs `function` on the network thread, and waits for its end.
    void on_network(const std::function<void()>& function)
    {
        std::promise<void> ended;
        boost::asio::post(*m_context, [&] {
            function();
            ended.set_value();
        });
        const auto status = ended.get_future().wait_for(deadline);
        REQUIRE(status == std::future_status::ready);
    }

    // Whether all of it is on the target, in time.
    [[nodiscard]] bool completes()
    {
        const bool complete = comes_true([this] { return m_engine->facts().done_bytes == payload.size(); });
        return complete && target.bytes() == payload;
    }

    [[nodiscard]] lt::torrent_status status() { return m_handle.status({}); }

    [[nodiscard]] std::vector<lt::peer_info> peers()
    {
        std::vector<lt::peer_info> infos;
        m_handle.get_peer_info(infos);
        return infos;
    }

  private:
    static std::vector<std::byte> payload_of(std::uint64_t blocks)
    {
        std::vector<std::byte> bytes = random_bytes(blocks * block_bytes, 5);
        for (std::size_t at = 0; at < bytes.size(); at += block_bytes) {
            std::fill_n(&bytes[at], block_bytes / 4, std::byte{0});
        }
        return bytes;
    }

    static LoadedTorrent torrent_of(const std::vector<std::byte>& payload)
    {
        constexpr std::uint64_t piece_length = 4 * block_bytes;
        TorrentContents contents{"sda1", piece_length, {{0, payload.size()}}, {}, {}, {}};
        for (std::size_t at = 0; at < payload.size(); at += piece_length) {
            contents.hashes.push_back(sha1_of(std::span(payload).subspan(at, piece_length)));
        }
        return parse_torrent(encode_torrent(contents), "sda1.torrent");
    }

    std::vector<bool> m_on_disk;
    lt::io_context* m_context = nullptr;
    DiskEngine* m_engine = nullptr;
    std::unique_ptr<lt::session> m_session;
    lt::torrent_handle m_handle;
};

} // namespace ezio::test
