// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.hpp"

#include "check_progress.hpp"
#include "command_output.hpp"
#include "ezio/disk/move_gpt.hpp"
#include "ezio/disk/other_disks.hpp"
#include "ezio/disk/partition_rescan.hpp"
#include "ezio/disk/volume_scan.hpp"
#include "ezio/process/descriptor_limit.hpp"
#include "ezio/process/privileges.hpp"
#include "ezio/target/device_identity.hpp"
#include "ezio/target/directory_target.hpp"
#include "ezio/target/target_place.hpp"
#include "ezio/torrent/http_download.hpp"
#include "ezio/torrent/magnet.hpp"
#include "ezio/torrent/read_torrent.hpp"
#include "ezio/torrent/torrent_encoder.hpp"
#include "ezio/torrent/torrent_file.hpp"
#include "ezio/transfer/discard.hpp"
#include "ezio/transfer/metadata_session.hpp"
#include "ezio/transfer/start_event.hpp"
#include "ezio/transfer/transfer.hpp"
#include "ezio/util/atomic_file.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/file_id.hpp"
#include "ezio/util/printable.hpp"
#include "ezio/verify/digest_comparison.hpp"
#include "file_roles.hpp"
#include "report_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>

#include <unistd.h>

namespace ezio {

namespace {

std::optional<TlsCredentials> credentials_for(const LoadedTorrent& torrent, const TlsFiles& files)
{
    if (!torrent.ssl_ca.empty()) {
        return load_credentials(files, torrent.ssl_ca, torrent.image.name);
    }
    if (files.given()) {
        throw Error(
            ExitStatus::usage,
            fmt::format("{}: {} is not private, its data would travel unencrypted; see create --ssl-ca",
                        files.first_option(), torrent.path));
    }
    return std::nullopt;
}

LoadedTorrent torrent_from(const std::string& path_or_url, const Context& context,
                           const std::optional<TorrentMemory>& memory = {})
{
    return parse_torrent(read_torrent(path_or_url, context.stop, {}, memory), path_or_url, memory);
}

std::optional<milliseconds> shorter(const std::optional<milliseconds>& a,
                                    const std::optional<milliseconds>& b)
{
    return a && b ? std::min(a, b) : (a ? a : b);
}

// The limits of a fetch before the transfer, which checks them itself: each step may wait forever.
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

bool comes_by_network(const std::string& torrent)
{
    return is_magnet(torrent) || is_http_url(torrent);
}

// The files that a command reads in addition to the image.
std::vector<InputFile> inputs_of(const std::string& torrent, const TlsFiles& tls)
{
    std::vector<InputFile> inputs{
        {"--ssl-cert", tls.certificate}, {"--ssl-key", tls.key}, {"--ssl-dh", tls.dh}};
    if (!comes_by_network(torrent)) {
        inputs.push_back({"the torrent", torrent});
    }
    return inputs;
}

std::vector<std::string> with_paths_of(const std::vector<InputFile>& inputs, const std::string& other)
{
    std::vector<std::string> paths{other};
    for (const InputFile& input : inputs) {
        paths.push_back(input.path);
    }
    return paths;
}

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

std::optional<User> user_for(const NetworkOptions& network, const std::string& target)
{
    if (network.user.empty()) {
        return std::nullopt;
    }
    if (std::filesystem::is_directory(target)) {
        throw Error(ExitStatus::usage,
                    fmt::format("--user {}: {} is a directory, whose files are opened while it runs; "
                                "it needs a block device or an image file",
                                network.user, target));
    }
    return find_user(network.user);
}

// To be called once the target is open, before the first packet.
void give_up_privileges_for(const std::optional<User>& user, const std::vector<Endpoint>& listen,
                            const std::string& target, const Context& context)
{
    KeptPowers kept;
    kept.open_any_file = std::filesystem::is_directory(target);
    kept.low_ports =
        std::any_of(listen.begin(), listen.end(), [](const Endpoint& it) { return it.port() < 1024; });
    give_up_privileges(user, kept);
    context.stop.renew_thread();
    context.deadline.renew_thread();
}

TargetPlace open_place_of(const std::string& path, Access access, const Context& context,
                          const std::string& serial = {})
{
    context.deadline.disk().set_disk(path);
    const DiskCalls::Call call(context.deadline.disk());
    return open_place(path, access, serial);
}

std::unique_ptr<Target> open_for(const Image& image, TargetPlace place, const Context& context)
{
    const DiskCalls::Call call(context.deadline.disk());
    return open_target(std::move(place), image);
}

// The first steps of seed and fetch.
struct Start {
    NetworkEndpoints endpoints;                // without those that need a name server
    std::optional<TlsCredentials> credentials; // checked once the torrent is known
    TargetPlace place;
    std::unique_ptr<PartitionRescan> rescan{}; // this and the next: for a fetch's target, with privileges
    std::unique_ptr<OtherDisks> other_disks{};
    std::unique_ptr<VolumeScan> volume_scan{};
};

void prepare_for_the_end(Start& start, const Context& context)
{
    const DiskCalls::Call call(context.deadline.disk());
    if (start.place.fd) {
        start.rescan = make_partition_rescan(start.place.fd.get(), start.place.path);
        start.other_disks = make_other_disks(start.place.fd.get());
        start.volume_scan = make_volume_scan(start.place.fd.get());
    }
}

// Does everything that may need privileges, and nothing that uses the network; then gives them up. `torrent`
// is null if it is not known yet.
Start start_with_privileges(const LoadedTorrent* torrent, const NetworkOptions& network,
                            const std::string& target, Access access, const std::string& serial,
                            const Context& context)
{
    NetworkEndpoints endpoints = resolve_here(network);
    allow_descriptors_for(network.max_peers);
    std::optional<TlsCredentials> credentials;
    if (torrent != nullptr) {
        credentials = credentials_for(*torrent, network.tls);
    } else if (network.tls.given()) {
        credentials = read_credentials(network.tls);
    }
    const auto user = user_for(network, target);
    Start start{std::move(endpoints), std::move(credentials), open_place_of(target, access, context, serial)};
    if (access == Access::read_write) {
        prepare_for_the_end(start, context);
    }
    give_up_privileges_for(user, start.endpoints.listen.endpoints, target, context);
    return start;
}

// To be called before anything is read, with the files known then.
void refuse_replacing_by_report(const SeedOptions& options)
{
    if (!options.report.empty()) {
        const auto inputs = inputs_of(options.torrent, options.network.tls);
        refuse_replacing(options.report, with_paths_of(inputs, options.source), "list of clients");
    }
}

// The checks for a torrent that came over the network.
void check_credentials_for(const LoadedTorrent& torrent, const TlsFiles& files,
                           std::optional<TlsCredentials>& credentials)
{
    if (torrent.ssl_ca.empty() || !credentials) {
        credentials = credentials_for(torrent, files); // empty, or throws the reason
    } else {
        check_credentials(*credentials, files, torrent.ssl_ca, torrent.image.name);
    }
}

// Why the pieces with the partition table may differ although the disk is fine.
std::string remark_on_gpt(Target& target, const Image& image)
{
    ReplacedBytes none;
    const bool is_larger = target.size().value_or(0) > image.map.device_end();
    return is_larger && move_gpt(target, image, GptCopy::leave, none).outcome == GptPlan::Outcome::at_the_end
               ? fmt::format(
                     "; the GPT was expanded to the end of {}, which is larger, and of the sectors in "
                     "which it is some differ for that",
                     target.path())
               : "";
}

TransferOptions transfer_options(Role role, const NetworkOptions& network, Start& start)
{
    TransferOptions transfer;
    transfer.role = role;
    transfer.network = network;
    transfer.endpoints = std::move(start.endpoints);
    transfer.tls = std::move(start.credentials);
    return transfer;
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

void run(const SeedOptions& options, const Context& context)
{
    NetworkOptions network = options.network;
    if (options.clients) { // clients without a connection are not counted
        network.max_peers = std::max(network.max_peers, static_cast<int>(*options.clients));
    }
    refuse_printing_into({options.source});
    refuse_replacing_by_report(options);
    std::optional<LoadedTorrent> torrent;
    if (!comes_by_network(options.torrent)) {
        torrent = torrent_from(options.torrent, context, TorrentMemory(options.memory));
    }
    Start start = start_with_privileges(torrent ? &*torrent : nullptr, network, options.source,
                                        Access::read_only, {}, context);
    if (!torrent) {
        torrent = torrent_from(options.torrent, context, TorrentMemory(options.memory));
        check_credentials_for(*torrent, network.tls, start.credentials);
    }
    start.endpoints.peers = resolve_peers(network, start.endpoints.allowed);
    TransferOptions transfer = transfer_options(Role::seed, network, start);
    transfer.memory = options.memory;
    transfer.seed_time = options.seed_time;
    transfer.check = options.check;
    transfer.idle_timeout = options.idle_timeout;
    if (options.clients) {
        transfer.clients = static_cast<unsigned>(*options.clients);
    }
    const auto files = files_of_target(options.source, Access::read_only, torrent->image);
    refuse_printing_into(files);
    std::optional<ReportFile> report;
    if (!options.report.empty()) {
        refuse_replacing(options.report, files, "list of clients");
        report.emplace(options.report, context.reporter);
        transfer.clients_known = [&report](const ClientList& all) { report->update(all, Clock::now()); };
    }
    const auto source = open_for(torrent->image, std::move(start.place), context);
    source->watch(context.deadline.disk());
    run_transfer(*torrent, *source, transfer, context.reporter, context.wakeup, context.stop,
                 context.deadline);
}

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

void run(const VerifyOptions& options, const Context& context)
{
    refuse_printing_into({options.target});
    std::optional<TargetPlace> place;
    if (is_http_url(options.torrent)) {
        place.emplace(open_place_of(options.target, Access::read_only, context));
        give_up_privileges_for({}, {}, options.target, context);
    }
    const LoadedTorrent torrent = torrent_from(options.torrent, context);
    const Image& image = torrent.image;
    refuse_printing_into(files_of_target(options.target, Access::read_only, image));
    if (!place) {
        place.emplace(open_place_of(options.target, Access::read_only, context));
    }
    const auto target = open_for(image, std::move(*place), context);
    target->watch(context.deadline.disk());
    context.reporter.start(start_event("verify", torrent, options.target));
    ImageCheck check(image, *target, ImageCheck::First::sync_and_drop_cache, context.wakeup);
    const double seconds = wait_for_check(check, Phase::verifying, image.map.payload_size(), context);
    if (const auto wrong = check.wrong(); !wrong.empty()) {
        throw Error(ExitStatus::verification,
                    fmt::format("{} is not the image: {}{}", options.target, describe_wrong(image, wrong),
                                remark_on_gpt(*target, image)));
    }
    if (context.format == Format::text) {
        context.reporter.make_way();
        print_result(fmt::format("{}: all {} {} right\n", printable(options.target),
                                 counted(image.piece_count(), "piece"),
                                 image.piece_count() == 1 ? "is" : "are"));
    }
    SummaryEvent summary;
    summary.seconds = seconds;
    summary.total_bytes = image.map.payload_size();
    context.reporter.summary(summary);
}

void run(const InfoOptions& options, const Context& context)
{
    if (is_http_url(options.torrent)) {
        give_up_privileges_for({}, {}, {}, context);
    }
    const LoadedTorrent torrent = torrent_from(options.torrent, context);
    if (options.magnet && !torrent.ssl_ca.empty()) {
        throw Error(
            ExitStatus::usage,
            fmt::format("--magnet: {} is private, and its peers need the torrent; distribute that instead",
                        torrent.path));
    }
    if (options.magnet) {
        print_magnet(torrent, context.format);
    } else {
        print_info(torrent, context.format, context.verbosity);
    }
}

void run(const Command& command, const Context& context)
{
    std::visit([&](const auto& options) { run(options, context); }, command);
}

} // namespace ezio
