#!/usr/bin/python3
"""Arrows point down only: what each module may include. README.md shows the layers.

A module is a stem: include/ezio/STEM.hpp with src/STEM.cpp. It may include modules of its own layer and of those
below. Headers include each other in no circle. libtorrent is known to few."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]

# From the top down.
LAYERS = {
    "program": "main",
    "command line": "command_line command_parser command_spec completion help_text option_kinds suggestion",
    "commands": "command_output commands create_command check_progress",
    "reporters": "json_events json_reporter line_printer progress_line summary_text text_reporter",
    "sources": "ca_certificate command_options disk_contents disk_layout file_system_extents gpt_records image_source map_check partclone"
               " partclone_info piece_length partition_records partition_types portability source_disk source_options subprocess superblock block_map xfs_log",
    "transfer": "background_sync metadata_session start_event swarm_driver swarm_watch target_check transfer"
                " transfer_meters transfer_notes transfer_policy warnings watched_target wrong_data",
    "session": "asked_blocks answer_guard availability block_injection client_registry codec dense_data descriptor_limit disk_io duplicate_peers exchange_peer exchange_state"
               " handshake_guard introductions link_use local_discovery message_budget peer_faults peer_ledger peer_messages peer_plugins piece_assigner send_queue send_window"
               " session_alerts session_events session_settings shared_addresses swarm tcp_preference torrent_session unit_exchange unit_message unit_policy unit_store unit_workers"
               " web_certificates",
    "torrents": "clear_signatures discard http_download magnet move_gpt piece_scan torrent_file torrent_maker torrent_source verifier",
    "disk engine": "arena back_pressure chunk_store completion_queue disk_engine io_workers piece_cache segment_io"
                   " write_order",
    "targets": "block_device block_target device_identity device_tree directory_target fd_target file_roles file_target free_space gpt mounts other_disks page_buffer page_cache partition_list partition_rescan payload_io recognition"
               " signatures target target_claims target_place write_behind",
    "network addresses": "addresses allowed_networks device_binding discovery_message interfaces network_options port_reservation"
                         " tls_credentials",
    "foundation": "big_endian blkid_probe child_process clock context deadline disk_calls disk_identity error extent_map fd file_id image little_endian openssl_handles positional_io printable privileges rate_meter"
                  " read_file replaced_bytes reporter require sha1 sha1_blocks sha256 stop_signal text threads units wakeup watchdog",
}

LIBTORRENT = set("answer_guard block_injection disk_io duplicate_peers exchange_peer exchange_state introductions magnet metadata_session peer_faults peer_ledger peer_plugins session_alerts session_settings shared_addresses swarm tcp_preference unit_exchange"
                 " torrent_file torrent_session web_certificates".split())

ROOMS = tuple(f"{path.name}/" for path in (ROOT / "src").iterdir() if path.is_dir())  # whose headers are beside their sources

RANKS = {module: rank for rank, modules in enumerate(LAYERS.values()) for module in modules.split()}
NAMES = list(LAYERS)


def files():
    return sorted(path for pattern in ("include/ezio/*.hpp", "include/ezio/*/*.hpp", "src/*.cpp", "src/*/*.[ch]pp")
                  for path in ROOT.glob(pattern))


def includes(path):
    return re.findall(r'^#include [<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE)


def ours(path):
    return [pathlib.Path(name).stem for name in includes(path) if name.startswith(("ezio/", *ROOMS))]


def misplaced():
    stems = {path.stem for path in files()}
    for stem in sorted(stems ^ set(RANKS)):
        yield f"{stem} is in no layer of tests/module_graph_test.py" if stem in stems else f"there is no module {stem}"


def upward():
    for path in files():
        for other in ours(path):
            mine, its = RANKS.get(path.stem), RANKS.get(other)
            if mine is not None and its is not None and its < mine:
                yield (f"{path.relative_to(ROOT)} ({NAMES[mine]}) includes ezio/{other}.hpp ({NAMES[its]}), "
                       "which is above it")


def circles():
    graph = {path.stem: [other for other in ours(path) if other != path.stem] for path in files()
             if path.suffix == ".hpp"}
    done, way = set(), []

    def visit(stem):
        if stem in way:
            return ["headers include each other in a circle: " + " -> ".join([*way[way.index(stem):], stem])]
        if stem in done:
            return []
        way.append(stem)
        found = [circle for other in graph.get(stem, []) for circle in visit(other)]
        way.pop()
        done.add(stem)
        return found

    return [circle for stem in sorted(graph) for circle in visit(stem)]


def libtorrent_elsewhere():
    for path in files():
        if path.stem not in LIBTORRENT and any(name.startswith("libtorrent/") for name in includes(path)):
            yield f"{path.relative_to(ROOT)} includes libtorrent, which only these may: {' '.join(sorted(LIBTORRENT))}"


def main():
    faults = [*misplaced(), *upward(), *circles(), *libtorrent_elsewhere()]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
