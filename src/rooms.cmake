# SPDX-License-Identifier: GPL-2.0-or-later
# Which sources belong together, from the commands down to what knows nothing of disks and networks. Each room is compiled as
# one file (EZIO_UNITY). Every source is in exactly one room; configuring fails otherwise.
set(rooms cli transfer session engine swarm compression verify capture disk target net torrent image report process util)

set(room_cli check_progress command_line command_output command_parser command_spec commands completion create_command
    help_text option_kinds suggestion)
set(room_transfer discard metadata_session start_event swarm_driver swarm_watch transfer transfer_meters
    transfer_notes transfer_policy wrong_data)
set(room_session disk_io handshake_guard session_alerts session_settings torrent_session web_certificates)
set(room_engine arena chunk_store completion_queue disk_engine io_workers piece_cache segment_io write_order)
set(room_swarm answer_guard client_registry duplicate_peers introductions link_use message_budget peer_faults
    peer_ledger peer_messages peer_plugins piece_assigner send_window shared_addresses swarm tcp_preference)
set(room_compression compression/asked_blocks compression/block_injection compression/codec compression/dense_data
    compression/exchange_peer compression/send_queue compression/unit_exchange compression/unit_message
    compression/unit_policy compression/unit_store compression/unit_workers)
set(room_verify piece_scan target_check verifier)
set(room_capture block_map disk_contents disk_layout file_system_extents gpt_records image_source map_check partclone
    partclone_info partition_records partition_types source_disk superblock xfs_log)
set(room_disk clear_signatures gpt move_gpt other_disks partition_list partition_rescan recognition signatures)
set(room_target background_sync block_device block_target device_identity device_tree directory_target fd_target
    file_roles file_target free_space mounts page_cache payload_io replaced_bytes target target_claims watched_target
    write_behind)
set(room_net addresses allowed_networks ca_certificate device_binding discovery_message interfaces local_discovery
    port_reservation tls_credentials)
set(room_torrent http_download magnet piece_length portability torrent_file torrent_maker torrent_source)
set(room_image extent_map sha1 sha1_blocks sha256)
set(room_report json_reporter line_printer progress_line rate_meter summary_text text_reporter warnings)
set(room_process child_process deadline descriptor_limit disk_calls privileges stop_signal subprocess watchdog)
set(room_util error fd file_id positional_io printable read_file text threads units wakeup)
