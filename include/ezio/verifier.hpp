// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/image.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ezio {

// The pieces whose digest is not the image's, in order.
[[nodiscard]] std::vector<std::uint32_t> wrong_pieces(const Image& image, const std::vector<Sha1Digest>& digests);

// "3 of 120 pieces differ, in 2 places of the device: 0x100000 + 16.0 MiB, ...": how many, and where the
// first few are. `wrong` is not empty.
[[nodiscard]] std::string describe_wrong(const Image& image, const std::vector<std::uint32_t>& wrong);

} // namespace ezio
