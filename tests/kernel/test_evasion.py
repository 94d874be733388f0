# SPDX-License-Identifier: ISC
"""
Ways past all layers: fragments of IPv6 whose ports no rule sees, packets that the host forwards although
they claim to be its own, SAs of a node whose addresses another one has by now.
"""

import itertools
import os
import re
import signal
import socket
import struct

import pytest
from lab import backend_driver as bd
from lab import forge
from lab.forge import ESP, FRAGMENT, UDP, fragment6, ip, ipv6, udp, vxlan
from lab.kbackend import ME, KernelHost, Peer, peer_address
from lab.netlab import Lab

DSTOPTS, ROUTING, HOPOPTS, AH = 60, 43, 0, 51
GRANTED, OTHER_VNI = 5001, 666
ident = itertools.count(1)


@pytest.fixture(scope="module")
def host():
    with Lab("e") as lab:
        h = KernelHost(lab, "reconcile=3600")
        h.address("far", 11)
        h.start()
        h.peers = {v: Peer(h, f"nve-{v}", peer_address(v, 11), (GRANTED,)) for v in (4, 6)}
        h.admit(*h.peers.values())
        yield h
        h.close()


@pytest.fixture
def frozen(host):
    """Nobody repairs what the test takes away, until it is over."""
    os.kill(host.backend.popen.pid, signal.SIGSTOP)
    yield host
    os.kill(host.backend.popen.pid, signal.SIGCONT)
    host.backend.ok(host.backend.engine, [])


# ---- fragments

def options(following, kind=0x1e, octets=4):
    """Destination options (RFC 8200 section 4.6) with one that whoever does not know it skips."""
    body = bytes([kind, octets]) + bytes(octets)
    pad = -(2 + len(body)) % 8
    body += bytes([1, pad - 2]) + bytes(pad - 2) if pad > 1 else bytes(pad)
    return bytes([following, (2 + len(body)) // 8 - 1]) + body


def at_its_end(following):
    """A routing header with nothing left to visit."""
    return bytes([following, 0, 0, 0]) + bytes(4)


# The first fragment ends where the first header does; UDP is in the second one.
HIDING = {
    "options": (DSTOPTS, options(DSTOPTS), options(UDP)),
    # For Linux 6.1 these are UDP's ports when it looks for a policy: the option 0x12 of 0xb5 octets is 4789.
    "options-as-ports": (DSTOPTS, options(DSTOPTS, 0x12, 0xb5), options(UDP)),
    "routing": (ROUTING, at_its_end(DSTOPTS), options(UDP)),
    "fragment": (FRAGMENT, fragment6(DSTOPTS, b"", 0, 0, 1), options(UDP)),
    "authentication": (AH, bytes([DSTOPTS, 4]) + bytes(22), options(UDP)),
    "hop-by-hop": (HOPOPTS, options(DSTOPTS), options(UDP)),
}
# How layers 1 and 2 are evaded, too: in the clear by ports that are not protected, under the SA by those that are.
TWINS = [(False, "options"), (False, "routing"), (True, "options-as-ports")]


def hidden(p, vni, how, sealed):
    """A datagram of the peer's in two fragments, in the clear or each under its SA."""
    proto, first, second = HIDING[how]
    rest = second + udp(p.address, p.local, vxlan(vni, b"hidden"))
    n = next(ident)
    parts = fragment6(proto, first, 0, 1, n), fragment6(proto, rest, len(first), 0, n)
    for part in parts:
        if sealed:
            yield ipv6(p.address, p.local, ESP, p.esp.seal(part, FRAGMENT))
        else:
            yield ipv6(p.address, p.local, FRAGMENT, part)


def delivered(host, packets):
    """The markers of what came, up to a frame that may come and must."""
    p, got = host.peers[6], []
    with host.udp(6) as inbox:
        inbox.setblocking(True)
        inbox.settimeout(20)
        for packet in packets:
            host.wire.send(packet)
        host.wire.send(ipv6(p.address, p.local, ESP, p.esp.seal(udp(p.address, p.local, vxlan(GRANTED, b"the end")))))
        while not got or b"the end" not in got[-1]:
            got.append(inbox.recv(4096))
    return got[:-1]


@pytest.mark.parametrize("sealed", [False, True], ids=["clear", "esp"])
@pytest.mark.parametrize("how", HIDING)
def test_fragments_do_not_hide_a_vni(host, how, sealed):
    assert delivered(host, hidden(host.peers[6], OTHER_VNI, how, sealed)) == []


@pytest.mark.smoke
@pytest.mark.parametrize("sealed,how", TWINS)
def test_twin_without_the_rules_for_fragments_it_is_delivered(frozen, sealed, how):
    table = frozen.sh("nft -a list chain inet overlock in")
    handles = re.findall(r'"IPv6 fragments of .* # handle (\d+)', table)
    assert len(handles) == 3
    for handle in handles:
        frozen.sh(f"nft delete rule inet overlock in handle {handle}")
    assert len(delivered(frozen, hidden(frozen.peers[6], OTHER_VNI, how, sealed))) == 1


# ---- forwarding

@pytest.fixture
def router(host):
    """The host forwards, and takes its own address as a source from outside, as with IPv6 it always does."""
    host.sh("sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv4.ip_forward=1 net.ipv4.conf.eth0.accept_local=1 "
            "net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0")
    yield host
    host.sh("sysctl -qw net.ipv6.conf.all.forwarding=0 net.ipv4.ip_forward=0")


def sent_before(host, v, packet):
    """How many ESP packets left for the peer after this one came, before one of the host's own."""
    p = host.peers[v]
    seen = host.inside("far", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(forge.ETH_P_ALL)))
    seen.bind(("eth0", forge.ETH_P_ALL))
    seen.settimeout(20)
    first = None
    with host.udp(v, 5000) as own:
        for n in range(2):
            own.sendto(b"own", (p.address, 4789))
            while True:
                frame = seen.recv(4096)
                at = frame.find(struct.pack(">I", p.spi_out))
                if at > 0 and frame[6:12] == host.wire.macs[:6]:
                    seq = struct.unpack(">I", frame[at + 4:at + 8])[0]
                    # Its own has a datagram of three octets in it.
                    if len(frame) < 110:
                        break
            if n == 0:
                first = seq
                host.wire.send(packet)
    return seq - first - 1


def claims_to_be(v, src):
    dst = peer_address(v, 11)
    return ip(src, dst, UDP, udp(src, dst, vxlan(GRANTED, b"forwarded")))


@pytest.mark.smoke
@pytest.mark.parametrize("v", [4, 6])
def test_what_is_forwarded_gets_no_esp_of_ours(router, v):
    before = router.xfrm_stat().get("XfrmInPolBlock", 0)
    assert sent_before(router, v, claims_to_be(v, ME[v])) == 0
    assert router.xfrm_stat()["XfrmInPolBlock"] == before + 1


@pytest.mark.smoke
@pytest.mark.parametrize("v", [4, 6])
def test_twin_without_the_policy_what_is_forwarded_is_sealed(router, frozen, v):
    bits = {4: 32, 6: 128}[v]
    frozen.sh(f"ip xfrm policy delete dir fwd src {ME[v]}/{bits} dst {peer_address(v, 11)}/{bits} proto udp dport 4789")
    assert sent_before(router, v, claims_to_be(v, ME[v])) == 1


# ---- addresses of others

@pytest.mark.parametrize("v", [4, 6])
@pytest.mark.parametrize("node", ["nve-old", "nve-new"])
def test_a_former_sa_is_not_for_what_the_next_node_at_its_address_is_granted(host, node, v):
    """The backend was killed, and meanwhile nve-old's address became nve-new's; or stayed its own, the twin."""
    host.backend.ok(host.backend.authz, [(bd.BK_FLUSH_OWN, b"")])
    address = peer_address(v, 11)
    old, new = Peer(host, "nve-old", address, (GRANTED,)), Peer(host, node, address, (OTHER_VNI,))
    host.admit(old)
    os.kill(host.backend.popen.pid, signal.SIGKILL)
    host.backend.popen.wait()
    host.start()
    host.backend.ok(host.backend.authz, new.admission())
    got = []
    with host.udp(v) as inbox, host.udp(v, 5001) as other:
        other.settimeout(20)
        host.wire.send(ip(address, old.local, ESP, old.esp.seal(udp(address, old.local, vxlan(OTHER_VNI, b"former")))))
        # In the clear, for a port that is not protected: in order behind the other one.
        host.wire.send(ip(address, old.local, UDP, udp(address, old.local, b"the end", dport=5001)))
        assert other.recv(100) == b"the end"
        try:
            got.append(inbox.recv(4096))
        except BlockingIOError:
            pass
    assert len(got) == (node == "nve-old")
