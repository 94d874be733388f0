# SPDX-License-Identifier: ISC
"""What `make demo` shows: a three-NVE VXLAN fleet keyed from nothing, on one machine.

Everything runs as real processes in network namespaces of its own and is removed at the end, also
after a failure or ^C.
"""

import os
import shutil
import signal
import sys
import time

from lab import netlab, pcapread
from lab.fleet import Fleet


class Failed(Exception):
    pass


class Demo:
    def __init__(self):
        self.t0 = time.monotonic()
        self.rows = []

    def step(self, title):
        print(f"\n== {title}", flush=True)

    def say(self, text):
        print(f"   [{time.monotonic() - self.t0:5.1f} s] {text}", flush=True)

    def shown(self, what, figure, ok=True):
        self.rows.append((what, figure, ok))
        self.say(f"{'ok  ' if ok else 'FAIL'} {what}: {figure}")
        if not ok:
            raise Failed(f"{what}: {figure}")

    def table(self):
        width = max(len(r[0]) for r in self.rows)
        print("\n" + "-" * (width + 46))
        for what, figure, ok in self.rows:
            print(f"{'ok  ' if ok else 'FAIL'}  {what:<{width}}  {figure}")
        print("-" * (width + 46))


def run(demo, lab, make_fleet, look_inside):
    demo.step("1. A lab: PKI, authorization document, configurations (overlock lab init)")
    fleet = make_fleet(lab)
    soon = 20 * fleet.patience
    demo.shown("lab made", f"4 device certificates, document serial {fleet.serial}, signed by the NVA")

    old_document = os.path.join(fleet.dir, "authorization.cms")

    former = fleet.publish(lambda root: Fleet.drop_node(root, 4))
    demo.say("the NVA publishes serial 2: nve-4 is gone")

    def current(root):
        Fleet.drop_node(root, 4)
        Fleet.drop_vn(root, 3, 5002)
    fleet.publish(current)
    demo.say("the NVA publishes serial 3: nve-3 is in VN 5001 only")

    demo.step("2. Hosts: an underlay bridge, the NVA's HTTPS server, four NVEs, their tenants")
    fleet.build()
    fleet.serve()
    capture = os.path.join(lab.dir, "underlay.pcap")
    cap = lab.capture("sw", "br0", capture)
    demo.shown("hosts up", f"{len(lab.namespaces)} network namespaces, capture on the underlay bridge running")

    demo.step("3. Three NVEs start; each fetches and verifies the document, then keys its peers")
    demo.say("nve-3 was broken into: its NVA is a mirror that still serves serial 2, where it had VN 5002")
    shutil.copy(former, os.path.join(fleet.www, "former.cms"))
    fleet.configure(3, "authorization", "url", "https://192.0.2.250/former.cms")
    started = time.monotonic()
    fleet.start_together(1, 2, 3)
    for k, serial in ((1, 3), (2, 3), (3, 2)):
        line = fleet.daemons[k].wait_line(rf".*serial {serial}\b.*", soon).group(0)
        demo.say(f"nve-{k}: {line.split(' info: ')[-1]}")
    pairs = [(1, 2), (1, 3), (2, 3)]
    for a, b in pairs:
        fleet.wait_up(a, b)
        fleet.wait_up(b, a)
    demo.shown("authorization fetched and verified, SAs up",
               f"3 pairs keyed {time.monotonic() - started:.1f} s after start")
    for k in (1, 2, 3):
        print(f"\nnve-{k}$ overlock sas")
        print(netlab.overlock("sas", "-s", fleet.socket(k)).stdout.rstrip())

    demo.step("4. Tenant traffic across the overlay")
    for a, b in pairs:
        sent, got = fleet.tenant_ping(a, b, 5001)
        demo.shown(f"VN 5001: tenant of nve-{a} pings tenant of nve-{b}", f"{got}/{sent}", got == sent)
    sent, got = fleet.tenant_ping(1, 2, 5002)
    demo.shown("VN 5002: tenant of nve-1 pings tenant of nve-2", f"{got}/{sent}", got == sent)

    look_inside(demo, fleet)

    demo.step("5. A fourth NVE: valid device certificate, but no entry in the document any more")
    fleet.configure(4, "authorization", "url", "file://" + old_document)
    fleet.configure(4, "ike", "initiate", "all")
    mark = {k: fleet.daemons[k].mark() for k in (1, 2, 3)}
    d4 = fleet.start(4)
    fleet.daemons[1].wait_line(r"no node of the document", soon, mark[1])
    d4.wait_line(r"AUTHENTICATION_FAILED", soon)
    said = fleet.daemons[1].saw(r"no node of the document", mark[1])[0]
    demo.say(f"nve-1: {said.split('warning: ')[-1]}")
    sent, got = fleet.tenant_ping(4, 1, 5001, count=2, timeout=3)
    demo.shown("nve-4 refused", f"IKE_AUTH answered AUTHENTICATION_FAILED, tenant ping {got}/{sent}", got == 0)
    fleet.stop(4)

    demo.step("6. The compromised NVE: nve-3 injects VN 5002, which the document does not grant it")
    sent, got = fleet.tenant_ping(3, 1, 5001)
    demo.shown("nve-3 may still use VN 5001", f"{got}/{sent}", got == sent)
    sent, got = fleet.tenant_ping(3, 1, 5002, count=3, timeout=4)
    counters = fleet.ctl(1, "counters")
    dropped = sum(c["value"] for c in counters["backend"]
                  if c["name"] == "drop.vni-not-granted" and c["node"] == "nve-3" and c["vni"] == 5002)
    demo.shown("VN 5002 from nve-3 dropped at the egress NVE",
               f"tenant ping {got}/{sent}, counter drop.vni-not-granted nve-3 5002 = {dropped}",
               got == 0 and dropped > 0)

    demo.step("7. What the underlay saw")
    lab.stop_capture(cap)
    for k in list(fleet.daemons):
        fleet.stop(k)
    census = pcapread.census(capture)
    allowed = {"arp", "nd", "mld", "ike", "esp", "esp-udp", "https"}
    foreign = {c: n for c, n in census.items() if c not in allowed}
    demo.shown("underlay holds, besides ARP/ND/MLD, only IKE, ESP and HTTPS",
               ", ".join(f"{c} {n}" for c, n in sorted(census.items())) + (f"; FOREIGN {foreign}" if foreign else ""),
               not foreign and census["ike"] > 0 and census["esp"] > 0 and census["https"] > 0)


def tell(make_fleet, look_inside=lambda demo, fleet: None):
    """
    Tell the story on make_fleet(lab), a fleet of four NVEs; look_inside(demo, fleet) shows more of it
    when tenants have spoken. Exit status 0 only if every step showed what it says.
    """
    if os.geteuid() != 0:
        print("make demo makes network namespaces and raw sockets: run it as root", file=sys.stderr)
        return 2

    def interrupted(signum, _frame):
        raise KeyboardInterrupt(signal.Signals(signum).name)
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    demo = Demo()
    try:
        with netlab.Lab("d") as lab:
            try:
                run(demo, lab, make_fleet, look_inside)
            except (Failed, netlab.LabError) as e:
                print(f"\ndemo failed: {e}", file=sys.stderr)
                for p in lab.processes:
                    print(f"--- {' '.join(p.argv[-3:])}", *p.lines[-12:], sep="\n    ", file=sys.stderr)
                return 1
    except KeyboardInterrupt:
        print("\ninterrupted; everything made was removed", file=sys.stderr)
        return 130
    demo.table()
    print(f"demo: all {len(demo.rows)} steps shown in {time.monotonic() - demo.t0:.0f} s; everything made was removed")
    return 0

