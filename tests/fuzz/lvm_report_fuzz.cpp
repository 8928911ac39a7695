// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/lvm_report.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/require.hpp"

using namespace ezio;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    try {
        const LvmReport report = parse_lvm_report({reinterpret_cast<const char*>(data), size});
        for (const PhysicalVolume& volume : report.physical) {
            require(volume.data_begin <= volume.data_end && volume.data_end <= largest_offset);
        }
        for (const LogicalVolume& volume : report.logical) {
            require(!volume.kind.empty() || volume.length_of_parts() <= volume.size);
        }
    } catch (const Error& error) {
        require(error.status() == ExitStatus::target);
    }
    return 0;
}
