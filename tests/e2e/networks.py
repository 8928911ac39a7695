"""Networks for tests: hosts are network namespaces, joined by switches, and connected to nothing else.

A namespace has no name and no process of its own: it is a descriptor of the test, and gone with it, however the test ends.

    switch = self.enterContext(Switch("10.77.0"))
    hosts = [self.enterContext(switch.new_host()) for _ in range(4)]       # 10.77.0.1 ... 10.77.0.4
    self.start("seed", torrent, source, wrapper=hosts[0].wrapper)
"""

import collections
import contextlib
import ctypes
import functools
import ipaddress
import os
import shutil
import socket
import struct
import sys
import threading
import unittest

from harness import run, wait_until

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _current_namespace():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Host:
    """A network namespace with nothing but a loopback interface, until a switch is attached."""

    def __init__(self):
        self.address = self.address6 = None  # on the first switch
        home = _current_namespace()
        try:
            _check(_libc.unshare(_CLONE_NEWNET))
            self._namespace = _current_namespace()
            _check(_libc.setns(home, _CLONE_NEWNET))
        finally:
            os.close(home)
        self.path = f"/proc/{os.getpid()}/fd/{self._namespace}"
        self.wrapper = ["nsenter", f"--net={self.path}"]  # executes the rest of its arguments on this host
        # Addresses are usable at once: nobody else can have them.
        self.run("sh", "-c", "ip link set lo up; echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._namespace)

    def run(self, *command):
        return run(*self.wrapper, *command)

    @contextlib.contextmanager
    def inside(self):
        """This thread is on the host for the length of a with block; sockets made there stay there."""
        home = _current_namespace()
        try:
            _check(_libc.setns(self._namespace, _CLONE_NEWNET))
            yield
        finally:
            _check(_libc.setns(home, _CLONE_NEWNET))
            os.close(home)

    def listening_ports(self):
        """The TCP ports that somebody listens on here, over IPv4 or IPv6."""
        table = self.run("cat", "/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6")
        rows = [line.split() for line in table.splitlines()]
        return {int(row[1].rsplit(":", 1)[1], 16) for row in rows if row[3] == "0A"}


Packet = collections.namedtuple("Packet", "sent protocol address port")  # the peer's address, the destination's port

_ETHERNET_HEADER = 14
_PORTS_AT = {"tcp": 2, "udp": 2}  # of the destination, within the header
_PROTOCOLS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 58: "icmpv6", 0: "icmpv6"}  # 0: an option before ICMPv6


def _parse(frame, sent):
    kind = struct.unpack_from("!H", frame, 12)[0]
    packet = frame[_ETHERNET_HEADER:]
    if kind == 0x0800:
        protocol, header = packet[9], (packet[0] & 15) * 4
        addresses = packet[12:16], packet[16:20]
    elif kind == 0x86DD:
        protocol, header = packet[6], 40
        addresses = packet[8:24], packet[24:40]
    else:
        return Packet(sent, {0x0806: "arp"}.get(kind, hex(kind)), None, None)
    name = _PROTOCOLS.get(protocol, str(protocol))
    port = struct.unpack_from("!H", packet, header + _PORTS_AT[name])[0] if name in _PORTS_AT else None
    return Packet(sent, name, str(ipaddress.ip_address(addresses[1 if sent else 0])), port)


class Capture:
    """Everything that an interface of a host sends and receives during a with block: `packets`, each kind once."""

    def __init__(self, host, interface="eth0"):
        everything = 3  # ETH_P_ALL
        with host.inside():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(everything))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
        self._socket.bind((interface, everything))
        self._socket.settimeout(0.1)
        self.packets, self._over = set(), False
        self._thread = threading.Thread(target=self._collect)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over = True
        self._thread.join()
        self._socket.close()

    def _collect(self):
        while True:
            try:
                frame, address = self._socket.recvfrom(256)
            except TimeoutError:
                if self._over:
                    return
                continue
            self.packets.add(_parse(frame, address[2] == socket.PACKET_OUTGOING))

    def sent(self):
        return {packet for packet in self.packets if packet.sent}


class Switch(Host):
    """An Ethernet switch: the hosts on it are PREFIX.1, PREFIX.2 and so on, and fd00:N::1 ... with the prefix's last number."""

    def __init__(self, prefix="10.77.0"):
        super().__init__()
        self.prefix, self.prefix6 = prefix, f"fd00:{prefix.split('.')[-1]}"
        self._ports = 0
        self.run("ip", "link", "add", "bridge", "up", "type", "bridge", "mcast_snooping", "0")

    def attach(self, host, interface="eth0"):
        """Gives the host an interface on this switch. Returns its IPv4 address."""
        self._ports += 1
        port = f"port{self._ports}"
        address, address6 = (str(ipaddress.ip_address(text))
                             for text in (f"{self.prefix}.{self._ports}", f"{self.prefix6}::{self._ports:x}"))
        self.run("sh", "-ec", f"""
            ip link add {port} type veth peer name {interface} netns {host.path}
            ip link set {port} master bridge up""")
        host.run("sh", "-ec", f"""
            ip address add {address}/24 broadcast + dev {interface}
            ip address add {address6}/64 dev {interface} nodad
            ip link set {interface} up""")
        wait_until(lambda: "state UP" in host.run("ip", "link", "show", "dev", interface), f"{interface} to be up")
        host.address, host.address6 = host.address or address, host.address6 or address6
        return address

    def new_host(self):
        host = Host()
        self.attach(host)
        return host


@functools.cache
def network_namespaces_work():
    if os.geteuid() != 0 or not shutil.which("nsenter") or not shutil.which("ip"):
        return False
    try:
        with Switch() as switch, switch.new_host():
            return True
    except (OSError, AssertionError) as error:
        print(f"no network namespaces here: {error}", file=sys.stderr)
        return False


needs_network_namespaces = unittest.skipUnless(network_namespaces_work(), "needs root and network namespaces")
