// SPDX-License-Identifier: GPL-2.0-or-later
#include "web_certificates.hpp"

#include <boost/algorithm/string/predicate.hpp>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace ezio {

namespace {

bool is_on_the_web(const std::string& url)
{
    return boost::algorithm::istarts_with(url, "http"); // plain HTTP, too, because it may redirect
}

} // namespace

bool needs_web_certificates(const lt::add_torrent_params& params)
{
    return std::any_of(params.trackers.begin(), params.trackers.end(), is_on_the_web) ||
           std::any_of(params.url_seeds.begin(), params.url_seeds.end(), is_on_the_web);
}

void leave_out_web_certificates()
{
    (void)::setenv("SSL_CERT_FILE", "/dev/null", 0); // on failure they are read, which only takes time
}

} // namespace ezio
