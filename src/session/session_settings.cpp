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

// libtorrent counts what a limit allows in an int, and wants more than one second of it saved up before it sends
// at once: under a limit near 2 GiB/s everything would wait for the next tick. 1 GiB/s is more than it reaches.
int rate_limit(std::uint64_t bytes_per_second)
{
    return static_cast<int>(std::min(bytes_per_second, 1_GiB));
}

// libtorrent gives out what a limit allows once in a tick, of 500 ms if nothing else is said: data came in
// bursts, and the first of them late, since a peer is asked for twice as much from one tick to the next.
// 12 MiB with --max-download 2M and --max-upload 2M, from the start of the process: 6.4 and 7.2 s with ticks
// of 100 ms, 6.25 and 6.24 s with 20 ms. Headers are not counted: a limit is one of data.
void set_limits(settings_pack& pack, const NetworkOptions& options)
{
    pack.set_int(settings_pack::upload_rate_limit, rate_limit(options.max_upload));
    pack.set_int(settings_pack::download_rate_limit, rate_limit(options.max_download));
    if (options.max_upload != 0 || options.max_download != 0) {
        pack.set_int(settings_pack::tick_interval, 20);
        pack.set_bool(settings_pack::rate_limit_ip_overhead, false);
    }
}

// Nothing leaves the LAN unasked: an image holds password hashes and keys.
void set_discovery(settings_pack& pack)
{
    pack.set_bool(settings_pack::enable_dht, false);
    pack.set_bool(settings_pack::enable_upnp, false);
    pack.set_bool(settings_pack::enable_natpmp, false);
    pack.set_bool(settings_pack::enable_lsd, false);                  // LocalDiscovery does it
    pack.set_bool(settings_pack::apply_ip_filter_to_trackers, false); // --allow is about peers
    pack.set_int(settings_pack::tracker_receive_timeout, 5); // a dead one shows soon; the default is 10
    pack.set_int(settings_pack::tracker_completion_timeout, 15);
    pack.set_int(settings_pack::stop_tracker_timeout, 1); // seconds to say goodbye; the default is 5
}

void set_transport(settings_pack& pack, Transport transport)
{
    // TCP: uTP sends 1.4 KB per system call, and yields to other traffic. It is not refused
    // (tcp_preference.hpp).
    pack.set_bool(settings_pack::enable_outgoing_utp, false);
    // With TLS it is: a handshake that never ends has no descriptor there that TlsHandshakeGuard could hang
    // up on.
    pack.set_bool(settings_pack::enable_incoming_utp, transport == Transport::plain);
    pack.set_int(settings_pack::mixed_mode_algorithm, settings_pack::prefer_tcp);
    // Plain text: RC4 protects nothing, and would take every block's zero-copy way away. Clients that prefer
    // encryption offer it first; with them only the handshake is encrypted, unless they insist.
    pack.set_int(settings_pack::out_enc_policy, settings_pack::pe_disabled);
    pack.set_int(settings_pack::in_enc_policy, settings_pack::pe_enabled);
    pack.set_int(settings_pack::allowed_enc_level, settings_pack::pe_both);
    pack.set_bool(settings_pack::prefer_rc4, false);
    pack.set_int(settings_pack::peer_dscp, 0); // the default marks it as less than best effort
    // What a peer may still deliver after it was told to wait for the disk; the default is 2 MiB.
    pack.set_int(settings_pack::max_peer_recv_buffer_size, 512 * 1024);
}

// Hosts of a lab are switched on when they are: a peer that is not there yet is tried again in seconds.
void set_connecting(settings_pack& pack, const NetworkOptions& options)
{
    // The torrent has the limit of peers; this counts those, too, that have not said which torrent they want.
    pack.set_int(settings_pack::connections_limit, options.max_peers + spare_connections);
    pack.set_int(settings_pack::handshake_timeout, 5);  // seconds to say that; the default is 10
    pack.set_int(settings_pack::min_reconnect_time, 1); // seconds; the default is 60
    // The field has 5 bits. It holds for a torrent that is complete; until then libtorrent gives up after 3
    // failures, whatever is set here: see lasting_source.
    pack.set_int(settings_pack::max_failcount, 30);
    pack.set_int(settings_pack::peer_connect_timeout, 3);
    // These three together: 1.22 instead of 1.19 (see set_swarm) as libtorrent has them.
    pack.set_int(settings_pack::connection_speed, 200);
    pack.set_int(settings_pack::torrent_connect_boost, 200);
    pack.set_bool(settings_pack::smooth_connects, false);
    // A lab boots at once; the default is 5, with 16: 1.21.
    pack.set_int(settings_pack::listen_queue_size, 512);
    pack.set_int(settings_pack::max_pex_peers, 200); // told by one peer; the default is 50
    pack.set_bool(settings_pack::allow_multiple_connections_per_ip, true); // several processes on one host
    // A port below 1024 is as good as another; newer versions of libtorrent leave such peers out.
    pack.set_bool(settings_pack::no_connect_privileged_ports, false);
    pack.set_int(settings_pack::max_retry_port_bind, 0); // resolve_listen has found a free port
    pack.set_bool(settings_pack::listen_system_port_fallback, false);
}

// Few peers that all want the same, at once. Behind each is what 16 hosts on 50 Mbit links take, 128 MiB in
// pieces of 512 KiB, when it alone has another value (libtorrent's default, where none is named): 1.19 times
// the ideal with all of these, from one run to the next 0.01 more or less. uTP instead of TCP: 2.28.
void set_swarm(settings_pack& pack)
{
    // Blocks asked of one are asked of nobody else. In seconds; request_seconds() adapts it. 3: 1.24.
    pack.set_int(settings_pack::request_queue_time, first_request_seconds);
    // It asks for neighbours of a piece, though others have them; its product overflows at 107 MB/s. 1.24.
    pack.set_int(settings_pack::whole_pieces_threshold, 0);
    // The most that one is asked for in advance. 2,000 and 500: 1.21; 64: 1.20, and too few for fast links.
    pack.set_int(settings_pack::max_allowed_in_request_queue, most_requests);
    pack.set_int(settings_pack::max_out_request_queue, most_requests);
    // Messages wait behind the data in the buffer: a tenth of a second of it, at most so many bytes. The
    // factor alone: 1.22. With all three as libtorrent has them: 1.21. 64 KiB or 2 MiB at most, or less at
    // least: no difference.
    pack.set_int(settings_pack::send_buffer_watermark_factor, 10);
    pack.set_int(settings_pack::send_buffer_watermark, 512 * 1024);
    pack.set_int(settings_pack::send_buffer_low_watermark, 64 * 1024);
    // Everybody is served, also on public addresses. 8: 1.41.
    pack.set_int(settings_pack::unchoke_slots_limit, -1);
    // They would get pieces that they are not to ask for here. No difference while nobody is choked.
    pack.set_int(settings_pack::allowed_fast_set_size, 0);
    pack.set_int(settings_pack::suggest_mode, settings_pack::no_piece_suggestions);
    // Of all the pieces that are begun, the rarest first, too. No difference with these pieces.
    pack.set_bool(settings_pack::prioritize_partial_pieces, false);
    // Who is complete stays connected: or its last HAVE is lost with the connection, and the seeder never
    // counts it. No difference.
    pack.set_bool(settings_pack::close_redundant_connections, false);
    // It makes peers that had a part in a failed piece fetch pieces alone, which any other peer can keep them
    // from by sending one block: WrongBlocks finds out who is to blame.
    pack.set_bool(settings_pack::use_parole_mode, false);
    // Seconds. A peer that waits for our disk is not slow. No difference while no disk is.
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

// A second is enough, and more would be asked of the wrong ones. But a second of what one of many sends on a
// slow network is a handful of blocks; when these are late, it has nothing to send, and its link is idle.
// Measured with 32 hosts on 25 Mbit links, 256 MiB: always 1 1.22, always 2 and always 3 1.15, always 5 1.17.
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
