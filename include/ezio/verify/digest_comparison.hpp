// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/image/image.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ezio {

// Whether the digest of `piece`, or its v2 root if there are roots, differs from the image's.
[[nodiscard]] bool is_wrong(const Image& image, std::uint32_t piece, const std::vector<Sha1Digest>& digests,
                            const std::vector<Sha256Digest>& v2_roots);

// The pieces whose digest, or v2 root if there are roots, differs from the image's, in order.
[[nodiscard]] std::vector<std::uint32_t> wrong_pieces(const Image& image,
                                                      const std::vector<Sha1Digest>& digests,
                                                      const std::vector<Sha256Digest>& v2_roots = {});

// "3 of 120 pieces differ, in 2 extents: 0x100000, 0x5400000": the number of pieces, and the first few of the
// extents that contain them. A piece can span several extents; all of them count. `wrong` must be in order
// and not empty.
[[nodiscard]] std::string describe_wrong(const Image& image, const std::vector<std::uint32_t>& wrong);

} // namespace ezio
