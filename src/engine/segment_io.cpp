// SPDX-License-Identifier: GPL-2.0-or-later
#include "segment_io.hpp"

#include "ezio/target/payload_io.hpp"
#include "ezio/util/page_buffer.hpp"
#include "ezio/util/units.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace ezio {

namespace {

constexpr std::uint64_t hash_buffer_bytes = 256_KiB;

// A range of the device and its memory.
struct DeviceTransfer {
    std::uint64_t offset;
    std::uint64_t length;
    std::vector<iovec> parts;
};

// Splits the segments at gaps of the device and joins them where there are none: each result is one call.
std::vector<DeviceTransfer> device_transfers(const ExtentMap& map, const std::vector<Segment>& segments)
{
    std::vector<DeviceTransfer> transfers;
    for (const Segment& segment : segments) {
        map.for_each(segment.payload_offset, segment.length, [&](const ExtentMap::Range& range) {
            std::byte* memory = segment.memory + (range.payload_offset - segment.payload_offset);
            if (transfers.empty() ||
                transfers.back().offset + transfers.back().length != range.device_offset) {
                transfers.push_back({range.device_offset, 0, {}});
            }
            transfers.back().length += range.length;
            transfers.back().parts.push_back({memory, range.length});
        });
    }
    return transfers;
}

} // namespace

std::uint64_t total_length(const std::vector<Segment>& segments)
{
    std::uint64_t length = 0;
    for (const Segment& segment : segments) {
        length += segment.length;
    }
    return length;
}

std::uint64_t data_length(const ExtentMap& map, const std::vector<Segment>& segments)
{
    if (map.padding_bytes() == 0) {
        return total_length(segments);
    }
    std::uint64_t bytes = 0;
    for (const Segment& segment : segments) {
        map.for_each(segment.payload_offset, segment.length,
                     [&](const ExtentMap::Range& range) { bytes += range.length; });
    }
    return bytes;
}

std::vector<Segment> not_in_memory(const std::vector<Segment>& segments)
{
    std::vector<Segment> missing;
    std::copy_if(segments.begin(), segments.end(), std::back_inserter(missing),
                 [](const Segment& segment) { return segment.memory == nullptr; });
    return missing;
}

std::optional<IoFailure> hash_segments(const ExtentMap& map, Target& target,
                                       const std::vector<Segment>& segments,
                                       const std::function<void(std::span<const std::byte>)>& hash)
{
    PageBuffer buffer;
    for (const Segment& segment : segments) {
        if (segment.memory != nullptr) {
            hash({segment.memory, segment.length});
            continue;
        }
        buffer.resize(hash_buffer_bytes);
        for (std::uint64_t done = 0; done < segment.length;) {
            const auto step = std::span(buffer).first(std::min(segment.length - done, hash_buffer_bytes));
            if (auto failed = read_payload(map, target, segment.payload_offset + done, step)) {
                return failed;
            }
            hash(step);
            done += step.size();
        }
    }
    return std::nullopt;
}

std::optional<IoFailure> read_segments(const ExtentMap& map, Target& target,
                                       const std::vector<Segment>& segments)
{
    for (const Segment& segment : segments) {
        map.clear_padding(segment.payload_offset, {segment.memory, segment.length});
    }
    for (DeviceTransfer& part : device_transfers(map, segments)) {
        if (auto failed = target.read_at(part.offset, std::span(part.parts))) {
            return failed;
        }
    }
    return std::nullopt;
}

std::optional<IoFailure> gather_segments(const ExtentMap& map, Target& target,
                                         const std::vector<Segment>& segments, std::byte* memory)
{
    std::vector<Segment> missing;
    for (const Segment& segment : segments) {
        if (segment.memory != nullptr) {
            std::memcpy(memory, segment.memory, segment.length);
        } else {
            missing.push_back({segment.payload_offset, segment.length, memory});
        }
        memory += segment.length;
    }
    return read_segments(map, target, missing);
}

std::optional<IoFailure> write_segments(const ExtentMap& map, Target& target,
                                        const std::vector<Segment>& segments)
{
    std::uint64_t first = ~0ULL;
    std::uint64_t end = 0;
    std::uint64_t bytes = 0;
    for (DeviceTransfer& part : device_transfers(map, segments)) {
        if (auto failed = target.write_at(part.offset, std::span(part.parts))) {
            return failed;
        }
        first = std::min(first, part.offset);
        end = std::max(end, part.offset + part.length);
        bytes += part.length;
    }
    return end > first ? target.write_behind({first, end - first}, bytes) : std::nullopt;
}

} // namespace ezio
