// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/session/network_thread.hpp"

#include "catch.hpp"
#include "deadline.hpp"

#include <boost/asio/post.hpp>

#include <future>
#include <mutex>
#include <stdexcept>

namespace ezio {

TEST_CASE("network thread: what a handler throws is kept, the first of it, and the thread goes on")
{
    std::promise<void> woken;
    std::promise<void> later;
    std::once_flag once;
    NetworkThread thread([&] { std::call_once(once, [&] { woken.set_value(); }); });
    thread.throw_if_failed();

    boost::asio::post(thread.context(), [] { throw std::runtime_error("the first"); });
    boost::asio::post(thread.context(), [] { throw std::runtime_error("the second"); });
    boost::asio::post(thread.context(), [&] { later.set_value(); });

    REQUIRE(woken.get_future().wait_for(test::deadline) == std::future_status::ready);
    REQUIRE(later.get_future().wait_for(test::deadline) == std::future_status::ready);
    CHECK_THROWS_WITH(thread.throw_if_failed(), "the first");
    thread.join();
}

} // namespace ezio
