// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace ezio {

// Whether this program was built with what compression on the wire needs (EZIO_COMPRESSION).
[[nodiscard]] bool compression_is_built_in();

// Why nothing can be compressed on the wire by this process; empty when it can.
[[nodiscard]] std::string why_no_compression();

// The same for versions of libtorrent: that it was built with, and that it runs with.
[[nodiscard]] std::string why_no_compression(std::string_view built_with, std::string_view runs_with);

} // namespace ezio
