// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/rotational.hpp"

#include <fmt/format.h>

#include <fstream>
#include <string>

#include <sys/sysmacros.h>

namespace ezio {

bool is_rotational(dev_t device)
{
    const std::string disk = fmt::format("/sys/dev/block/{}:{}", major(device), minor(device));
    for (const char* place : {"/queue/rotational", "/../queue/rotational"}) {
        std::ifstream file(disk + place);
        if (char flag = 0; file >> flag) {
            return flag == '1';
        }
    }
    return false;
}

} // namespace ezio
