# SPDX-License-Identifier: ISC
"""What `ip xfrm` has no word for: SAs that expire when the test wants it."""

import concurrent.futures
import ctypes
import ipaddress
import os
import socket
import struct

NETLINK_XFRM = 6
XFRM_MSG_EXPIRE = 0x18
NLMSG_ERROR = 2
NLM_F_REQUEST, NLM_F_ACK = 1, 4
CLONE_NEWNET = 0x40000000
IPPROTO_ESP = 50
# struct xfrm_user_expire of linux/xfrm.h: selector, id, lifetimes and figures, family; then hard.
EXPIRE = struct.Struct("=56x 16s4sB3x 16x 64x 32x 12x 8x HBBB7x B7x")


def in_namespace(namespace, make):
    """make() in a thread that has gone into the network namespace; what it makes stays there."""
    path = os.path.join("/run/netns", namespace)

    def run():
        with open(path, "rb") as f:
            if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"{path} can't be entered")
        return make()
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()


class Expirer:
    """Has the kernel of a namespace announce that an SA has expired, as it does by itself in time."""

    def __init__(self, namespace):
        self.sock = in_namespace(namespace, lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM))

    def expire(self, spi, dst, hard):
        """Soft: told, and no more. Hard: the SA is gone."""
        a = ipaddress.ip_address(dst)
        family = socket.AF_INET if a.version == 4 else socket.AF_INET6
        body = EXPIRE.pack(a.packed, struct.pack(">I", spi), IPPROTO_ESP, family, 0, 0, 0, hard)
        self.sock.send(struct.pack("=IHHII", 16 + len(body), XFRM_MSG_EXPIRE, NLM_F_REQUEST | NLM_F_ACK, 1, 0) + body)
        _, kind, _, _, _, error = struct.unpack_from("=IHHIIi", self.sock.recv(4096))
        if kind != NLMSG_ERROR or error != 0:
            raise OSError(-error, f"SA {spi:#x} to {dst}: {os.strerror(-error)}")

    def close(self):
        self.sock.close()
