// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/verify/digest_comparison.hpp"

#include "ezio/util/units.hpp"

#include <fmt/format.h>

namespace ezio {

namespace {

constexpr std::size_t named_extents = 5;

// The extents with bytes in any of the pieces, in the payload's order.
std::vector<Extent> extents_in(const Image& image, const std::vector<std::uint32_t>& pieces)
{
    std::vector<Extent> found;
    std::uint64_t start = 0; // payload offset of the extent
    auto piece = pieces.begin();
    auto padding = image.padding.begin();
    for (const Extent& extent : image.extents) {
        for (; padding != image.padding.end() && padding->offset == start; ++padding) {
            start += padding->length;
        }
        const std::uint64_t end = start + extent.length;
        while (piece != pieces.end() && image.piece_offset(*piece) + image.piece_size(*piece) <= start) {
            ++piece;
        }
        if (piece != pieces.end() && extent.length > 0 && image.piece_offset(*piece) < end) {
            found.push_back(extent);
        }
        start = end;
    }
    return found;
}

} // namespace

bool is_wrong(const Image& image, std::uint32_t piece, const std::vector<Sha1Digest>& digests,
              const std::vector<Sha256Digest>& v2_roots)
{
    const bool v2_wrong =
        !v2_roots.empty() && image.v2_pieces[piece].root.value_or(v2_roots[piece]) != v2_roots[piece];
    return digests[piece] != image.hashes[piece] || v2_wrong;
}

std::vector<std::uint32_t> wrong_pieces(const Image& image, const std::vector<Sha1Digest>& digests,
                                        const std::vector<Sha256Digest>& v2_roots)
{
    std::vector<std::uint32_t> wrong;
    for (std::uint32_t piece = 0; piece < image.piece_count(); ++piece) {
        if (is_wrong(image, piece, digests, v2_roots)) {
            wrong.push_back(piece);
        }
    }
    return wrong;
}

std::string describe_wrong(const Image& image, const std::vector<std::uint32_t>& wrong)
{
    const auto extents = extents_in(image, wrong);
    std::string text =
        fmt::format("{} of {} differ{}, in {}:", wrong.size(), counted(image.piece_count(), "piece"),
                    wrong.size() == 1 ? "s" : "", counted(extents.size(), "extent"));
    for (std::size_t i = 0; i < extents.size() && i < named_extents; ++i) {
        text += fmt::format("{} {:#x}", i > 0 ? "," : "", extents[i].offset);
    }
    return extents.size() > named_extents ? text + ", ..." : text;
}

} // namespace ezio
