# SPDX-License-Identifier: ISC
"""The hunt for plaintext: who counts it on the underlay, who tries to send it, who takes protection away."""

import ctypes
import os
import select
import socket
import struct
import time

from .xfrmnl import in_namespace

ETH_P_ALL = 3
PACKET_OUTGOING = 4
SO_ATTACH_FILTER, SO_TIMESTAMPNS, SO_RCVBUFFORCE = 26, 35, 33
NETLINK_XFRM, NETLINK_NETFILTER = 6, 12
SOL_NETLINK, NETLINK_ADD_MEMBERSHIP = 270, 1
NLM_F_REQUEST = 1
XFRM_MSG_NEWPOLICY, XFRM_MSG_FLUSHPOLICY, XFRMNLGRP_POLICY = 0x13, 0x1d, 4
NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END, NFNLGRP_NFTABLES = 0x10, 0x11, 7
NFT_NEWTABLE, NFT_DELTABLE = 10 << 8, 10 << 8 | 2
OUT, BLOCK = 1, 1


def tap(steps, ifindex=0):
    """
    A packet socket that gets what a program of the kernel's filter (code, jt, jf, k) picks, of one
    interface or of all, those that come later as well.
    """
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *s) for s in steps))
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(steps), ctypes.addressof(code)))
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
    s.setblocking(False)
    address = struct.pack("=HHiHBB8x", socket.AF_PACKET, socket.htons(ETH_P_ALL), ifindex, 0, 0, 0)
    if ctypes.CDLL(None, use_errno=True).bind(s.fileno(), address, len(address)) != 0:
        raise OSError(ctypes.get_errno(), "bind")
    return s


def ethertype(number):
    """For tap(): frames of one EtherType."""
    return (0x28, 0, 0, 12), (0x15, 0, 1, number), (0x06, 0, 0, 0xffff), (0x06, 0, 0, 0)


class PlaintextCounter:
    """
    Every frame of the protected port that enters a switch, v4 or v6, in any direction: the kernel
    picks them out, and says when they came. It counts from its making on.
    """

    def __init__(self, lab, ns, ports=(4789,), but_from=None):
        """but_from: MAC address whose frames are no finding."""
        what = " or ".join(f"udp port {p}" for p in ports)
        text = f"({what}) and not ether src {but_from}" if but_from else what
        program = lab.run(ns, ["tcpdump", "-i", "lo", "-y", "EN10MB", "-ddd", text]).stdout.split("\n")
        steps = [tuple(map(int, line.split())) for line in program[1:] if line]

        def make():
            s = tap(steps)
            s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            return s
        self.sock = in_namespace(f"{lab.prefix}-{ns}", make)

    def take(self, patience=0):
        """(interface, time in seconds since 1970, octets) of the frames since the last call."""
        found = []
        while select.select([self.sock], [], [], 0 if found else patience)[0]:
            data, ancillary, _, (ifname, _, kind, *_) = self.sock.recvmsg(256, 64)
            if kind != PACKET_OUTGOING:
                seconds, ns = struct.unpack("qq", ancillary[0][2])
                found.append((ifname, seconds + ns / 1e9, data))
        return found

    def close(self):
        self.sock.close()


def _message(kind, body, flags=NLM_F_REQUEST, seq=1):
    return struct.pack("=IHHII", 16 + len(body), kind, flags, seq, 0) + body


FLUSH_POLICIES = _message(XFRM_MSG_FLUSHPOLICY, b"")
# nft flush ruleset: a batch that deletes every table of every family.
FLUSH_RULESET = b"".join(_message(kind, body, seq=n) for n, (kind, body) in enumerate((
    (NFNL_MSG_BATCH_BEGIN, struct.pack(">BBH", 0, 0, 10)), (NFT_DELTABLE, bytes(4)),
    (NFNL_MSG_BATCH_END, struct.pack(">BBH", 0, 0, 10)))))


class Flusher:
    """
    Takes IPsec policies and all of nf_tables away, both before anybody else gets the processor, and
    tells when each of the two layers is complete again.
    """

    def __init__(self, namespace, port=4789):
        self.port = port

        def listener(bus, group):
            s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, bus)
            s.bind((0, 0))
            s.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
            s.setblocking(False)
            return s

        def make():
            return (socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM),
                    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER),
                    listener(NETLINK_XFRM, XFRMNLGRP_POLICY), listener(NETLINK_NETFILTER, NFNLGRP_NFTABLES))
        self.xfrm, self.nft, self.policies, self.tables = in_namespace(namespace, make)

    def flush(self):
        """The time of the second flush, as PlaintextCounter tells it."""
        self._drain()
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
        try:
            self.xfrm.send(FLUSH_POLICIES)
            self.nft.send(FLUSH_RULESET)
            wall, self.flushed = time.time(), time.monotonic()
        finally:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        return wall

    def until_repaired(self, patience=20):
        """
        {layer: milliseconds from the flush until it was there again}. Layer 1: both families' blocks for
        what leaves; layer 3: the table.
        """
        blocked, done = set(), {}
        while len(done) < 2:
            ready = select.select([self.policies, self.tables], [], [], patience)[0]
            now = (time.monotonic() - self.flushed) * 1000
            if not ready:
                raise OSError(f"nobody repaired it; until now {done}")
            for s in ready:
                for kind, body in _messages(s.recv(65536)):
                    if kind == XFRM_MSG_NEWPOLICY and self._is_block_out(body):
                        blocked.add(struct.unpack_from("=H", body, 40)[0])
                    elif kind == NFT_NEWTABLE:
                        done.setdefault(3, round(now, 2))
            if blocked == {socket.AF_INET, socket.AF_INET6}:
                done.setdefault(1, round(now, 2))
        return done

    def _is_block_out(self, body):
        """struct xfrm_userpolicy_info of linux/xfrm.h."""
        return (struct.unpack_from(">H", body, 32)[0] == self.port and struct.unpack_from("=H", body, 38)[0] == 0 and
                body[160:162] == bytes([OUT, BLOCK]))

    def _drain(self):
        for s in (self.policies, self.tables):
            while select.select([s], [], [], 0)[0]:
                s.recv(65536)

    def close(self):
        for s in (self.xfrm, self.nft, self.policies, self.tables):
            s.close()


def _messages(datagram):
    while len(datagram) >= 16:
        length, kind = struct.unpack_from("=IH", datagram)
        yield kind, datagram[16:length]
        datagram = datagram[(length + 3) & ~3:]
