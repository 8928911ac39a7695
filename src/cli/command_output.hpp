// SPDX-License-Identifier: GPL-2.0-or-later
//
// Output shared by several commands.
#pragma once

#include "context.hpp"
#include "ezio/torrent/torrent_file.hpp"

#include <string>

namespace ezio {

// Prints a result on stdout. Throws Error (ExitStatus::io) when it cannot be printed.
void print_result(const std::string& text);

// Prints the contents of the torrent on stdout: as text, or as a JSON event. Verbose text includes the
// logical volumes, which the event always has.
void print_info(const LoadedTorrent& torrent, Format format, Verbosity verbosity);

// The same for a torrent that was just made. Gives up when it is not read for 2 s, because the torrent exists
// anyway.
void print_made(const LoadedTorrent& torrent, Format format, Verbosity verbosity);

// Prints the torrent's magnet link on stdout: the link alone, or in the same JSON event.
void print_magnet(const LoadedTorrent& torrent, Format format);

} // namespace ezio
