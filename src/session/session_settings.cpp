// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/session/session_settings.hpp"

#include "ezio/image/image.hpp"
#include "ezio/process/descriptor_limit.hpp"
#include "ezio/swarm/piece_assigner.hpp"
#include "ezio/util/units.hpp"

#include <libtorrent/alert.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace ezio {

namespace {

using lt::settings_pack;

std::string listen_interfaces(const std::vector<Endpoint>& listen, Transport transport)
{
    std::string list;
    for (const Endpoint& endpoint : listen) {
        list += (list.empty() ? "" : ",") + to_string(endpoint) + (transport == Transport::tls ? "s" : "");
    }
    return list;
}

// libtorrent counts a limit's quota in an int, and needs more than one second of it before it sends at once:
// with a limit near 2 GiB/s everything would wait for the next tick. 1 GiB/s is more than it reaches.
int rate_limit(std::uint64_t bytes_per_second)
{
    return static_cast<int>(std::min(bytes_per_second, 1_GiB));
}

// libtorrent distributes the quota of a limit once per tick, by default every 500 ms: data came in bursts,
// and the first of them late, because a peer's quota only doubles from one tick to the next. 12 MiB with
// --max-download 2M and --max-upload 2M, from the start of the process: 6.4 and 7.2 s with ticks of 100 ms,
// 6.25 and 6.24 s with 20 ms. Headers are not counted: a limit is for data.
void set_limits(settings_pack& pack, const NetworkOptions& options)
{
    pack.set_int(settings_pack::upload_rate_limit, rate_limit(options.max_upload));
    pack.set_int(settings_pack::download_rate_limit, rate_limit(options.max_download));
    if (options.max_upload != 0 || options.max_download != 0) {
        pack.set_int(settings_pack::tick_interval, 20);
        pack.set_bool(settings_pack::rate_limit_ip_overhead, false);
    }
}

// Nothing leaves the LAN unless requested: an image contains password hashes and keys.
void set_discovery(settings_pack& pack)
{
    pack.set_bool(settings_pack::enable_dht, false);
    pack.set_bool(settings_pack::enable_upnp, false);
    pack.set_bool(settings_pack::enable_natpmp, false);
    pack.set_bool(settings_pack::enable_lsd, false);                  // LocalDiscovery does this
    pack.set_bool(settings_pack::apply_ip_filter_to_trackers, false); // --allow is for peers
    pack.set_int(settings_pack::tracker_receive_timeout, 5); // a dead one shows soon; the default is 10
    pack.set_int(settings_pack::tracker_completion_timeout, 15);
    pack.set_int(settings_pack::stop_tracker_timeout, 1); // seconds; the default is 5
}

void set_transport(settings_pack& pack, Transport transport)
{
    // TCP: uTP sends 1.4 KB per system call and yields to other traffic. It is not refused
    // (tcp_preference.hpp).
    pack.set_bool(settings_pack::enable_outgoing_utp, false);
    // With TLS it is refused: an unfinished handshake over uTP has no descriptor that TlsHandshakeGuard could
    // disconnect.
    pack.set_bool(settings_pack::enable_incoming_utp, transport == Transport::plain);
    pack.set_int(settings_pack::mixed_mode_algorithm, settings_pack::prefer_tcp);
    // Plain text: RC4 protects nothing, and would prevent zero-copy for every block. Clients that prefer
    // encryption offer it first; with them only the handshake is encrypted, unless they insist.
    pack.set_int(settings_pack::out_enc_policy, settings_pack::pe_disabled);
    pack.set_int(settings_pack::in_enc_policy, settings_pack::pe_enabled);
    pack.set_int(settings_pack::allowed_enc_level, settings_pack::pe_both);
    pack.set_bool(settings_pack::prefer_rc4, false);
    pack.set_int(settings_pack::peer_dscp, 0); // the default marks packets as less than best effort
    // What a peer may still send after it was told to wait for the disk; the default is 2 MiB.
    pack.set_int(settings_pack::max_peer_recv_buffer_size, 512 * 1024);
}

// Hosts of a lab are switched on at any time: a missing peer is tried again within seconds.
void set_connecting(settings_pack& pack, const NetworkOptions& options)
{
    // The torrent has the limit for peers. This one also counts connections that have not named a torrent
    // yet.
    pack.set_int(settings_pack::connections_limit, options.max_peers + spare_connections);
    pack.set_int(settings_pack::handshake_timeout, 5);  // seconds until they do; the default is 10
    pack.set_int(settings_pack::min_reconnect_time, 1); // seconds; the default is 60
    // The field has 5 bits. This applies to a complete torrent; before that libtorrent gives up after 3
    // failures, whatever is set here: see lasting_source.
    pack.set_int(settings_pack::max_failcount, 30);
    pack.set_int(settings_pack::peer_connect_timeout, 3);
    // libtorrent's defaults for these three together: 1.22 instead of 1.19 (see set_swarm).
    pack.set_int(settings_pack::connection_speed, 200);
    pack.set_int(settings_pack::torrent_connect_boost, 200);
    pack.set_bool(settings_pack::smooth_connects, false);
    // A lab boots all at once; with the default of 5 and 16 hosts: 1.21.
    pack.set_int(settings_pack::listen_queue_size, 512);
    pack.set_int(settings_pack::max_pex_peers, 200);                       // from one peer; the default is 50
    pack.set_bool(settings_pack::allow_multiple_connections_per_ip, true); // several processes on one host
    // A port below 1024 is as good as any other; newer versions of libtorrent skip such peers.
    pack.set_bool(settings_pack::no_connect_privileged_ports, false);
    pack.set_int(settings_pack::max_retry_port_bind, 0); // resolve_listen has found a free port
    pack.set_bool(settings_pack::listen_system_port_fallback, false);
}

// For few peers that all want the same data at once. The figure after each setting is the time of 16 hosts on
// 50 Mbit links for 128 MiB in pieces of 512 KiB if only that setting has another value (libtorrent's
// default, unless named). With all of these it is 1.19 times the ideal, plus or minus 0.01 between runs. uTP
// instead of TCP: 2.28.
void set_swarm(settings_pack& pack)
{
    // Blocks requested from one peer are requested from no other. In seconds; request_seconds() adapts it. 3:
    // 1.24.
    pack.set_int(settings_pack::request_queue_time, first_request_seconds);
    // Requests adjacent pieces although other peers have them; its product overflows at 107 MB/s. 1.24.
    pack.set_int(settings_pack::whole_pieces_threshold, 0);
    // The most requested from one peer in advance. 2,000 and 500: 1.21; 64: 1.20, and too few for fast links.
    pack.set_int(settings_pack::max_allowed_in_request_queue, most_requests);
    pack.set_int(settings_pack::max_out_request_queue, most_requests);
    // Messages wait behind the data in the buffer, which is limited to a tenth of a second of data and a
    // maximum in bytes. The factor alone: 1.22. With libtorrent's defaults for all three: 1.21. A maximum of
    // 64 KiB or 2 MiB, or a smaller minimum: no difference.
    pack.set_int(settings_pack::send_buffer_watermark_factor, 10);
    pack.set_int(settings_pack::send_buffer_watermark, 512 * 1024);
    pack.set_int(settings_pack::send_buffer_low_watermark, 64 * 1024);
    // Every peer is served, even at a public address. 8: 1.41.
    pack.set_int(settings_pack::unchoke_slots_limit, -1);
    // Peers would get pieces here that they should not request. No difference while no peer is choked.
    pack.set_int(settings_pack::allowed_fast_set_size, 0);
    pack.set_int(settings_pack::suggest_mode, settings_pack::no_piece_suggestions);
    // Picks the rarest piece even among pieces in progress. No difference with these pieces.
    pack.set_bool(settings_pack::prioritize_partial_pieces, false);
    // Complete peers stay connected, otherwise a peer's last HAVE is lost with its connection, and the seeder
    // never counts it. No difference.
    pack.set_bool(settings_pack::close_redundant_connections, false);
    // It makes peers with a part in a failed piece fetch pieces alone, and any other peer can disturb that by
    // sending one block: WrongBlocks determines who is to blame.
    pack.set_bool(settings_pack::use_parole_mode, false);
    // Seconds. A peer that waits for our disk is not slow. No difference while no disk is slow.
    pack.set_int(settings_pack::piece_timeout, 120);
}

} // namespace

settings_pack session_settings(const NetworkOptions& options, const std::vector<Endpoint>& listen,
                               Transport transport)
{
    settings_pack pack;
    pack.set_str(settings_pack::user_agent, "ezio-cli/" EZIO_VERSION);
    pack.set_str(settings_pack::listen_interfaces, listen_interfaces(listen, transport));
    set_limits(pack, options);
    pack.set_int(settings_pack::alert_queue_size, 10000);
    pack.set_int(settings_pack::alert_mask,
                 static_cast<int>(static_cast<std::uint32_t>(
                     lt::alert_category::error | lt::alert_category::status | lt::alert_category::storage |
                     lt::alert_category::connect | lt::alert_category::tracker | lt::alert_category::peer |
                     lt::alert_category::ip_block)));
    set_discovery(pack);
    set_transport(pack, transport);
    set_connecting(pack, options);
    set_swarm(pack);
    return pack;
}

// A second is enough, and with more, blocks are requested from the wrong peers. But one second of the data of
// one of many peers on a slow network is a handful of blocks; if these are late, it has nothing to send, and
// its link is idle. Measured with 32 hosts on 25 Mbit links, 256 MiB: always 1: 1.22, always 2 or 3: 1.15,
// always 5: 1.17.
int request_seconds(double bytes_per_second, unsigned peers)
{
    constexpr double least_blocks = 12;
    constexpr double most_seconds = 4;
    if (bytes_per_second <= 0 || peers == 0) {
        return first_request_seconds;
    }
    const double wanted = std::round(least_blocks * block_bytes * peers / bytes_per_second);
    return static_cast<int>(std::clamp<double>(wanted, first_request_seconds, most_seconds));
}

lt::ip_filter nobody_but(const std::vector<AddressRange>& allowed)
{
    lt::ip_filter filter;
    if (!allowed.empty()) {
        filter.add_rule(lt::make_address("0.0.0.0"), lt::make_address("255.255.255.255"),
                        lt::ip_filter::blocked);
        filter.add_rule(lt::make_address("::"), lt::make_address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
                        lt::ip_filter::blocked);
    }
    for (const AddressRange& range : allowed) {
        filter.add_rule(range.first, range.last, 0);
    }
    return filter;
}

} // namespace ezio
