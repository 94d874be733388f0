# SPDX-License-Identifier: ISC
"""What is in a capture of the underlay: every frame gets exactly one class."""

import struct
from collections import Counter


def frames(path):
    """Yield (time in seconds, octets) of a classic pcap file of Ethernet frames."""
    with open(path, "rb") as f:
        head = f.read(24)
        if len(head) < 24:
            return
        magic = head[:4]
        order = "<" if magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        scale = 1e9 if magic in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1e6
        while True:
            rec = f.read(16)
            if len(rec) < 16:
                return
            sec, frac, n, _ = struct.unpack(order + "IIII", rec)
            data = f.read(n)
            if len(data) < n:
                return
            yield sec + frac / scale, data


def classify(frame, https_ports=(443, 8443), vxlan_ports=(4789,), ike=500, natt=4500):
    """'arp', 'nd', 'mld', 'ike', 'esp', 'esp-udp', 'https', 'vxlan' (plaintext!) or 'other:...'."""
    if len(frame) < 14:
        return "other:short"
    ethertype = struct.unpack("!H", frame[12:14])[0]
    ip = frame[14:]
    if ethertype == 0x0806:
        return "arp"
    if ethertype == 0x0800 and len(ip) >= 20:
        proto, rest = ip[9], ip[(ip[0] & 15) * 4:]
    elif ethertype == 0x86DD and len(ip) >= 40:
        proto, rest = ip[6], ip[40:]
        if proto == 0 and len(rest) >= 8:                 # hop-by-hop options: MLD
            proto, rest = rest[0], rest[(rest[1] + 1) * 8:]
    else:
        return f"other:ethertype-{ethertype:04x}"
    if proto == 50:
        return "esp"
    if proto == 58 and rest:
        if 133 <= rest[0] <= 137:
            return "nd"
        if rest[0] in (130, 131, 132, 143):
            return "mld"
        return f"other:icmp6-{rest[0]}"
    if proto in (6, 17) and len(rest) >= 8:
        ports = struct.unpack("!HH", rest[:4])
        if proto == 6 and (ports[0] in https_ports or ports[1] in https_ports):
            return "https"
        if proto == 17:
            if any(p in ports for p in vxlan_ports):
                return "vxlan"
            if ike in ports:
                return "ike"
            if natt in ports:
                body = rest[8:]
                if body == b"\xff":
                    return "ike"                           # NAT keepalive, RFC 3948
                return "ike" if body[:4] == b"\0\0\0\0" else "esp-udp"
        return f"other:{'tcp' if proto == 6 else 'udp'}-{ports[0]}-{ports[1]}"
    return f"other:proto-{proto}"


def census(path, **kw):
    """Counter of classes over a capture file."""
    return Counter(classify(f, **kw) for _, f in frames(path))


def holds(path, needle):
    """Frames of the capture in which these octets stand in clear."""
    return sum(1 for _, f in frames(path) if needle in f)
