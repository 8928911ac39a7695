// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/transfer/start_event.hpp"

namespace ezio {

StartEvent start_event(const std::string& command, const LoadedTorrent& torrent, const std::string& target,
                       const std::vector<Endpoint>& listen)
{
    const Image& image = torrent.image;
    StartEvent event;
    event.command = command;
    event.torrent = torrent.path;
    event.target = target;
    event.name = image.name;
    event.info_hash = torrent.info_hash;
    for (const Endpoint& endpoint : listen) {
        event.listen += (event.listen.empty() ? "" : ", ") + to_string(endpoint);
    }
    event.payload_bytes = image.map.payload_size();
    event.device_bytes = image.map.device_end();
    event.extents = image.extents.size();
    event.pieces = image.piece_count();
    event.piece_length = image.piece_length;
    return event;
}

} // namespace ezio
