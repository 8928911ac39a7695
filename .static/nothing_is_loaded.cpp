// SPDX-License-Identifier: GPL-2.0-or-later
//
// Part of the statically linked program only, which runs on systems whose shared objects are of other
// versions, or none. getaddrinfo and getpwnam load what /etc/nsswitch.conf names there beyond files and DNS,
// which are built in. Nothing else in the program loads anything: see build-libraries for OpenSSL.
#include <cstdlib>

#include <nss.h>

namespace {

[[gnu::constructor]] void use_what_is_built_in()
{
    if (__nss_configure_lookup("hosts", "files dns") != 0 || __nss_configure_lookup("passwd", "files") != 0) {
        std::abort(); // out of memory, before main()
    }
}

} // namespace
