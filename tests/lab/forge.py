# SPDX-License-Identifier: ISC
"""Packets made octet by octet, as no honest host would send them: IP, UDP, VXLAN and ESP."""

import ipaddress
import os
import socket
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

UDP, TCP, FRAGMENT, ESP, DSTOPTS = 17, 6, 44, 50, 60
ETH_P_ALL = 3
MORE = 0x2000                        # IPv4's "more fragments"
# An Ethernet frame of no protocol in use: what a tenant sends.
TENANT = bytes.fromhex("02000000000b 02000000000a 88b5")


def _checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def _packed(text):
    return ipaddress.ip_address(text).packed


def ipv4(src, dst, proto, payload, ident=0, fragment=0):
    """fragment: flags and offset in units of 8 octets."""
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, fragment, 64, proto, 0,
                       _packed(src), _packed(dst))
    return head[:10] + struct.pack(">H", _checksum(head)) + head[12:] + payload


def ipv6(src, dst, proto, payload):
    return struct.pack(">IHBB", 6 << 28, len(payload), proto, 64) + _packed(src) + _packed(dst) + payload


def ip(src, dst, proto, payload):
    return (ipv6 if ":" in src else ipv4)(src, dst, proto, payload)


def fragment6(proto, payload, offset, more, ident):
    """One fragment of `payload` with its header; offset in octets."""
    return struct.pack(">BBHI", proto, 0, offset | more, ident) + payload


def ip_fragments(src, dst, proto, payload, size):
    """`payload` in fragments of at most `size` octets, a multiple of 8."""
    ident = int.from_bytes(os.urandom(2), "big")
    for at in range(0, len(payload), size):
        part, more = payload[at:at + size], at + size < len(payload)
        if ":" in src:
            yield ipv6(src, dst, FRAGMENT, fragment6(proto, part, at, more, ident))
        else:
            yield ipv4(src, dst, proto, part, ident, at // 8 | MORE * more)


def udp(src, dst, payload, sport=40000, dport=4789):
    head = struct.pack(">HHHH", sport, dport, 8 + len(payload), 0)
    pseudo = _packed(src) + _packed(dst) + struct.pack(">II", 8 + len(payload), UDP)
    return head[:6] + struct.pack(">H", _checksum(pseudo + head + payload) or 0xffff) + payload


def tcp_syn(src, dst, marker, dport=4789):
    """The marker is the payload."""
    segment = struct.pack(">HHIIBBHHH", 40000, dport, 1, 0, 0x50, 2, 1024, 0, 0) + marker
    pseudo = _packed(src) + _packed(dst) + struct.pack(">II", len(segment), TCP)
    return segment[:16] + struct.pack(">H", _checksum(pseudo + segment)) + segment[18:]


def vxlan(vni, marker):
    """A frame of a tenant's that carries the marker, RFC 7348."""
    return struct.pack(">II", 0x08000000, vni << 8) + TENANT + marker.ljust(46, b"\0")


class EspSender:
    """The sending end of an SA with AES-GCM. RFC 4303, RFC 4106."""

    def __init__(self, spi, key, esn=True):
        self.spi, self.salt, self.esn = spi, key[-4:], esn
        self.aead = AESGCM(key[:-4])
        self.seq = 0

    def seal(self, payload, proto=UDP, seq=None):
        """An ESP packet without its IP header; seq: of an earlier one, which is a replay."""
        if seq is None:
            self.seq += 1
            seq = self.seq
        iv = struct.pack(">Q", seq)
        pad = -(len(payload) + 2) % 4
        plain = payload + bytes(range(1, pad + 1)) + bytes([pad, proto])
        low = struct.pack(">I", seq & 0xffffffff)
        spi = struct.pack(">I", self.spi)
        aad = spi + (struct.pack(">Q", seq) if self.esn else low)
        return spi + low + iv + self.aead.encrypt(self.salt + iv, plain, aad)


class Wire:
    """Sends whole packets to one host, from a namespace that shares a link with it."""

    def __init__(self, sock, ifname, source, target):
        """sock: AF_PACKET, made in that namespace. MAC addresses as text."""
        self.sock, self.ifname = sock, ifname
        self.macs = bytes.fromhex((target + source).replace(":", ""))

    def send(self, packet):
        ethertype = 0x86dd if packet[0] >> 4 == 6 else 0x0800
        self.sock.sendto(self.macs + struct.pack(">H", ethertype) + packet, (self.ifname, ethertype))

    @staticmethod
    def socket():
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
