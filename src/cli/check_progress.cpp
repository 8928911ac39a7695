// SPDX-License-Identifier: GPL-2.0-or-later
#include "check_progress.hpp"

#include "ezio/report/rate_meter.hpp"

namespace ezio {

double wait_for_check(ImageCheck& check, Phase phase, std::uint64_t total_bytes, const Context& context)
{
    constexpr std::chrono::milliseconds tick{250};
    const Clock::time_point started = Clock::now();
    const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - started).count(); };
    RateMeter rate;
    TimeLeft left;
    rate.observe(0, started); // otherwise the first report, possibly the only one, would have no rate
    const auto report = [&] {
        ProgressEvent event;
        event.phase = phase;
        event.seconds = elapsed();
        event.total_bytes = total_bytes;
        event.done_bytes = check.bytes_done();
        rate.observe(event.done_bytes, Clock::now());
        const bool is_known = rate.per_second() > 0 || event.seconds <= 0; // too early, or nothing was read
        event.done_rate =
            is_known ? rate.per_second() : static_cast<double>(event.done_bytes) / event.seconds;
        left.observe(event.done_bytes, event.total_bytes, Clock::now());
        event.eta_seconds = left.seconds();
        context.reporter.progress(event);
    };
    while (!check.advance()) {
        context.wakeup.wait_for(tick);
        context.stop.throw_if_received();
        report();
    }
    report(); // the last report may have been just before the end
    return elapsed();
}

} // namespace ezio
