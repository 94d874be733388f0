# SPDX-License-Identifier: ISC
"""
What the kernel asks for: SAs when a tenant sends, and new ones when the old ones' time, ten seconds
here, is nearly over. Nobody begins unasked. Each test goes on where the one before it ended.
"""

import re
import signal

import pytest
from lab import pcapread
from lab.fleet import NS
from lab.kfleet import KernelFleet
from lab.netlab import Lab

LIFETIME = 10                          # the shortest that a document may ask for
RENEWALS = 2


def short_lived(root):
    for suite in root.iter(f"{{{NS}}}suite"):
        suite.set("lifetime", str(LIFETIME))


@pytest.fixture(scope="module", params=[pytest.param("192.0.2.0/24", id="v4", marks=pytest.mark.smoke),
                                        pytest.param("2001:db8::/64", id="v6")])
def pair(request):
    with Lab("o") as lab:
        fleet = KernelFleet(lab, vnis=(5001,), underlay=request.param)
        fleet.publish(short_lived)
        for k in (1, 2):
            fleet.configure(k, "ike", "initiate", "none")
        fleet.build()
        fleet.cap_path = lab.dir + "/underlay.pcap"
        fleet.cap = lab.capture("sw", "br0", fleet.cap_path)
        fleet.start_together(1, 2)
        for k in (1, 2):
            fleet.daemons[k].wait_line(r"document of .*serial 2", 60)
        yield fleet


def dropped(fleet):
    """Packets that both kernels have dropped for want of an SA."""
    return sum(n for k in (1, 2) for name, n in fleet.xfrm_stat(k).items() if name.endswith("NoStates"))


def test_nothing_is_begun_while_nobody_sends(pair):
    for k in (1, 2):
        assert pair.ctl(k, "sas")["sas"] == [] and pair.counter(k, "acquire") == 0
        assert [p["up"] for p in pair.ctl(k, "status")["peers"]] == [False]


def test_first_frame_of_a_tenant_brings_up_the_sas(pair):
    assert pair.tenant_ping(2, 1, 5001, timeout=30) == (3, 3)
    assert pair.counter(2, "acquire") > 0
    # What had no SA was lost, and counted.
    assert pair.xfrm_stat(2)["XfrmOutNoStates"] > 0
    for k in (1, 2):
        assert len(pair.ctl(k, "sas")["sas"]) == 2


def test_lifetime_near_its_end_brings_new_sas(pair):
    before = dropped(pair)
    ping = pair.lab.spawn("t1-5001", ["ping", "-n", "-i", "0.2", "10.1.0.2"])
    spis = {s["spi"] for s in pair.ctl(1, "sas")["sas"]}
    for _ in range(RENEWALS):
        marks = {k: pair.daemons[k].mark() for k in (1, 2)}
        for k in (1, 2):
            pair.wait_up(k, 3 - k, since=marks[k])
        now = {s["spi"] for s in pair.ctl(1, "sas")["sas"]}
        assert now - spis
        spis = now
    ping.stop(signal.SIGINT)
    sent, got = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", "\n".join(ping.lines)).groups())
    # The reply to the last ping may be on its way when ping ends.
    assert got > 0 and sent - got - 1 <= dropped(pair) - before


def test_underlay_showed_no_plaintext_at_any_moment(pair):
    pair.lab.stop_capture(pair.cap)
    census = pcapread.census(pair.cap_path)
    assert set(census) <= {"arp", "nd", "mld", "ike", "esp"} and census["esp"] > 0, census
