// SPDX-License-Identifier: GPL-2.0-or-later
#include "partition_types.hpp"

#include <algorithm>
#include <array>

namespace ezio {

namespace {

struct Kind {
    std::string_view type;
    std::string_view content;
};

constexpr std::string_view dynamic_disk = "a Windows dynamic disk";
constexpr std::string_view bsd_slices = "BSD slices";
constexpr std::string_view unix_slices = "Unix slices";

constexpr std::array<Kind, 20> kinds{{
    {"0x42", dynamic_disk},
    {"0x63", unix_slices}, // UnixWare
    {"0x81", "Minix subpartitions"},
    {"0xa5", bsd_slices},                                   // FreeBSD
    {"0xa6", bsd_slices},                                   // OpenBSD
    {"0xa9", bsd_slices},                                   // NetBSD
    {"0xb7", bsd_slices},                                   // BSDI
    {"0xbf", unix_slices},                                  // Solaris
    {"5808c8aa-7e8f-42e0-85d2-e1e90434cfb3", dynamic_disk}, // its database
    {"af9b60a0-1431-4f62-bc68-3311714a69ad", dynamic_disk},
    {"e75caf8f-f680-4cee-afa3-b001e56efc2d", "Windows Storage Spaces"},
    {"516e7cb4-6ecf-11d6-8ff8-00022d71712b", bsd_slices}, // FreeBSD
    {"85d5e45a-237c-11e1-b4b3-e89a8f7fc3a7", bsd_slices}, // MidnightBSD
    {"824cc7a0-36a8-11e3-890a-952519ad3f61", bsd_slices}, // OpenBSD
    {"9d087404-1ca5-11dc-8817-01301bb8a9f5", bsd_slices}, // DragonFly BSD, 32 bits
    {"3d48ce54-1d16-11dc-8696-01301bb8a9f5", bsd_slices}, // DragonFly BSD, 64 bits
    {"37affc90-ef7d-4e96-91c3-2d7ae055b174", "a part of a GPFS"},
    {"52414944-0000-11aa-aa11-00306543ecac", "a part of an Apple RAID"},
    {"52414944-5f4f-11aa-aa11-00306543ecac", "a part of an Apple RAID"}, // offline
    {"53746f72-6167-11aa-aa11-00306543ecac", "Apple Core Storage"},
}};

} // namespace

std::string_view several_volumes_in(std::string_view type)
{
    const auto found =
        std::find_if(kinds.begin(), kinds.end(), [&](const Kind& kind) { return kind.type == type; });
    return found != kinds.end() ? found->content : std::string_view();
}

} // namespace ezio
