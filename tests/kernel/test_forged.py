# SPDX-License-Identifier: ISC
"""
What an authenticated peer may not do, nor anybody else. nve-c has an SA and a grant of its own and
sends valid ESP; its outer source, its VNI or what is inside is forged. Each layer is then shown to
stop this alone, by taking the others away while the backend is frozen.
"""

import itertools
import re
import select
import signal
import socket
import struct

import pytest
from lab import backend_driver as bd
from lab import forge
from lab.forge import ip, udp, vxlan
from lab.kbackend import KernelHost, Peer, family, peer_address
from lab.netlab import Lab

VNIS = {"of-a": 100, "of-c": 200, "of-both": 300}
FORMS = {"v4": (4, False), "v6": (6, False), "v4-udp": (4, True), "v6-udp": (6, True)}
STRANGER = 99
OTHER_PORT = 9999
# Everything that counts a packet which did not get in.
DROPS = ("drop.plaintext", "drop.not-granted", "kernel.XfrmInStateMismatch", "kernel.XfrmInTmplMismatch",
         "kernel.XfrmInPolBlock", "kernel.XfrmInNoPols")
MARKER = re.compile(rb"frame-\d{6}")
markers = (b"frame-%06d" % n for n in itertools.count())


class UdpInbox:
    """Sockets on the protected port of both families; short datagrams get there, too."""

    def __init__(self, host):
        self.sockets = [host.udp(v) for v in (4, 6)]

    def take(self):
        return [s.recv(4096) for s in select.select(self.sockets, [], [], 0)[0]]


class VxlanInbox:
    """A VXLAN device that takes every VNI, and what tenants behind it would get."""

    def __init__(self, host):
        host.sh("ip link add vx0 type vxlan external dstport 4789 && "
                "echo 1 >/proc/sys/net/ipv6/conf/vx0/disable_ipv6 && ip link set vx0 up")
        proto = socket.htons(0x88b5)
        self.sockets = [host.inside("me", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, proto))]
        self.sockets[0].bind(("vx0", 0x88b5))

    take = UdpInbox.take


class Scene:
    """The host, its peers and what is delivered."""

    def __init__(self, host, inbox):
        self.host, self.inbox = host, inbox

    def admit(self):
        self.a, self.c = {}, {}
        for n, (form, (v, encap)) in enumerate(FORMS.items()):
            for who, at in ((self.a, 11), (self.c, 12)):
                who[form] = Peer(self.host, f"nve-{'ac'[at - 11]}-{form}", peer_address(v, at + 10 * n),
                                 [VNIS["of-a" if at == 11 else "of-c"], VNIS["of-both"]], encap=encap)
        self.host.admit(*self.a.values(), *self.c.values())

    def packet(self, sender, src, payload, proto=forge.UDP):
        """`payload` under the sender's SA, in a packet whose outer source is `src`."""
        sealed = sender.esp.seal(payload, proto)
        if sender.encap:
            return ip(src, sender.local, forge.UDP, udp(src, sender.local, sealed, 4500, 4500))
        return ip(src, sender.local, forge.ESP, sealed)

    def frame(self, sender, src, vni):
        return self.packet(sender, src, udp(src, sender.local, vxlan(vni, next(markers))))

    def until(self, marker):
        """What is delivered before the frame with this marker, which must come."""
        got = []
        while not got or marker not in got[-1]:
            assert select.select(self.inbox.sockets, [], [], 20)[0], f"{marker} was not delivered; others: {got}"
            # Several may be ready: the awaited one last.
            got += sorted(self.inbox.take(), key=lambda data: marker in data)
        return got[:-1] + self.inbox.take()

    def delivered(self, packets, form):
        """Those of the datagrams that came through; a frame that nve-c may send follows and must come, too."""
        for p in packets:
            self.host.wire.send(p)
        c, marker = self.c[form], next(markers)
        self.host.wire.send(self.packet(c, c.address, udp(c.address, c.local, vxlan(VNIS["of-c"], marker))))
        return self.until(marker)

    def dropped(self, packets, form):
        """True if none came through and each was counted."""
        before = self.counters()
        got = self.delivered(packets, form)
        after = self.counters()
        assert got == []
        assert sum(after.values()) - sum(before.values()) == len(packets), (before, after)
        return True

    def counters(self):
        found = self.host.backend.counters()
        return {name: found.get((name, "", 0), 0) for name in DROPS}


def make_scene(lab, inbox):
    host = KernelHost(lab, "reconcile=3600")
    host.address("far", 12)
    host.start()
    scene = Scene(host, inbox(host))
    for v in (4, 6):
        host.natt(v)
    return scene


@pytest.fixture(scope="module", params=[
    pytest.param(UdpInbox, id="socket", marks=pytest.mark.smoke), pytest.param(VxlanInbox, id="vxlan")])
def scene(request):
    with Lab("f") as lab:
        s = make_scene(lab, request.param)
        s.admit()
        yield s
        s.host.close()


@pytest.fixture(scope="module")
def open_port(scene):
    """Where the host listens besides, in the clear."""
    return {v: scene.host.udp(v, OTHER_PORT) for v in (4, 6)}


# ---- the matrix

@pytest.mark.parametrize("form", FORMS)
def test_forged_outer_source_is_never_delivered(scene, form):
    """nve-c sends as nve-a, on VNIs of either and of both; also as somebody nobody knows."""
    a, c = scene.a[form], scene.c[form]
    stranger = peer_address(family(a.address), STRANGER)
    assert scene.dropped([scene.frame(c, src, vni) for src in (a.address, stranger) for vni in VNIS.values()], form)


@pytest.mark.parametrize("form", FORMS)
def test_vni_of_somebody_else_is_dropped_and_counted_by_name(scene, form):
    c = scene.c[form]
    key = ("drop.vni-not-granted", c.node, VNIS["of-a"])
    before = scene.host.backend.counters().get(key, 0)
    assert scene.dropped([scene.frame(c, c.address, VNIS["of-a"]) for _ in range(3)], form)
    assert scene.host.backend.counters()[key] == before + 3


@pytest.mark.parametrize("form", FORMS)
def test_control_what_is_granted_is_delivered(scene, form):
    a, c = scene.a[form], scene.c[form]
    frames = [scene.frame(a, a.address, VNIS["of-a"]), scene.frame(a, a.address, VNIS["of-both"]),
              scene.frame(c, c.address, VNIS["of-both"])]
    before = scene.counters()
    assert len(scene.delivered(frames, form)) == 3
    assert scene.counters() == before


@pytest.mark.parametrize("form", ["v4", "v6"])
def test_plaintext_is_not_delivered_whoever_sends_it(scene, form):
    a, c = scene.a[form], scene.c[form]
    stranger = peer_address(family(a.address), STRANGER)
    packets = [ip(src, a.local, forge.UDP, udp(src, a.local, vxlan(vni, next(markers))))
               for src in (a.address, c.address, stranger) for vni in VNIS.values()]
    assert scene.dropped(packets, form)


@pytest.mark.parametrize("form", FORMS)
def test_esp_in_the_other_encapsulation_is_not_delivered(scene, form):
    """An SA with UDP encapsulation takes no bare ESP; one without takes none in UDP."""
    c = scene.c[form]
    sealed = c.esp.seal(udp(c.address, c.local, vxlan(VNIS["of-c"], next(markers))))
    packet = ip(c.address, c.local, forge.ESP, sealed) if c.encap else \
        ip(c.address, c.local, forge.UDP, udp(c.address, c.local, sealed, 4500, 4500))
    assert scene.dropped([packet], form)


# ---- what is inside

@pytest.mark.parametrize("form", FORMS)
def test_an_sa_carries_its_channel_alone(scene, form, open_port):
    """Neither another UDP port nor TCP comes through the SA of the VXLAN channel."""
    c = scene.c[form]
    v = family(c.address)
    raw = scene.host.udp(v, 0, socket.SOCK_RAW, forge.TCP)
    tcp = forge.tcp_syn(c.address, c.local, next(markers))
    other = udp(c.address, c.local, vxlan(VNIS["of-c"], next(markers)), dport=OTHER_PORT)
    assert scene.dropped([scene.packet(c, c.address, other)], form)
    assert scene.delivered([scene.packet(c, c.address, tcp, forge.TCP)], form) == []
    # In the clear the same gets there: both would have been seen.
    for proto, payload in ((forge.UDP, other), (forge.TCP, tcp)):
        scene.host.wire.send(ip(c.address, c.local, proto, payload))
    seen = []
    for s, payload in ((open_port[v], other), (raw, tcp)):
        assert select.select([s], [], [], 20)[0]
        seen.append(s.recv(4096))
        with pytest.raises(BlockingIOError):
            s.recv(4096)
        assert seen[-1][-8:] == payload[-8:]
    raw.close()


@pytest.mark.parametrize("form", FORMS)
def test_datagrams_too_short_for_a_vni_are_dropped(scene, form):
    c = scene.c[form]
    whole = vxlan(VNIS["of-c"], b"")
    packets = [scene.packet(c, c.address, udp(c.address, c.local, whole[:n])) for n in range(7)]
    # Those that lie about their length as well.
    for n in range(3):
        lie = bytearray(udp(c.address, c.local, whole[:n]))
        struct.pack_into(">HH", lie, 4, 8 + len(whole), 0)
        packets.append(scene.packet(c, c.address, bytes(lie)))
    # Not even a UDP header.
    before = scene.counters()
    assert scene.delivered([scene.packet(c, c.address, udp(c.address, c.local, b"")[:n]) for n in range(8)], form) == []
    assert scene.delivered(packets, form) == []
    assert scene.counters()["drop.not-granted"] >= before["drop.not-granted"] + len(packets)


# ---- fragments

@pytest.mark.parametrize("form", ["v4", "v6"])
@pytest.mark.parametrize("size", [8, 512])
def test_esp_in_fragments_is_delivered(scene, form, size):
    """As a path with a small MTU makes them. What is inside is judged as a whole."""
    c = scene.c[form]
    for vni, n in ((VNIS["of-c"], 1), (VNIS["of-a"], 0)):
        payload = udp(c.address, c.local, vxlan(vni, next(markers) + bytes(600)))
        sealed = c.esp.seal(payload)
        assert len(scene.delivered(forge.ip_fragments(c.address, c.local, forge.ESP, sealed, size), form)) == n
        forged = c.esp.seal(payload)
        assert scene.delivered(forge.ip_fragments(scene.a[form].address, c.local, forge.ESP, forged, size), form) == []


INNER = {
    "tiny first": (b"", 8),            # the UDP header alone
    "two": (b"", 16),                  # with the VXLAN header
    "options first": (bytes([forge.UDP, 0, 1, 4, 0, 0, 0, 0]), 8),     # no UDP header in the first one
}


@pytest.mark.parametrize("way", INNER)
def test_fragments_inside_esp_do_not_carry_a_vni_past_the_check(scene, way):
    """IPv6 can have a fragment header inside transport-mode ESP. The kernel joins them after layer 3 saw them."""
    c = scene.c["v6"]
    options, size = INNER[way]
    proto = forge.DSTOPTS if options else forge.UDP
    for vni in (VNIS["of-a"], VNIS["of-both"] + 1):
        whole = options + udp(c.address, c.local, vxlan(vni, next(markers)))
        assert scene.delivered(inner_fragments(scene, c, proto, whole, size), "v6") == []


def inner_fragments(scene, c, proto, whole, size, cover=None):
    """One ESP packet for each fragment; cover: (offset, octets) of one more, which overlaps the first."""
    ident = int.from_bytes(next(markers)[-4:], "big")
    parts = [(at, whole[at:at + size]) for at in range(0, len(whole), size)]
    for at, part in parts[:1] + ([cover] if cover else []) + parts[1:]:
        more = at + len(part) < len(whole)
        yield scene.packet(c, c.address, forge.fragment6(proto, part, at, more, ident), forge.FRAGMENT)


@pytest.mark.parametrize("octets", [8, 16])
def test_overlapping_fragments_inside_esp_do_not_change_a_vni(scene, octets):
    """The first one has a VNI that is granted, another one is to put a different VNI in its place."""
    c = scene.c["v6"]
    whole = udp(c.address, c.local, vxlan(VNIS["of-c"], next(markers)))
    other = vxlan(VNIS["of-a"], b"")[:octets]
    got = scene.delivered(inner_fragments(scene, c, forge.UDP, whole, 16, cover=(8, other)), "v6")
    # What lies within another fragment is ignored; what overlaps only in part ends it all.
    assert [data for data in got if other[:8] in data] == [] and len(got) == (octets == 8)


@pytest.mark.parametrize("way", INNER)
def test_plaintext_in_fragments_is_not_delivered(scene, way):
    """Layer 1 sees it when it has been joined."""
    options, size = INNER[way]
    for form in ("v4", "v6"):
        c = scene.c[form]
        if options and form == "v4":
            continue
        whole = options + udp(c.address, c.local, vxlan(VNIS["of-c"], next(markers)))
        packets = forge.ip_fragments(c.address, c.local, forge.DSTOPTS if options else forge.UDP, whole, size)
        assert scene.delivered(packets, form) == []


# ---- each layer alone, and none

@pytest.fixture(scope="module")
def stage():
    with Lab("t") as lab:
        s = make_scene(lab, UdpInbox)
        yield s
        s.host.close()


@pytest.fixture
def frozen(stage):
    """All is as it should be, but the backend can't repair what is done to it."""
    stage.admit()
    stage.host.backend.popen.send_signal(signal.SIGSTOP)
    yield stage
    stage.host.backend.popen.kill()
    stage.host.backend.stop()
    stage.host.run("--remove")
    stage.host.sh("ip xfrm state flush && ip xfrm policy flush")
    stage.host.start()


def without_table(scene):
    scene.host.sh("nft delete table inet overlock")


def without_reqid(scene, form):
    """Layer 2's policies ask for some ESP, not for the peer's."""
    for p in (scene.a[form], scene.c[form]):
        scene.host.sh(f"ip xfrm policy update dir in src {p.address} dst {p.local} proto udp dport 4789 priority 1000 "
                      f"tmpl src {p.address} dst {p.local} proto esp mode transport")


def without_selector(scene, form):
    """nve-c's inbound SA as it is, but for its selector."""
    c = scene.c[form]
    reqid = re.search(r" reqid (\d+) ", scene.host.states()[c.spi_in]).group(1)
    which = f"src {c.address} dst {c.local} proto esp spi {c.spi_in}"
    scene.host.sh(f"ip xfrm state delete {which} && ip xfrm state add {which} reqid {reqid} mode transport "
                  f"replay-window 64 flag esn aead 'rfc4106(gcm(aes))' 0x{c.key_in.hex()} 128")


def without_policies(scene):
    scene.host.sh("ip xfrm policy flush")


def forged(scene, form):
    c = scene.c[form]
    return [scene.frame(c, scene.a[form].address, vni) for vni in VNIS.values()]


def counted(scene, name, do):
    """How much a counter of /proc/net/xfrm_stat grew."""
    before = scene.host.xfrm_stat().get(name, 0)
    do()
    return scene.host.xfrm_stat().get(name, 0) - before


twins = pytest.mark.parametrize("form", ["v4", "v6"])


@pytest.mark.smoke
@twins
def test_twin_without_the_table_a_vni_that_is_not_granted_is_delivered(frozen, form):
    c = frozen.c[form]
    assert frozen.delivered([frozen.frame(c, c.address, VNIS["of-a"])], form) == []
    without_table(frozen)
    assert len(frozen.delivered([frozen.frame(c, c.address, VNIS["of-a"])], form)) == 1


@pytest.mark.smoke
@twins
def test_twin_without_reqid_selector_and_table_the_forged_source_is_delivered(frozen, form):
    without_table(frozen)
    without_reqid(frozen, form)
    without_selector(frozen, form)
    assert len(frozen.delivered(forged(frozen, form), form)) == 3


@twins
def test_the_selector_of_the_sa_alone_stops_a_forged_source(frozen, form):
    without_table(frozen)
    without_reqid(frozen, form)

    def send():
        assert frozen.delivered(forged(frozen, form), form) == []
    assert counted(frozen, "XfrmInStateMismatch", send) == 3


@twins
def test_the_reqid_of_the_policy_alone_stops_a_forged_source(frozen, form):
    without_table(frozen)
    without_selector(frozen, form)

    def send():
        assert frozen.delivered(forged(frozen, form), form) == []
    assert counted(frozen, "XfrmInTmplMismatch", send) == 3


@twins
def test_the_table_alone_stops_a_forged_source(frozen, form):
    without_reqid(frozen, form)
    without_selector(frozen, form)
    assert frozen.delivered(forged(frozen, form), form) == []
    without_policies(frozen)
    assert frozen.delivered(forged(frozen, form), form) == []


def plaintext(scene, form):
    c = scene.c[form]
    return [ip(src, c.local, forge.UDP, udp(src, c.local, vxlan(VNIS["of-c"], next(markers))))
            for src in (c.address, peer_address(family(c.address), STRANGER))]


@twins
def test_policies_alone_stop_plaintext(frozen, form):
    without_table(frozen)

    def send():
        assert frozen.delivered(plaintext(frozen, form), form) == []
    assert counted(frozen, "XfrmInPolBlock", send) == 1 == counted(frozen, "XfrmInTmplMismatch", send)


@twins
def test_the_table_alone_stops_plaintext(frozen, form):
    without_policies(frozen)
    assert frozen.delivered(plaintext(frozen, form), form) == []


@pytest.mark.smoke
@twins
def test_twin_without_policies_and_table_plaintext_is_delivered(frozen, form):
    without_policies(frozen)
    without_table(frozen)
    assert len(frozen.delivered(plaintext(frozen, form), form)) == 2


@pytest.mark.smoke
def test_all_is_repaired_when_the_backend_goes_on(stage):
    """What others deleted, and what they changed of ours."""
    stage.admit()
    host = stage.host
    before = host.policies(), host.table()
    host.backend.popen.send_signal(signal.SIGSTOP)
    without_table(stage)
    for form in FORMS:
        without_reqid(stage, form)
    host.backend.popen.send_signal(signal.SIGCONT)
    # An answer comes when what was told before has been worked off.
    host.backend.ok(host.backend.authz, [])
    assert (host.policies(), host.table()) == before
    assert host.backend.counter("repair.policy") == 2 * len(FORMS) and host.backend.counter("repair.table") == 1
    without_policies(stage)
    host.backend.ok(host.backend.authz, [])
    assert (host.policies(), host.table()) == before
    for form in FORMS:
        assert stage.dropped(forged(stage, form), form)
