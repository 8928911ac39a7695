// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/net/device_binding.hpp"

#include "catch.hpp"

#include "ezio/util/fd.hpp"

#include <libtorrent/alert_types.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/settings_pack.hpp>

#include <array>
#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <net/if.h>
#include <sys/socket.h>

namespace ezio {

namespace {

// What the socket `fd` is bound to besides an address; none if it is not bound to a device, or no socket.
std::string device_of(int fd)
{
    std::array<char, IF_NAMESIZE> name{};
    socklen_t length = name.size();
    return ::getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name.data(), &length) == 0 ? name.data() : "";
}

std::set<std::string> devices_of_all_sockets()
{
    std::set<std::string> devices;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        devices.insert(device_of(std::stoi(entry.path().filename())));
    }
    return devices;
}

} // namespace

TEST_CASE("device binding: a session's sockets are bound to addresses, not to devices")
{
    leave_out_device_binding();
    lt::settings_pack pack;
    pack.set_str(lt::settings_pack::listen_interfaces, "127.0.0.1:0");
    pack.set_int(lt::settings_pack::alert_mask, static_cast<int>(lt::alert_category::status));
    for (const int off : {lt::settings_pack::enable_dht, lt::settings_pack::enable_lsd,
                          lt::settings_pack::enable_upnp, lt::settings_pack::enable_natpmp}) {
        pack.set_bool(off, false);
    }
    lt::session session(lt::session_params{pack});
    for (bool listens = false; !listens;) {
        REQUIRE(session.wait_for_alert(std::chrono::seconds(20)) != nullptr);
        std::vector<lt::alert*> alerts;
        session.pop_alerts(&alerts);
        for (const lt::alert* alert : alerts) {
            REQUIRE(lt::alert_cast<lt::listen_failed_alert>(alert) == nullptr);
            listens = listens || lt::alert_cast<lt::listen_succeeded_alert>(alert) != nullptr;
        }
    }
    CHECK(devices_of_all_sockets() == std::set<std::string>{""});
}

TEST_CASE("device binding: other options of sockets are set")
{
    leave_out_device_binding();
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(socket.get() >= 0);
    const int on = 1;
    REQUIRE(::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    int found = 0;
    socklen_t length = sizeof found;
    REQUIRE(::getsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &found, &length) == 0);
    CHECK(found != 0);
    CHECK(::setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1);
    CHECK(errno == EBADF);
}

} // namespace ezio
