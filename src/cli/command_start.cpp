// SPDX-License-Identifier: GPL-2.0-or-later
#include "command_start.hpp"

#include "ezio/process/descriptor_limit.hpp"
#include "ezio/process/privileges.hpp"
#include "ezio/torrent/http_download.hpp"
#include "ezio/torrent/magnet.hpp"
#include "ezio/torrent/read_torrent.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

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

void prepare_for_the_end(Start& start, const Context& context)
{
    const DiskCalls::Call call(context.deadline.disk());
    if (start.place.fd) {
        start.rescan = make_partition_rescan(start.place.fd.get(), start.place.path);
        start.other_disks = make_other_disks(start.place.fd.get());
        start.volume_scan = make_volume_scan(start.place.fd.get());
    }
}

} // namespace

LoadedTorrent torrent_from(const std::string& path_or_url, const Context& context,
                           const std::optional<TorrentMemory>& memory)
{
    return parse_torrent(read_torrent(path_or_url, context.stop, {}, memory), path_or_url, memory);
}

bool comes_by_network(const std::string& torrent)
{
    return is_magnet(torrent) || is_http_url(torrent);
}

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
                          const std::string& serial)
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

void check_credentials_for(const LoadedTorrent& torrent, const TlsFiles& files,
                           std::optional<TlsCredentials>& credentials)
{
    if (torrent.ssl_ca.empty() || !credentials) {
        credentials = credentials_for(torrent, files); // empty, or throws the reason
    } else {
        check_credentials(*credentials, files, torrent.ssl_ca, torrent.image.name);
    }
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

} // namespace ezio
