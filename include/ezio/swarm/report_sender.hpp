// SPDX-License-Identifier: GPL-2.0-or-later
//
// A fetch's part in the exchange of client_report.hpp: tells the seeders that it is connected with how it
// fares, and only those peers that say they are `ezio-cli seed`. At every change of state, every 2 s between,
// and at once to a seeder that comes later.
#pragma once

#include "ezio/swarm/client_report.hpp"
#include "ezio/util/clock.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/io_context.hpp>

#include <functional>
#include <memory>

namespace ezio {

class SenderState;

class ReportSender {
  public:
    static constexpr milliseconds interval{2000};

    // `wake` is called, on any thread, when a last word was heard.
    explicit ReportSender(std::function<void()> wake);
    ~ReportSender();
    ReportSender(const ReportSender&) = delete;
    ReportSender& operator=(const ReportSender&) = delete;

    // The session that is being made, before its torrent is added.
    void attach(lt::io_context& context);

    // Makes the plugin part of the torrent that is about to be added.
    void extend(lt::add_torrent_params& params);

    // How it is now: to be called often, from one thread. It returns at once.
    void say(const ClientReport& report, Clock::time_point now);

    // Whether all connected seeders have acknowledged the last report that say() was given, if its state is
    // final. At least one has, unless none was ever connected.
    [[nodiscard]] bool is_heard() const;

  private:
    const std::shared_ptr<SenderState> m_state;
};

} // namespace ezio
