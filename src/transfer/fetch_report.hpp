// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a fetch reports to seeders: pure functions.
#pragma once

#include "ezio/report/client_status.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/util/error.hpp"

namespace ezio {

// `who` has the names of host, target and disk.
[[nodiscard]] ClientReport fetch_report(ClientReport who, const ProgressEvent& event);

// The last one, after `said`, of a fetch that ends with this error. A signal takes nothing from one that is
// complete.
[[nodiscard]] ClientReport last_report(ClientReport said, const Error& error);

} // namespace ezio
