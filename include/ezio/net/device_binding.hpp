// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace ezio {

// Keeps the process from binding sockets to devices from now on. To be called before a session exists. Any
// thread.
//
// libtorrent 2.0 binds each listening socket to an address and also to a device (SO_BINDTODEVICE): the first
// one whose network contains the address. If one network lies in another, that is the wrong device. If two
// devices are in the same network, even the right one fails: the kernel answers ARP for either address on
// either device, and packets that arrive on the other device are refused. libtorrent has no setting for this.
// Sockets are then bound to their addresses alone, as those of other servers are.
void leave_out_device_binding();

} // namespace ezio
