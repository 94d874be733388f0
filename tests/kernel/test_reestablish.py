# SPDX-License-Identifier: ISC
"""
100 times new Child SAs under a running ping, in four ways. The underlay never shows plaintext, and
each packet that is lost was counted by a kernel, under a name that says why.
"""

import itertools
import re
import signal
from collections import Counter

import pytest
from lab import pcapread
from lab.kfleet import KernelFleet, agreed
from lab.netlab import Lab, overlock
from lab.xfrmnl import Expirer

INTERVAL = 0.05
# Why a packet is lost: no SA yet where it shall leave; and no SA any more, or not yet, where it came to.
WHY = {"XfrmOutNoStates", "XfrmInNoStates"}


@pytest.fixture(scope="module")
def pair():
    with Lab("r") as lab:
        fleet = KernelFleet(lab, vnis=(5001,))
        fleet.build()
        fleet.cap_path = lab.dir + "/underlay.pcap"
        fleet.cap = lab.capture("sw", "br0", fleet.cap_path)
        fleet.up()
        fleet.expirers = {k: Expirer(f"{lab.prefix}-nve{k}") for k in (1, 2)}
        yield fleet
        for e in fleet.expirers.values():
            e.close()


def out_sa(fleet, k):
    return next(s for s in fleet.ctl(k, "sas")["sas"] if s["direction"] == "out")


def expire(fleet, k, hard):
    sa = out_sa(fleet, k)
    fleet.expirers[k].expire(int(sa["spi"], 16), sa["dst"], hard)


def soft(fleet, _):
    """The lifetime nears its end: new SAs come up beside the old ones. Who began the IKE SA does it."""
    begun_by_1 = fleet.ctl(1, "status")["peers"][0]["ike_sa"]["initiator"]
    expire(fleet, 1 if begun_by_1 else 2, False)


def hard(fleet, n):
    """The lifetime is over, at either end: the kernel has deleted the SA."""
    expire(fleet, 1 + n % 2, True)


def command(fleet, n):
    """Closed and begun again by the operator."""
    k = 1 + n % 2
    overlock("peer", "close", "-s", fleet.socket(k), f"nve-{3 - k}")
    overlock("peer", "initiate", "-s", fleet.socket(k), f"nve-{3 - k}")


def flush(fleet, n):
    """Another program flushes the SAs of one host."""
    fleet.lab.sh(f"nve{1 + n % 2}", "ip xfrm state flush")


def drops(fleet):
    """What both kernels have dropped, by reason."""
    return Counter({f"nve-{k} {name}": n for k in (1, 2) for name, n in fleet.xfrm_stat(k).items()
                    if name != "XfrmAcquireError"})


def pair_of(fleet):
    """SPIs per host when both have one pair of SAs, the same; else None."""
    both = [{s["spi"] for s in fleet.ctl(k, "sas")["sas"]} for k in (1, 2)]
    return both[0] if both[0] == both[1] and len(both[0]) == 2 else None


def settle(fleet, old):
    """Wait until one new pair of SAs is all there is on both hosts."""
    for _ in range(200):
        new = pair_of(fleet)
        if new and not new & old:
            return new
    raise AssertionError(f"no new pair of SAs: {[fleet.ctl(k, 'sas') for k in (1, 2)]}")


@pytest.mark.parametrize("way, times", [(soft, 40), (hard, 20), (command, 20), (flush, 20)],
                         ids=["soft-40", "hard-20", "command-20", "flush-20"])
def test_new_sas_under_ping(pair, way, times, record_testsuite_property):
    spis = settle(pair, set())
    before = agreed(lambda: drops(pair))
    ping = pair.lab.spawn("t1-5001", ["ping", "-n", "-i", str(INTERVAL), "10.1.0.2"])
    ping.wait_line(r"icmp_seq=3 ", 30)
    for n in range(times):
        way(pair, n)
        spis = settle(pair, spis)
    ping.wait_line(r"bytes from", 30, ping.mark())
    ping.stop(signal.SIGINT)
    sent, got = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", "\n".join(ping.lines)).groups())
    answered = {int(m.group(1)) for line in ping.lines if (m := re.search(r"icmp_seq=(\d+) ", line))}
    counted = agreed(lambda: drops(pair)) - before
    figures = {"renewals": times, "sent": sent, "lost": sent - got, "longest_gap_pings": longest(answered, sent),
               **counted}
    record_testsuite_property(f"lost by {way.__name__}", figures)
    print(f"\n{way.__name__}: {figures}")
    # The reply to the last ping may be on its way when ping ends.
    assert sent - got - 1 <= sum(counted.values()), figures
    assert {name.split()[1] for name in counted} <= WHY, figures
    # On its way to nowhere, what has no SA comes by the table, which tells it from plaintext.
    for k in (1, 2):
        assert pair.counter(k, "drop.plaintext-out") == 0
        assert pair.counter(k, "drop.no-sa") <= pair.xfrm_stat(k).get("XfrmOutNoStates", 0)


def longest(answered, sent):
    """The longest row of pings without an answer."""
    return max((len(list(g)) for gone, g in itertools.groupby(range(1, sent + 1), lambda i: i not in answered) if gone),
               default=0)


def test_the_underlay_never_showed_plaintext(pair):
    pair.lab.stop_capture(pair.cap)
    census = pcapread.census(pair.cap_path)
    assert set(census) <= {"arp", "nd", "mld", "ike", "esp"}, census
    assert census["esp"] > 1000
