// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace ezio {

// Whether this program was built with what compression on the wire needs (EZIO_COMPRESSION).
[[nodiscard]] bool compression_is_built_in();

// Why nothing can be compressed on the wire by this process; empty when it can.
[[nodiscard]] std::string why_no_compression();

} // namespace ezio
