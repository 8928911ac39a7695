// SPDX-License-Identifier: GPL-2.0-or-later
//
// A fetch's side of client_report.hpp: reports to connected seeders, that is, to peers that identify
// themselves as `ezio-cli seed`. It reports at every change of state, every 2 s in between, and at once to a
// new seeder.
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

    // `wake` is called, on any thread, when a last report was answered.
    explicit ReportSender(std::function<void()> wake);
    ~ReportSender();
    ReportSender(const ReportSender&) = delete;
    ReportSender& operator=(const ReportSender&) = delete;

    // Connects it to the session that is being made, before its torrent is added.
    void attach(lt::io_context& context);

    // Adds the plugin to the torrent that is about to be added.
    void extend(lt::add_torrent_params& params);

    // Sets the current report. To be called often, from one thread; returns at once.
    void say(const ClientReport& report, Clock::time_point now);

    // Whether all connected seeders have acknowledged the last report given to say(), if its state is final.
    // At least one must have, unless none was ever connected.
    [[nodiscard]] bool is_heard() const;

  private:
    const std::shared_ptr<SenderState> m_state;
};

} // namespace ezio
