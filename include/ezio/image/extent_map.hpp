// SPDX-License-Identifier: GPL-2.0-or-later
//
// Maps each byte of a torrent's payload to its place on the device.
//
// The payload is the extents' bytes one after the other, in the torrent's order. Extents can be in any order,
// and often touch (partclone splits long runs). Extents that are adjacent in both payload and device are
// merged into runs: a table sorted by payload offset. A lookup is one binary search, then a walk.
// Built and checked once, then constant: safe to use from any thread.
//
// Some torrents have padding (BEP 47): zeros that count as payload and have no place on the device. In hybrid
// torrents it ends each piece that would otherwise contain parts of two extents. Padding is the part of the
// payload that no run covers, so lookups, which go over runs, never meet it.
//
// Invariants: no two runs overlap, in the payload or on the device; without padding they cover
// [0, payload_size()) without gaps; no extent is empty or ends beyond 2^63 - 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace ezio {

// The largest end of an extent: offsets of files and devices are signed.
inline constexpr std::uint64_t largest_offset = std::numeric_limits<std::int64_t>::max();

struct Extent {
    std::uint64_t offset; // bytes from the start of the device
    std::uint64_t length; // bytes
    [[nodiscard]] std::uint64_t end() const { return offset + length; }
    bool operator==(const Extent&) const = default;
};

// In bytes. The extents must not overlap, so that the sum cannot wrap.
[[nodiscard]] std::uint64_t total_length(std::span<const Extent> extents);

// The offset in an extent's file name: exactly 16 or 32 hex digits of either case.
// Empty for anything else, and for an offset that does not fit 64 bits.
[[nodiscard]] std::optional<std::uint64_t> parse_extent_name(std::string_view name);

class ExtentMap {
  public:
    // A part of the payload that is contiguous on the device.
    struct Range {
        std::uint64_t payload_offset;
        std::uint64_t device_offset;
        std::uint64_t length;
        bool operator==(const Range&) const = default;
    };

    ExtentMap() = default;

    // `extents` in the order of the payload; empty ones are dropped. `padding` as in Image.
    // Throws Error (ExitStatus::torrent) when two overlap or one ends beyond 2^63 - 1, naming them.
    explicit ExtentMap(const std::vector<Extent>& extents, const std::vector<Extent>& padding = {});

    [[nodiscard]] std::uint64_t payload_size() const { return m_payload_size; }

    // Bytes of the payload that are padding, and the others, which lie on the device.
    [[nodiscard]] std::uint64_t padding_bytes() const { return m_padding_bytes; }
    [[nodiscard]] std::uint64_t data_bytes() const { return m_payload_size - m_padding_bytes; }

    // The size in bytes of the smallest device that holds every extent.
    [[nodiscard]] std::uint64_t device_end() const;

    // The largest logical sector size, in bytes, at whose multiples all extents begin and end: a power of two
    // from 512, the smallest sector size, to 64 KiB.
    [[nodiscard]] std::uint64_t largest_sector() const;

    // Calls `visit` for each part of [payload_offset, payload_offset + length) that is on the device, in
    // payload order. The range must lie within the payload.
    void for_each(std::uint64_t payload_offset, std::uint64_t length,
                  const std::function<void(const Range&)>& visit) const;

    // The same, as a list.
    [[nodiscard]] std::vector<Range> ranges(std::uint64_t payload_offset, std::uint64_t length) const;

    // The byte's offset on the device; empty if it is padding.
    [[nodiscard]] std::optional<std::uint64_t> device_offset(std::uint64_t payload_offset) const;

    // Every range of padding, in payload order, as payload offsets.
    [[nodiscard]] std::vector<Extent> padding() const;

    // Zeroes the padding in `data`, which starts at payload_offset.
    void clear_padding(std::uint64_t payload_offset, std::span<std::byte> data) const;

    // Every used range of the device, in device order, with adjacent ones merged.
    [[nodiscard]] const std::vector<Extent>& used() const { return m_used; }

  private:
    void add_extent(const Extent& extent);
    void add_padding(std::uint64_t length);

    std::vector<Range> m_runs; // sorted by payload_offset
    std::vector<Extent> m_used;
    std::uint64_t m_payload_size = 0;
    std::uint64_t m_padding_bytes = 0;
};

// Splits the payload into units of `unit_bytes` (blocks or pieces; the last one may be short) and visits, in
// order, the numbers of those that consist of padding only. A callback and not a list, because a small
// torrent can have any number of them.
void for_each_unit_of_padding(const ExtentMap& map, std::uint64_t unit_bytes,
                              const std::function<void(std::uint64_t unit)>& visit);

} // namespace ezio
