// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace ezio {

// libtorrent 2.0 binds each listening socket to an address and also to a device (SO_BINDTODEVICE): the first
// one whose network contains the address. That is the wrong one where one network lies in another. The right
// one is no better where two devices are in the same network: there the kernel answers ARP for either address
// on either device, and what arrives on the other device is refused. There is no setting for it, so this
// keeps the process from binding sockets to devices from now on; they are bound to their addresses alone, as
// those of other servers are. To be called before a session exists. Any thread.
void leave_out_device_binding();

} // namespace ezio
