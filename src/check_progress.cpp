// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/check_progress.hpp"

#include "ezio/rate_meter.hpp"

namespace ezio {

double wait_for_check(TargetCheck& check, Phase phase, std::uint64_t total_bytes, const Context& context)
{
    constexpr std::chrono::milliseconds tick{250};
    const Clock::time_point started = Clock::now();
    const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - started).count(); };
    RateMeter rate;
    TimeLeft left;
    const auto report = [&] {
        ProgressEvent event;
        event.phase = phase;
        event.seconds = elapsed();
        event.total_bytes = total_bytes;
        event.done_bytes = check.bytes_done();
        rate.observe(event.done_bytes, Clock::now());
        event.done_rate = rate.per_second();
        left.observe(event.done_bytes, event.total_bytes, Clock::now());
        event.eta_seconds = left.seconds();
        context.reporter.progress(event);
    };
    while (!check.advance()) {
        context.wakeup.wait_for(tick);
        context.stop.throw_if_received();
        report();
    }
    report(); // the last one may have come just before the end
    return elapsed();
}

} // namespace ezio
