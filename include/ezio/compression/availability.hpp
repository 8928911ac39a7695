// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace ezio {

// Whether this program was built with compression on the network (EZIO_COMPRESSION).
[[nodiscard]] bool compression_is_built_in();

// Why this process cannot compress on the network; empty if it can.
[[nodiscard]] std::string why_no_compression();

// The same for given versions of libtorrent: the one built with, and the one at run time.
[[nodiscard]] std::string why_no_compression(std::string_view built_with, std::string_view runs_with);

} // namespace ezio
