# SPDX-License-Identifier: ISC
"""
The VNI of every packet against the grant of who sent it, in the kernel: nve-2 was broken into, works
by an old document and sends frames of VN 5002. Each test goes on where the one before it ended.
"""

import contextlib
import os
import signal
import time

import pytest
from lab.kfleet import KernelFleet, agreed
from lab.netlab import Lab

pytestmark = pytest.mark.smoke

SECONDS = 5                            # for a new document to be enforced everywhere


@pytest.fixture(scope="module")
def fleet():
    with Lab("v") as lab:
        f = KernelFleet(lab)
        f.configure(2, "authorization", "url", "file://" + f.dir + "/authorization.cms")
        f.configure(1, "authorization", "refresh", 1)
        f.publish(lambda root: f.drop_vn(root, 2, 5002))
        f.build()
        f.start(2).wait_line(r" is up, node ", 60)
        f.start(1)
        f.wait_up(1, 2)
        f.wait_up(2, 1)
        yield f


def inject(fleet):
    """Pings of VN 5002 from nve-2 that came through, of 3, and how many packets nve-1 dropped for their VNI."""
    before = fleet.counter(1, "drop.vni-not-granted", "nve-2", 5002)
    _, got = fleet.tenant_ping(2, 1, 5002, timeout=4)
    return got, fleet.counter(1, "drop.vni-not-granted", "nve-2", 5002) - before


def until(fleet, passes):
    """Seconds until a ping of VN 5002 passes, or does not any more."""
    start = time.monotonic()
    while time.monotonic() - start < 20 * fleet.patience:
        if (fleet.tenant_ping(2, 1, 5002, count=1, timeout=1)[1] == 1) == passes:
            return time.monotonic() - start
    raise AssertionError("the document is not followed")


@contextlib.contextmanager
def stopped_backend(fleet, k):
    """Its xfrm-backend can't repair what is done meanwhile."""
    pid = fleet.process(k, "backend")["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_vni_that_is_granted_passes(fleet):
    assert fleet.tenant_ping(2, 1, 5001, timeout=20) == (3, 3)
    assert fleet.counter(1, "drop.vni-not-granted") == 0


def test_vni_that_the_sender_is_not_granted_is_dropped_and_counted(fleet):
    got, dropped = inject(fleet)
    assert got == 0 and dropped > 0
    # All that was dropped is told of by node and VN; and what is granted passes meanwhile.
    names = ("drop.not-granted", "drop.vni-not-granted")
    everything, told = agreed(lambda: [fleet.counter(1, name) for name in names])
    assert everything == told >= dropped
    assert fleet.tenant_ping(2, 1, 5001, timeout=20) == (3, 3)


def test_the_twin_without_the_table_the_same_frames_are_delivered(fleet):
    with stopped_backend(fleet, 1):
        fleet.lab.sh("nve1", "nft delete table inet overlock")
        assert fleet.tenant_ping(2, 1, 5002, timeout=20) == (3, 3)


def test_the_table_comes_back_by_itself_and_drops_again(fleet):
    fleet.daemons[1].wait_line(r"table.*overlock", 20)
    got, dropped = inject(fleet)
    assert got == 0 and dropped > 0
    assert "vni4" in fleet.lab.sh("nve1", "nft list table inet overlock")


def test_the_twin_granted_by_a_new_document_passes_within_seconds(fleet):
    spis = {s["spi"] for s in fleet.ctl(1, "sas")["sas"]}
    fleet.publish(lambda root: None)
    took = until(fleet, True)
    got, dropped = inject(fleet)
    assert (got, dropped) == (3, 0) and took < SECONDS * fleet.patience
    assert {s["spi"] for s in fleet.ctl(1, "sas")["sas"]} == spis


def test_new_document_that_takes_the_vni_away_ends_delivery_within_seconds(fleet):
    spis = {s["spi"] for s in fleet.ctl(1, "sas")["sas"]}
    fleet.publish(lambda root: fleet.drop_vn(root, 2, 5002))
    took = until(fleet, False)
    got, dropped = inject(fleet)
    assert got == 0 and dropped > 0 and took < SECONDS * fleet.patience
    assert {s["spi"] for s in fleet.ctl(1, "sas")["sas"]} == spis
    assert fleet.tenant_ping(2, 1, 5001, timeout=20) == (3, 3)
