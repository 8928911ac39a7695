// SPDX-License-Identifier: GPL-2.0-or-later
//
// What several commands print.
#pragma once

#include "context.hpp"
#include "ezio/torrent/torrent_file.hpp"

#include <string>

namespace ezio {

// A result, on stdout. Throws Error (ExitStatus::io) when it cannot be printed: it was asked for and is not
// there.
void print_result(const std::string& text);

// What is in the torrent, on stdout: for people, or as a JSON event. Verbose: with the logical volumes, which
// the event has in any case.
void print_info(const LoadedTorrent& torrent, Format format, Verbosity verbosity);

// The same for one that was made, which is there whoever reads of it: gives up when nobody reads for 2 s.
void print_made(const LoadedTorrent& torrent, Format format, Verbosity verbosity);

// The torrent as a magnet link, on stdout: the link alone, or in the same JSON event.
void print_magnet(const LoadedTorrent& torrent, Format format);

} // namespace ezio
