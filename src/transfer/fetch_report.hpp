// SPDX-License-Identifier: GPL-2.0-or-later
//
// A fetch's reports to seeders: pure functions.
#pragma once

#include "ezio/report/client_status.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/util/error.hpp"

namespace ezio {

// `who` contains the names of host, target and disk.
[[nodiscard]] ClientReport fetch_report(ClientReport who, const ProgressEvent& event);

// The last report, after `said`, of a fetch that ends with this error. After a signal, a complete fetch stays
// complete.
[[nodiscard]] ClientReport last_report(ClientReport said, const Error& error);

} // namespace ezio
