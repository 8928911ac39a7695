// SPDX-License-Identifier: GPL-2.0-or-later
// Compiled with what the engine may include; the test is that it does not compile.
#include "ezio/session/torrent_session.hpp"
