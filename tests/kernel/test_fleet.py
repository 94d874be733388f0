# SPDX-License-Identifier: ISC
"""Real daemons that key the kernel's VXLAN devices, and a mixed fleet: tenants, figures, the underlay."""

import pytest
from lab import pcapread
from lab.kfleet import KernelFleet, agreed
from lab.netlab import Lab, overlock, sanitized

NET_ADMIN = 1 << 12
V6 = "2001:db8::/64"
FLEETS = {
    "v4": {},
    "v6": {"underlay": V6},
    "v4-udp": {"encap": True},
    "v6-udp": {"underlay": V6, "encap": True},
    "port-8472": {"port": 8472},
    "kernel-pcap": {"kernel": [1]},
    "pcap-kernel": {"kernel": [2]},
    "kernel-pcap-v6": {"kernel": [1], "underlay": V6},
    "kernel-pcap-udp": {"kernel": [1], "encap": True},
    "pcap-kernel-udp": {"kernel": [2], "encap": True},
    "pcap-kernel-v6-udp": {"kernel": [2], "underlay": V6, "encap": True},
}
PARAMS = [pytest.param(kw, id=name, marks=[pytest.mark.smoke] if name == "v4" else [])
          for name, kw in FLEETS.items()]


@pytest.fixture(scope="module", params=PARAMS)
def pair(request):
    """Two NVEs, up, with the underlay captured from before the first datagram."""
    with Lab("f") as lab:
        fleet = KernelFleet(lab, vnis=(5001,), **request.param)
        fleet.encap = request.param.get("encap", False)
        fleet.build()
        fleet.cap_path = lab.dir + "/underlay.pcap"
        fleet.cap = lab.capture("sw", "br0", fleet.cap_path)
        fleet.up()
        yield fleet


def sas(fleet, k):
    """{direction: SA}; there is one pair."""
    found = fleet.ctl(k, "sas")["sas"]
    assert sorted(s["direction"] for s in found) == ["in", "out"]
    return {s["direction"]: s for s in found}


@pytest.mark.parametrize("size", [56, 1300])
def test_tenants_reach_each_other(pair, size):
    sent, got = pair.tenant_ping(1, 2, 5001, size=size, timeout=20)
    assert got == sent


def test_tcp_crosses_the_overlay(pair):
    code = ("import socket\n"
            "s = socket.create_server(('10.1.0.2', 9000)); print('listening', flush=True)\n"
            "c, _ = s.accept(); n = 0\n"
            "while d := c.recv(65536): n += len(d)\n"
            "print('got', n, flush=True)")
    server = pair.lab.spawn("t2-5001", ["/usr/bin/python3", "-c", code])
    server.wait_line("listening")
    pair.lab.run("t1-5001", ["/usr/bin/python3", "-c",
                             "import socket; s=socket.create_connection(('10.1.0.2',9000),30); "
                             "s.sendall(bytes(300000))"])
    assert server.wait_line(r"got (\d+)").group(1) == "300000"


def test_spis_and_counters_agree_on_both_ends(pair):
    pair.tenant_ping(1, 2, 5001, timeout=20)
    one, two = agreed(lambda: [{d: (s["spi"], s["packets"], s["bytes"], s["encap"], s["mode"], s["src"], s["dst"])
                                for d, s in sas(pair, k).items()} for k in (1, 2)])
    for a, b in ((one, two), (two, one)):
        spi, packets, _, encap, mode, src, dst = a["out"]
        assert packets > 0 and (encap, mode) == (pair.encap, "transport")
        assert b["in"][:2] == (spi, packets) and b["in"][3:] == (encap, mode, src, dst)


def test_figures_are_those_of_the_kernel(pair):
    def read(k):
        ours = {s["spi"]: (s["packets"], s["bytes"]) for s in sas(pair, k).values()}
        kernel = {spi: (s["packets"], s["bytes"]) for spi, s in pair.kernel_sas(k).items()}
        return ours, kernel
    for k in pair.kernel:
        ours, kernel = agreed(lambda k=k: read(k))
        assert ours == kernel


def test_each_sa_of_the_kernel_has_selector_reqid_and_replay_window(pair):
    for k in pair.kernel:
        both = [s["text"] for s in pair.kernel_sas(k).values()]
        assert len(both) == 2
        for text in both:
            assert f"dport {pair.port}" in text and "proto udp" in text and "mode transport" in text, text
            assert ("encap type espinudp sport 4500 dport 4500" in text) == pair.encap, text
            assert "flag" in text and "esn" in text, text
        # One reqid per peer, both ways.
        assert len({text.split("reqid ")[1].split()[0] for text in both}) == 1


def test_status_names_the_peer_and_counters_show_the_kernels_figures(pair):
    for k in pair.kernel:
        status = pair.ctl(k, "status")
        (peer,) = status["peers"]
        assert peer["up"] and peer["node"] == f"nve-{3 - k}" and status["alarms"] == []
        nft, stat = pair.lab.sh(f"nve{k}", "nft list table inet overlock"), pair.xfrm_stat(k)
        counters = {c["name"]: c["value"] for c in pair.ctl(k, "counters")["backend"] if c["node"] == ""}
        assert counters["in.packets"] > 0 and f"packets {counters['in.packets']} " in nft
        assert counters["drop.plaintext"] == counters["drop.plaintext-out"] == counters["drop.not-granted"] == 0
        assert counters["policies"] > 0 and counters["policies.missing"] == counters["policies.shadowed"] == 0
        assert {"kernel.XfrmInNoStates", "kernel.XfrmOutPolBlock"} <= set(counters)
        for name in ("XfrmInNoStates", "XfrmOutPolBlock", "XfrmInTmplMismatch"):
            assert counters["kernel." + name] == stat.get(name, 0)
        assert "in.packets" in overlock("counters", "-s", pair.socket(k)).stdout


def test_the_backend_has_cap_net_admin_and_nobody_else_anything(pair):
    """As the kernel sees them; the parent, which starts the others, is the exception."""
    for k in pair.kernel:
        for p in pair.ctl(k, "status")["processes"]:
            with open(f"/proc/{p['pid']}/status", encoding="ascii") as f:
                st = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
            assert int(st["NoNewPrivs"]) == 1 and int(st["Seccomp"]) == 2, p
            if p["name"] == "parent":
                continue
            assert "0" not in st["Uid"].split() and "0" not in st["Gid"].split(), p
            caps = NET_ADMIN if p["name"] == "backend" else 0
            assert int(st["CapEff"], 16) == int(st["CapPrm"], 16) == caps, p
            assert (int(st["CapInh"], 16) | int(st["CapAmb"], 16)) & ~caps == 0, p
            assert p["not_dropped"] == "" or sanitized(), p


def test_underlay_carries_only_ike_and_esp(pair):
    marker = b"tenant-secret-04"
    pair.lab.run("t1-5001", ["ping", "-n", "-c", "2", "-p", marker.hex(), "10.1.0.2"])
    pair.lab.stop_capture(pair.cap)
    census = pcapread.census(pair.cap_path, vxlan_ports=(4789, 8472))
    esp, other = ("esp-udp", "esp") if pair.encap else ("esp", "esp-udp")
    assert set(census) <= {"arp", "nd", "mld", "ike", esp}, census
    assert census[esp] > 20 and census["ike"] >= 4 and census[other] == 0
    assert pcapread.holds(pair.cap_path, marker) == 0


def test_the_twin_a_tenant_port_shows_the_payload_in_clear(pair):
    path = pair.lab.dir + "/tenant.pcap"
    cap = pair.lab.capture("t2-5001", "eth0", path)
    pair.lab.run("t1-5001", ["ping", "-n", "-c", "2", "-p", b"tenant-secret-04".hex(), "10.1.0.2"])
    pair.lab.stop_capture(cap)
    assert pcapread.holds(path, b"tenant-secret-04") > 0
