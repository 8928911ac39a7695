// SPDX-License-Identifier: GPL-2.0-or-later
#include "command_start.hpp"
#include "commands.hpp"

#include "ezio/target/device_identity.hpp"
#include "ezio/target/directory_target.hpp"
#include "ezio/torrent/http_download.hpp"
#include "ezio/torrent/magnet.hpp"
#include "ezio/torrent/read_torrent.hpp"
#include "ezio/transfer/discard.hpp"
#include "ezio/transfer/metadata_session.hpp"
#include "ezio/util/atomic_file.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/file_id.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <unistd.h>

namespace ezio {

namespace {

std::optional<milliseconds> shorter(const std::optional<milliseconds>& a,
                                    const std::optional<milliseconds>& b)
{
    return a && b ? std::min(a, b) : (a ? a : b);
}

// The limits of a fetch before the transfer, which checks them itself: each step may wait forever. When a
// limit has passed, the watchdog's thread ends the process.
class FetchLimits {
  public:
    FetchLimits(const FetchOptions& options, Deadline& deadline) : m_options(options), m_deadline(deadline) {}

    // Begins a step without a limit of its own; `waits_for` is for the message when it takes too long.
    void begin(const std::string& waits_for) { limit(m_options.timeout, {}, waits_for, milliseconds(0)); }

    // Begins a step that waits for data.
    void begin_waiting(const std::string& waits_for, milliseconds grace = milliseconds(0))
    {
        limit(m_options.timeout, m_options.stall_timeout, waits_for, grace);
    }

    [[nodiscard]] Clock::time_point started() const { return m_started; }

    // The remaining time, if limited; rounded up to the precision of messages.
    [[nodiscard]] std::optional<milliseconds> left() const
    {
        using Tenths = std::chrono::duration<milliseconds::rep, std::deci>;
        return m_options.timeout ? std::optional<milliseconds>(std::chrono::ceil<Tenths>(
                                       std::max(*m_options.timeout - since_start(), milliseconds(0))))
                                 : std::nullopt;
    }

  private:
    [[nodiscard]] milliseconds since_start() const
    {
        return std::chrono::duration_cast<milliseconds>(Clock::now() - m_started);
    }

    void limit(const std::optional<milliseconds>& timeout, const std::optional<milliseconds>& stall_timeout,
               const std::string& waits_for, milliseconds grace)
    {
        const auto left = timeout ? std::optional(*timeout - since_start()) : std::nullopt;
        if (left && (!stall_timeout || *left <= *stall_timeout)) {
            m_deadline.fail_at(Clock::now() + *left,
                               fmt::format("not complete after {}", format_duration(*timeout)), waits_for,
                               grace);
        } else if (stall_timeout) {
            m_deadline.fail_at(Clock::now() + *stall_timeout,
                               fmt::format("no data for {}", format_duration(*stall_timeout)), waits_for,
                               grace);
        } else {
            m_deadline.call_off();
        }
    }

    const FetchOptions& m_options;
    Deadline& m_deadline;
    const Clock::time_point m_started = Clock::now();
};

// To be called before anything is read or written.
void refuse_mixed_up_files(const FetchOptions& options)
{
    const auto inputs = inputs_of(options.torrent, options.network.tls);
    refuse_printing_into({options.target});
    refuse_overwriting({options.target}, inputs);
    if (!options.save_torrent.empty()) {
        refuse_replacing(options.save_torrent, with_paths_of(inputs, options.target));
    }
}

// The same for the files in a directory, which only the torrent names.
void refuse_mixed_up_files(const FetchOptions& options, const Image& image)
{
    const auto written = files_of_target(options.target, Access::read_write, image);
    refuse_printing_into(written);
    refuse_overwriting(written, inputs_of(options.torrent, options.network.tls));
    if (!options.save_torrent.empty()) {
        refuse_replacing(options.save_torrent, written);
    }
}

// A torrent to fetch.
struct ToFetch {
    LoadedTorrent torrent;
    EndingSession session{}; // of a magnet link
};

Metadata metadata_for(const FetchOptions& options, const NetworkEndpoints& endpoints, FetchLimits& limits,
                      const Context& context)
{
    const MetadataOptions metadata{options.network, endpoints, shorter(options.stall_timeout, limits.left()),
                                   options.memory};
    limits.begin_waiting("the metadata of the magnet link has not arrived", Deadline::patience);
    return fetch_metadata(options.torrent, metadata, context.reporter, context.wakeup, context.stop,
                          context.deadline);
}

std::string bytes_of(const FetchOptions& options, FetchLimits& limits, const Context& context)
{
    constexpr milliseconds own_message{1000}; // a download checks the time itself
    limits.begin_waiting(fmt::format("the torrent {} has not arrived", options.torrent),
                         is_http_url(options.torrent) ? own_message : milliseconds(0));
    return read_torrent(options.torrent, context.stop, {limits.left(), options.stall_timeout},
                        TorrentMemory(options.memory));
}

void refuse_hopeless_expansion(const FetchOptions& options, const LoadedTorrent& torrent)
{
    const std::string why =
        options.expand_gpt ? why_no_gpt(options.target, torrent.image, torrent.source) : "";
    if (!why.empty()) {
        throw Error(ExitStatus::usage, fmt::format("--expand-gpt: {}", why));
    }
}

// For a magnet link, connects to `endpoints` and to the link's own peers.
ToFetch what_to_fetch(const FetchOptions& options, const NetworkEndpoints& endpoints, FetchLimits& limits,
                      const Context& context)
{
    Metadata found;
    if (is_magnet(options.torrent)) {
        found = metadata_for(options, endpoints, limits, context);
    } else {
        found.torrent = bytes_of(options, limits, context);
    }
    limits.begin(fmt::format("{} was still being examined", options.torrent));
    ToFetch to_fetch{parse_torrent(found.torrent, options.torrent, TorrentMemory(options.memory)),
                     std::move(found.session)};
    refuse_mixed_up_files(options, to_fetch.torrent.image);
    refuse_hopeless_expansion(options, to_fetch.torrent);
    if (!options.save_torrent.empty()) {
        write_file_atomically(options.save_torrent, found.torrent);
    }
    return to_fetch;
}

void refuse_senseless_options(const FetchOptions& options)
{
    refuse_mixed_up_files(options);
    if (is_magnet(options.torrent) && options.network.tls.given()) {
        throw Error(ExitStatus::usage,
                    options.network.tls.first_option() +
                        ": a magnet link does not say whose certificates an image wants, so the metadata of "
                        "a private one cannot be fetched from its peers; give its torrent file or URL");
    }
}

std::string host_name()
{
    constexpr std::size_t longest = 256;
    std::array<char, longest> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string serial_of(const std::string& target)
{
    const auto id = file_id(target);
    const auto identities = id && id->is_device ? device_identities(id->device) : std::vector<std::string>();
    return identities.empty() ? "" : identities.front();
}

// The names that this fetch reports to seeders.
std::optional<ClientReport> names_for_seeders(const FetchOptions& options)
{
    if (!options.report) {
        return std::nullopt;
    }
    ClientReport names;
    names.host = options.report_as.empty() ? host_name() : options.report_as;
    names.target = options.target;
    names.serial = serial_of(options.target);
    return names;
}

// Removes a file that was created for an image that does not arrive.
void clean_up_if_left(const TargetPlace& place, Deadline& deadline)
{
    if (place.created) {
        deadline.clean_up_with([path = place.path] { (void)::unlink(path.c_str()); });
    }
}

} // namespace

void run(const FetchOptions& options, const Context& context)
{
    FetchLimits limits(options, context.deadline);
    limits.begin(fmt::format("{} was still being examined", options.target));
    refuse_senseless_options(options);
    std::optional<ToFetch> to_fetch;
    if (!comes_by_network(options.torrent)) {
        to_fetch = what_to_fetch(options, {}, limits, context);
    }
    limits.begin(options.network.tls.given() // a target that does not answer is named in any case
                     ? "what --ssl-cert, --ssl-key and --ssl-dh name was still being read"
                     : fmt::format("{} was still being examined", options.target));
    Start start = start_with_privileges(to_fetch ? &to_fetch->torrent : nullptr, options.network,
                                        options.target, Access::read_write, options.serial, context);
    clean_up_if_left(start.place, context.deadline);
    limits.begin_waiting("the name server has not answered for a --peer");
    start.endpoints.peers = resolve_peers(options.network, start.endpoints.allowed);
    if (is_magnet(options.torrent)) { // its peers are treated like --peer
        const auto named = parse_magnet(options.torrent).peers;
        start.endpoints.peers.insert(start.endpoints.peers.end(), named.begin(), named.end());
    }
    if (!to_fetch) {
        if (!options.save_torrent.empty()) {
            refuse_uncreatable_file(options.save_torrent); // with the remaining privileges
        }
        to_fetch = what_to_fetch(options, start.endpoints, limits, context);
        check_credentials_for(to_fetch->torrent, options.network.tls, start.credentials);
    }
    const LoadedTorrent& torrent = to_fetch->torrent;
    TransferOptions transfer = transfer_options(Role::fetch, options.network, start);
    transfer.memory = options.memory;
    transfer.seed_time = options.seed_time;
    transfer.check = options.resume;
    transfer.verify = options.verify;
    transfer.reports_as = names_for_seeders(options);
    transfer.stale_signatures = options.keep_signatures ? StaleSignatures::keep : StaleSignatures::wipe;
    transfer.stall_timeout = options.stall_timeout;
    transfer.timeout = options.timeout;
    transfer.timed_since = limits.started();
    transfer.gpt_copy = options.expand_gpt ? GptCopy::move : GptCopy::leave;
    transfer.rescan = start.rescan.get();
    transfer.other_disks = start.other_disks.get();
    transfer.volume_scan = start.volume_scan.get();
    limits.begin(fmt::format("{} was still being examined", options.target));
    const auto target = open_for(torrent.image, std::move(start.place), context);
    context.deadline.clean_up_with({});
    if (const std::string doubt = target->doubt(); !doubt.empty()) {
        context.reporter.warning(doubt);
    }
    target->watch(context.deadline.disk());
    if (options.discard) { // needs only the open target, and spares its data if the steps above fail
        limits.begin(fmt::format("{} was still discarding what the image does not use", options.target));
        discard_unused(*target, torrent.image.map, context.reporter, context.stop);
    }
    run_transfer(torrent, *target, transfer, context.reporter, context.wakeup, context.stop,
                 context.deadline);
}

} // namespace ezio
