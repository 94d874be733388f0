# SPDX-License-Identifier: ISC
"""
The hunt for plaintext. Two NVEs with real daemons; tenants on both talk all the time, and a local
program on each sends to the protected port, IPv4 and IPv6. The switch between them counts every frame
of that port that is not ESP, while the daemons, their keys and their objects in the kernel come and go.
"""

import contextlib
import json
import os
import re
import select
import signal
import socket
import statistics

import pytest
from lab import forge, netlab
from lab.hunt import Flusher, PlaintextCounter, ethertype, tap
from lab.kfleet import NO_IPV6, KernelFleet
from lab.netlab import Lab
from lab.xfrmnl import Expirer, in_namespace

HERE = os.path.dirname(os.path.abspath(__file__))
FLOOD = os.path.join(os.path.dirname(HERE), "lab", "flood.py")
UNDERLAYS = {"v4": ("192.0.2.0/24", "2001:db8:f::{}/64"), "v6": ("2001:db8::/64", "198.18.0.{}/24")}
WINDOW_MS = 50
ROGUE = 0x88b5                       # EtherType of forge.vxlan()
ROGUE_MAC = "02:00:00:00:00:fa"
OPEN_PORT = 9999
PROCESSES = ("engine", "keys", "trust", "authz", "control", "backend")


class HuntedFleet(KernelFleet):
    """Counted from before the first NVE is linked to the switch; its hosts have addresses of the other family, too."""

    counter = None

    def __init__(self, lab, underlay):
        self.second = UNDERLAYS[underlay][1]
        super().__init__(lab, vnis=(5001,), underlay=UNDERLAYS[underlay][0])
        self.senders, self.pings = {}, {}

    def host(self, ns, k):
        if self.counter is None:
            # nva is the rogue: what it sends in clear is no finding.
            self.counter = PlaintextCounter(self.lab, "sw", but_from=ROGUE_MAC)
        super().host(ns, k)
        if ns == "nva":
            self.lab.sh(ns, "ip link set eth0 address " + ROGUE_MAC)
        else:
            self.lab.addr(ns, "eth0", self.second.format(k))

    def addresses(self, k):
        return [self.address(k), self.second.format(k).split("/")[0]]

    def start_senders(self):
        """Of tenants and of a local program, both ways."""
        for k in (1, 2):
            self.pings[k] = self.lab.spawn(f"t{k}-5001", ["ping", "-n", "-i", "0.05", f"10.1.0.{3 - k}"])
            self.senders[k] = self.lab.spawn(f"nve{k}", ["/usr/bin/python3", "-B", FLOOD, "4",
                                                         *self.addresses(3 - k)])
            self.senders[k].wait_line("^sending")

    def stop_senders(self):
        """How many datagrams each local program tried to send."""
        for p in self.pings.values():
            p.stop(signal.SIGINT)
        for p in self.senders.values():
            p.stop(signal.SIGINT)
        return [int(p.wait_line(r"tried (\d+)").group(1)) for p in self.senders.values()]

    def answered(self):
        """Wait until tenants on both sides get answers again."""
        for p in self.pings.values():
            for _ in range(3):
                p.wait_line("bytes from", 30 * self.patience, p.mark())

    def found(self):
        """What was in clear since the last call."""
        return self.counter.take()


@pytest.fixture(scope="module", params=[pytest.param("v4", marks=pytest.mark.smoke), "v6"])
def fleet(request):
    """Blocked as at boot, then with senders, then with daemons: in this order."""
    with Lab("h") as lab:
        f = HuntedFleet(lab, request.param)
        f.build()
        f.start_senders()
        f.rogue = Rogue(f)
        f.up()
        f.answered()
        f.expirers = {k: Expirer(f"{lab.prefix}-nve{k}") for k in (1, 2)}
        yield f
        for e in f.expirers.values():
            e.close()


class Rogue:
    """A host of the underlay that sends VXLAN frames in clear to nve-1, in the name of nve-2."""

    def __init__(self, fleet):
        self.fleet = fleet
        lab = fleet.lab
        mac = json.loads(lab.sh("nve1", "ip -j link show eth0"))[0]["address"]
        self.wire = forge.Wire(in_namespace(lab.prefix + "-nva", forge.Wire.socket), "eth0", ROGUE_MAC, mac)
        # What is sent to an open port comes by the same way, after all that was sent before.
        lab.sh("nve1", f"ip link add open type vxlan external dstport {OPEN_PORT} && {NO_IPV6.format('open')} && "
                       "ip link set open up")
        self.inbox, self.control = [in_namespace(lab.prefix + "-nve1", lambda d=dev: tap(
            ethertype(ROGUE), socket.if_nametoindex(d))) for dev in ("vx5001", "open")]

    def knock(self, n=5):
        """What was delivered of n frames of each family."""
        for src, dst in zip(self.fleet.addresses(2), self.fleet.addresses(1)):
            for port in (4789,) * n + (OPEN_PORT,):
                datagram = forge.udp(src, dst, forge.vxlan(5001, b"rogue"), dport=port)
                self.wire.send(forge.ip(src, dst, forge.UDP, datagram))
            assert select.select([self.control], [], [], 30)[0], "not even an open port is reached"
            self.control.recv(2048)
        got = 0
        with contextlib.suppress(BlockingIOError):
            while self.inbox.recv(2048):
                got += 1
        return got


@pytest.fixture
def clean(fleet):
    """Nothing goes out in clear, and nothing in clear is let in, from before the test until after it."""
    assert fleet.found() == []
    yield fleet
    assert fleet.rogue.knock() == 0
    assert fleet.found() == []


def test_nothing_in_clear_at_boot_and_at_the_start_of_the_daemons(clean):
    """The fixture has been there; tenants and both local programs were sending all the time."""
    for k in (1, 2):
        stat = clean.xfrm_stat(k)
        assert stat["XfrmOutPolBlock"] > 0
        assert len(sas(clean, k)) >= 2


def sas(fleet, k):
    """SPIs of the kernel's SAs, without those that are only asked for."""
    return sorted(set(fleet.kernel_sas(k)) - {"0x00000000"})


def kill(fleet, k, name):
    os.kill(fleet.process(k, name)["pid"], signal.SIGKILL)


@pytest.mark.parametrize("name", PROCESSES)
def test_nothing_in_clear_when_a_process_is_killed(clean, name):
    mark = clean.daemons[1].mark()
    kill(clean, 1, name)
    assert clean.rogue.knock() == 0
    clean.daemons[1].wait_line(rf"process {name} is up again", 30 * clean.patience, mark)
    if name in ("engine", "backend"):
        clean.wait_up(1, 2, since=mark)
    clean.answered()


def test_nothing_in_clear_when_the_whole_daemon_is_killed(clean):
    """Its other processes end by themselves, then."""
    left = [os.pidfd_open(p["pid"]) for p in clean.ctl(1, "status")["processes"]]
    clean.daemons[1].popen.kill()
    clean.daemons.pop(1).stop()
    assert clean.rogue.knock() == 0
    for fd in left:
        assert select.select([fd], [], [], 10 * clean.patience)[0]
        os.close(fd)
    clean.start(1)
    clean.wait_up(1, 2)
    clean.answered()


def test_nothing_in_clear_when_the_daemon_ends_in_order(clean):
    mark = clean.daemons[2].mark()
    assert clean.stop(1) == 0
    assert sas(clean, 1) == []
    before = blocked(clean, 1)
    assert clean.rogue.knock() == 0
    assert until_more(lambda: blocked(clean, 1), before + 50)
    clean.start(1)
    clean.wait_up(1, 2)
    clean.wait_up(2, 1, since=mark)
    clean.answered()


def blocked(fleet, k):
    """What the kernel of this host did not send for want of an SA, or because it is blocked."""
    stat = fleet.xfrm_stat(k)
    return stat.get("XfrmOutPolBlock", 0) + stat.get("XfrmOutNoStates", 0)


def until_more(read, than, tries=200):
    return any(read() > than for _ in range(tries))


def test_nothing_in_clear_when_sas_expire_and_nobody_renews_them(clean):
    """The engine sleeps while the kernel deletes its SAs."""
    engine = clean.process(1, "engine")["pid"]
    sas = clean.ctl(1, "sas")["sas"]
    mark = clean.daemons[1].mark()
    os.kill(engine, signal.SIGSTOP)
    try:
        for sa in sas:
            clean.expirers[1].expire(int(sa["spi"], 16), sa["dst"], True)
        before = blocked(clean, 1)
        assert until_more(lambda: blocked(clean, 1), before + 50)
        assert clean.rogue.knock() == 0 and clean.found() == []
    finally:
        os.kill(engine, signal.SIGCONT)
    clean.wait_up(1, 2, since=mark)
    clean.answered()


@contextlib.contextmanager
def stopped(fleet, k):
    """The backend can't repair anything: what protects is what is left."""
    pid = fleet.process(k, "backend")["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


FLUSHES = {
    "states": "ip xfrm state flush",
    "policies": "ip xfrm policy flush",
    "ruleset": "nft flush ruleset",
    "table": "nft delete table inet overlock",
}


@pytest.mark.parametrize("what", FLUSHES)
def test_nothing_in_clear_when_one_thing_is_flushed_and_nobody_repairs_it(clean, what):
    with stopped(clean, 1):
        before = attempts(clean, 1)
        clean.lab.sh("nve1", FLUSHES[what])
        assert until_more(lambda: attempts(clean, 1), before + 50)
        assert clean.rogue.knock() == 0 and clean.found() == []
    clean.answered()


def attempts(fleet, k):
    """All that was dropped on its way out, by either layer, or went out as ESP."""
    out = fleet.lab.sh(f"nve{k}", "nft list counter inet overlock out-plaintext 2>/dev/null; cat /proc/net/xfrm_stat; "
                                  "cat /proc/net/snmp")
    dropped = sum(map(int, re.findall(r"(?:packets|XfrmOutPolBlock|XfrmOutNoStates)\s+(\d+)", out)))
    return dropped + int(re.findall(r"^Ip: (.*)", out, re.M)[1].split()[9])


@pytest.mark.parametrize("what", FLUSHES)
def test_nothing_in_clear_when_one_thing_is_flushed_again_and_again(clean, what):
    for k in (1, 2, 1):
        clean.lab.sh(f"nve{k}", FLUSHES[what])
    assert clean.found() == []
    clean.answered()


def test_both_flushed_at_once_are_back_within_the_window(fleet, record_property):
    """For that long there is plaintext, if somebody sends it; afterwards there is none."""
    flusher = Flusher(f"{fleet.lab.prefix}-nve1")
    rows = []
    for _ in range(5):
        when = flusher.flush()
        back = flusher.until_repaired()
        last = max((t for _, t, _ in fleet.found()), default=when)
        rows.append({"layer_1_ms": back[1], "layer_3_ms": back[3], "plaintext_ms": round((last - when) * 1000, 2)})
        fleet.answered()
        assert fleet.found() == []
    flusher.close()
    record_property("both_flushed", rows)
    print(f"\nboth flushed at once: {rows}")
    # All figures are told; one in five may have met a busy machine.
    assert statistics.median(r["plaintext_ms"] for r in rows) <= WINDOW_MS
    assert statistics.median(min(r["layer_1_ms"], r["layer_3_ms"]) for r in rows) <= WINDOW_MS


def test_the_twin_both_flushed_and_nobody_repairs_it_there_is_plaintext(fleet):
    """The senders leave no window unused; and it ends when the backend goes on."""
    flusher = Flusher(f"{fleet.lab.prefix}-nve1")
    with stopped(fleet, 1):
        flusher.flush()
        found = fleet.counter.take(patience=20)
        assert found and {ifname for ifname, _, _ in found} == {"nve1"}
    flusher.until_repaired()
    fleet.found()
    fleet.answered()
    assert fleet.rogue.knock() == 0 and fleet.found() == []
    flusher.close()


def test_the_twin_without_protection_the_counter_counts(fleet):
    """The last test: the daemons end, and what they left is removed. Senders do as before."""
    for k in (1, 2):
        assert fleet.stop(k) == 0
    assert fleet.found() == []
    for k in (1, 2):
        fleet.lab.run(f"nve{k}", [netlab.program("xfrm-backend"), "--remove"])
    fleet.answered()
    found = fleet.found()
    for k in (1, 2):
        mine = [data for ifname, _, data in found if ifname == f"nve{k}"]
        versions = {data[14] >> 4 for data in mine}
        assert versions == {4, 6}, "both families"
        assert any(b"plaintext-of-a-flood" in data for data in mine)
        assert any(b"\x08\x00E" in data[50:100] for data in mine), "a tenant's ping"
    assert fleet.rogue.knock(5) == 5
    assert min(fleet.stop_senders()) > 500
