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
    "sources": "ca_certificate command_options disk_contents disk_layout image_source partclone partclone_info piece_length"
               " partition_records portability source_disk subprocess superblock block_map xfs_log",
    "transfer": "background_sync metadata_session start_event swarm_driver swarm_watch target_check transfer"
                " transfer_meters transfer_notes transfer_policy warnings watched_target wrong_data",
    "session": "answer_guard client_registry descriptor_limit disk_io duplicate_peers handshake_guard introductions link_use local_discovery peer_ledger peer_messages"
               " peer_plugins piece_assigner send_window session_alerts session_events session_settings swarm tcp_preference torrent_session"
               " web_certificates",
    "torrents": "discard http_download magnet piece_scan torrent_file torrent_maker torrent_source verifier",
    "disk engine": "arena back_pressure chunk_store completion_queue disk_engine io_workers piece_cache segment_io"
                   " write_order",
    "targets": "block_device block_target device_identity directory_target fd_target file_target free_space mounts page_buffer page_cache payload_io"
               " target target_place write_behind",
    "network addresses": "addresses allowed_networks discovery_message interfaces network_options port_reservation"
                         " tls_credentials",
    "foundation": "clock context deadline disk_calls error extent_map fd image little_endian openssl_handles positional_io printable privileges rate_meter"
                  " read_file reporter require sha1 sha1_blocks sha256 stop_signal text units wakeup watchdog",
}

LIBTORRENT = set("answer_guard disk_io duplicate_peers introductions magnet metadata_session peer_ledger peer_plugins session_alerts session_settings swarm tcp_preference"
                 " torrent_file torrent_session web_certificates".split())

RANKS = {module: rank for rank, modules in enumerate(LAYERS.values()) for module in modules.split()}
NAMES = list(LAYERS)


def files():
    return sorted([*ROOT.glob("include/ezio/*.hpp"), *ROOT.glob("src/*.cpp")])


def includes(path):
    return re.findall(r'^#include [<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE)


def ours(path):
    return [pathlib.Path(name).stem for name in includes(path) if name.startswith("ezio/")]


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
