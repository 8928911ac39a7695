// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where each byte of a torrent's payload belongs on the device.
//
// The payload is the extents' bytes one after the other, in the torrent's order. Extents may come in any
// order and often touch (partclone cuts long runs), so they are merged, where both payload and device go on
// without a gap, into runs: a table sorted by payload offset. A lookup is one binary search, then a walk.
// Built once, checked once, constant afterwards: safe to use from any thread.
//
// Some torrents have padding (BEP 47), in hybrid ones it ends each piece that would otherwise have parts of
// two extents: zeros that count as payload and are nowhere on the device. It is what no run covers, so that
// lookups, which go over runs, never meet it.
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

// No extent ends beyond it: offsets of files and devices are signed.
inline constexpr std::uint64_t largest_offset = std::numeric_limits<std::int64_t>::max();

struct Extent {
    std::uint64_t offset; // bytes from the start of the device
    std::uint64_t length; // bytes
    [[nodiscard]] std::uint64_t end() const { return offset + length; }
    bool operator==(const Extent&) const = default;
};

// In bytes. Of extents that do not overlap, so that it cannot wrap.
[[nodiscard]] std::uint64_t total_length(std::span<const Extent> extents);

// The offset that an extent's file name stands for: exactly 16 or 32 hex digits of either case.
// Empty for anything else, and for what does not fit 64 bits.
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

    // What of the payload is padding, and what is on the device: the rest.
    [[nodiscard]] std::uint64_t padding_bytes() const { return m_padding_bytes; }
    [[nodiscard]] std::uint64_t device_bytes() const { return m_payload_size - m_padding_bytes; }

    // The size in bytes of the smallest device that holds every extent.
    [[nodiscard]] std::uint64_t device_end() const;

    // The largest logical sector size, in bytes, that every extent begins and ends on: a power of two from
    // 512, the smallest there is, to 64 KiB.
    [[nodiscard]] std::uint64_t largest_sector() const;

    // Calls `visit` for each part of [payload_offset, payload_offset + length) that is on the device, in
    // payload order. The range must lie within the payload.
    void for_each(std::uint64_t payload_offset, std::uint64_t length,
                  const std::function<void(const Range&)>& visit) const;

    // The same, as a list.
    [[nodiscard]] std::vector<Range> ranges(std::uint64_t payload_offset, std::uint64_t length) const;

    // Where the byte is on the device; empty: it is padding.
    [[nodiscard]] std::optional<std::uint64_t> device_offset(std::uint64_t payload_offset) const;

    // Every stretch of padding, in payload order: offsets in the payload.
    [[nodiscard]] std::vector<Extent> padding() const;

    // Writes zeros where `data`, from payload_offset on, is padding.
    void clear_padding(std::uint64_t payload_offset, std::span<std::byte> data) const;

    // Every used range of the device, in device order, touching ones merged.
    [[nodiscard]] const std::vector<Extent>& used() const { return m_used; }

  private:
    void add_extent(const Extent& extent);
    void add_padding(std::uint64_t length);

    std::vector<Range> m_runs; // sorted by payload_offset
    std::vector<Extent> m_used;
    std::uint64_t m_payload_size = 0;
    std::uint64_t m_padding_bytes = 0;
};

// The payload in units of so many bytes, blocks or pieces, the last of which may be short: visits the numbers
// of those that are nothing but padding, in order. They are no list: a small torrent can have any number of
// them.
void for_each_unit_of_padding(const ExtentMap& map, std::uint64_t unit_bytes,
                              const std::function<void(std::uint64_t unit)>& visit);

} // namespace ezio
