// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/http_download.hpp"

#include "catch.hpp"

namespace ezio {

TEST_CASE("http download: curl's reason is what it says behind its status")
{
    CHECK(curl_reason("curl: (22) The requested URL returned error: 404\n", 22) ==
          "The requested URL returned error: 404");
    CHECK(curl_reason("curl: (6) Could not resolve host: nowhere", 6) == "Could not resolve host: nowhere");
}

TEST_CASE("http download: neither warnings before curl's reason nor advice behind it are shown")
{
    CHECK(curl_reason("Warning: the environment is odd\n"
                      "curl: (60) SSL certificate problem: self-signed certificate\n"
                      "More details here: https://curl.se/docs/sslcerts.html\n\n"
                      "curl failed to verify the legitimacy of the server and therefore could not\n",
                      60) == "SSL certificate problem: self-signed certificate");
}

TEST_CASE("http download: where curl gives no reason there is its status")
{
    CHECK(curl_reason("", 137) == "curl ended with status 137");
    CHECK(curl_reason("curl: option --globoff: is unknown\n", 2) == "curl ended with status 2");
    CHECK(curl_reason("curl: (", 3) == "curl ended with status 3");
}

} // namespace ezio
