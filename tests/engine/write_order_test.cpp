// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/engine/write_order.hpp"

#include "catch.hpp"

using namespace ezio;

namespace {

// Pieces of two blocks.
Image image_of(std::vector<Extent> extents)
{
    Image image;
    image.piece_length = 2 * block_bytes;
    image.extents = std::move(extents);
    image.map = ExtentMap(image.extents);
    image.hashes.resize((image.map.payload_size() + image.piece_length - 1) / image.piece_length);
    return image;
}

std::vector<std::uint32_t> pieces_in_order(const Image& image)
{
    const WriteOrder order(image);
    std::vector<std::uint32_t> pieces;
    for (std::uint32_t place = 0; place < image.piece_count(); ++place) {
        pieces.push_back(order.piece_at(place));
        CHECK(order.place_of(pieces.back()) == place);
    }
    return pieces;
}

} // namespace

TEST_CASE("write order: extents that ascend leave the pieces as they are numbered")
{
    CHECK(pieces_in_order(image_of({{0, 3 * block_bytes}, {1 << 20, 3 * block_bytes}})) ==
          std::vector<std::uint32_t>{0, 1, 2});
}

TEST_CASE("write order: pieces go by the place of their first byte on the device")
{
    const Image image = image_of({{1 << 20, 2 * block_bytes},
                                  {3 << 20, 2 * block_bytes},
                                  {0, 2 * block_bytes},
                                  {2 << 20, block_bytes}});
    CHECK(pieces_in_order(image) == std::vector<std::uint32_t>{2, 0, 3, 1});
}

TEST_CASE("write order: without an image the pieces are as they are numbered")
{
    const WriteOrder order;
    CHECK(order.place_of(7) == 7);
    CHECK(order.piece_at(7) == 7);
}

TEST_CASE("write queue: it goes on behind the last piece, and from the end to the start")
{
    WriteQueue queue{WriteOrder()};
    for (const std::uint32_t piece : {1, 5, 6}) {
        queue.insert(piece);
    }
    CHECK(queue.take() == 1);
    CHECK_FALSE(queue.next_is_adjacent());
    CHECK(queue.take() == 5);
    CHECK(queue.next_is_adjacent());
    queue.insert(0);
    queue.insert(3);
    CHECK(queue.take() == 6);
    CHECK_FALSE(queue.next_is_adjacent()); // the end is not followed by the start
    CHECK(queue.take() == 0);
    queue.erase(3);
    CHECK(queue.empty());
}

TEST_CASE("write queue: pieces are adjacent by their places on the device")
{
    const Image image =
        image_of({{1 << 20, 2 * block_bytes}, {2 << 20, 2 * block_bytes}, {0, 2 * block_bytes}});
    WriteQueue queue{WriteOrder(image)}; // 2, 0, 1
    queue.insert(0);
    queue.insert(2);
    CHECK(queue.take() == 2);
    CHECK(queue.next_is_adjacent());
    CHECK(queue.take() == 0);
    CHECK(queue.empty());
}
