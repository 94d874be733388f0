# SPDX-License-Identifier: ISC
"""Who tried which VNI is noted in a set of bounded size; once it is full, what is not granted is dropped, too."""

import itertools

import pytest
from lab.forge import udp, vxlan
from lab.kbackend import KernelHost, Peer, peer_address
from lab.netlab import Lab
from test_forged import Scene, UdpInbox

BOUND = 4096
GRANTED = 200


@pytest.fixture(scope="module")
def scene():
    with Lab("d") as lab:
        host = KernelHost(lab, "reconcile=3600")
        host.address("far", 12)
        host.start()
        s = Scene(host, UdpInbox(host))
        s.c = {f"v{v}": Peer(host, f"nve-c{v}", peer_address(v, 12), [GRANTED]) for v in (4, 6)}
        host.admit(*s.c.values())
        yield s
        host.close()


def tries(scene, form, vnis):
    c = scene.c[form]
    return [scene.packet(c, c.address, udp(c.address, c.local, vxlan(vni, b"tried"))) for vni in vnis]


def test_a_full_set_of_the_denied_lets_nothing_through(scene):
    vnis = itertools.count(10000)
    sent = 0
    # Each of these sees that its own granted frame comes through behind what it tried.
    for form, n in (("v4", BOUND // 2), ("v6", BOUND // 2), ("v4", 50), ("v6", 50)):
        for _ in range(0, n, 64):
            some = list(itertools.islice(vnis, min(64, n)))
            assert scene.dropped(tries(scene, form, some), form)
            sent += len(some)
    assert sent > BOUND
    denied = scene.host.table()["denied"]
    assert len(denied) == BOUND
    # The first ones are noted, the last ones are not: dropped without.
    noted = {vni for _, vni in denied}
    assert 10000 in noted and 10000 + sent - 1 not in noted


def test_the_twin_granted_is_delivered_though_the_set_is_full(scene):
    for form in scene.c:
        got = scene.delivered(tries(scene, form, [GRANTED] * 3), form)
        assert len(got) == 3
