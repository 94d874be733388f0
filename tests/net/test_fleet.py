# SPDX-License-Identifier: ISC
"""Real daemons on the pcap backend: keys, tenants, what the underlay shows, who is refused."""

import pytest
from lab import netlab, pcapread
from lab.fleet import Fleet


@pytest.fixture(scope="module")
def pair():
    """Two NVEs in VNs 5001 and 5002, up, with the underlay captured."""
    with netlab.Lab("f") as lab:
        fleet = Fleet(lab, nodes=2)
        fleet.build()
        fleet.serve()
        fleet.cap_path = lab.dir + "/underlay.pcap"
        fleet.cap = lab.capture("sw", "br0", fleet.cap_path)
        fleet.start_together(1, 2)
        fleet.wait_up(1, 2)
        fleet.wait_up(2, 1)
        yield fleet


@pytest.mark.parametrize("vni", [5001, 5002])
def test_tenants_of_one_vn_reach_each_other(pair, vni):
    sent, got = pair.tenant_ping(1, 2, vni, size=1300)
    assert got == sent


def test_tenants_of_different_vns_do_not_reach_each_other(pair):
    pair.lab.sh("t1-5001", "ip addr add 10.2.0.77/24 dev eth0")
    _, got = pair.lab.ping("t1-5001", "10.2.0.2", count=2, timeout=3)
    assert got == 0


def test_tcp_crosses_the_overlay(pair):
    lab = pair.lab
    code = ("import socket\n"
            "s = socket.create_server(('10.1.0.2', 9000)); print('listening', flush=True)\n"
            "c, _ = s.accept(); n = 0\n"
            "while d := c.recv(65536): n += len(d)\n"
            "print('got', n, flush=True)")
    server = lab.spawn("t2-5001", ["/usr/bin/python3", "-c", code])
    server.wait_line("listening")
    lab.run("t1-5001", ["/usr/bin/python3", "-c",
                        "import socket; s=socket.create_connection(('10.1.0.2',9000),10); "
                        "s.sendall(bytes(1000000))"])
    assert server.wait_line(r"got (\d+)").group(1) == "1000000"


def test_spis_and_counters_agree_on_both_ends(pair):
    pair.tenant_ping(1, 2, 5001)
    one = {s["direction"]: s for s in pair.ctl(1, "sas")["sas"]}
    two = {s["direction"]: s for s in pair.ctl(2, "sas")["sas"]}
    assert one["in"]["spi"] == two["out"]["spi"] and one["out"]["spi"] == two["in"]["spi"]
    assert one["in"]["spi"] != one["out"]["spi"]
    assert two["in"]["packets"] > 0 and one["in"]["packets"] > 0
    assert two["in"]["packets"] <= one["out"]["packets"]


def test_status_names_the_peer_the_document_and_no_alarm(pair):
    status = pair.ctl(1, "status")
    assert status["schema_version"] == 1
    assert status["document"]["serial"] == 1 and status["document"]["loaded"]
    assert status["alarms"] == []
    (peer,) = status["peers"]
    assert peer["node"] == "nve-2" and peer["configured"] and peer["up"]
    assert peer["ike_sa"]["identity"] == "dns:nve-2.dc1.example"
    human = netlab.overlock("status", "-s", pair.socket(1)).stdout
    assert "nve-2" in human and "serial 1" in human


def keeps_root(name):
    return netlab.sanitized() and name in ("engine", "keys", "trust", "control")


def test_every_process_runs_without_privilege_and_under_a_filter(pair):
    """Uid, capabilities, no_new_privs and seccomp as the kernel sees them; the parent is the exception."""
    processes = {p["name"]: p for p in pair.ctl(1, "status")["processes"]}
    assert {"engine", "keys", "trust", "authz", "backend", "control"} <= set(processes)
    for name, p in processes.items():
        with open(f"/proc/{p['pid']}/status", encoding="ascii") as f:
            st = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        assert int(st["NoNewPrivs"]) == 1, name
        assert int(st["Seccomp"]) == 2, name
        raw, admin = 1 << 13, 1 << 12
        if name == "parent":
            assert int(st["CapEff"], 16) & (raw | admin) == raw
            continue
        assert set(st["Uid"].split()) != {"0"}, name
        assert int(st["CapEff"], 16) == (raw if name == "backend" else 0), name
        # LeakSanitizer reads /proc, so such a build keeps its root folder and says so.
        assert p["not_dropped"] == ("chroot (sanitizer build)" if keeps_root(name) else ""), name


def test_the_twin_an_ordinary_process_has_no_filter(pair):
    with open(f"/proc/{pair.server.pid}/status", encoding="ascii") as f:
        st = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    assert int(st["Seccomp"]) == 0 and int(st["NoNewPrivs"]) == 0


def test_underlay_carries_only_ike_esp_and_https(pair):
    marker = b"tenant-secret-0451"
    pair.lab.run("t1-5001", ["ping", "-n", "-c", "2", "-p", marker[:16].hex(), "10.1.0.2"])
    pair.lab.stop_capture(pair.cap)
    census = pcapread.census(pair.cap_path)
    assert set(census) <= {"arp", "nd", "mld", "ike", "esp", "https"}
    assert census["esp"] > 0 and census["ike"] >= 4
    assert pcapread.holds(pair.cap_path, marker[:16]) == 0


def test_the_twin_a_tenant_port_shows_the_payload_in_clear(pair):
    """The same search finds the octets where no ESP is: the search can succeed."""
    path = pair.lab.dir + "/tenant.pcap"
    cap = pair.lab.capture("t2-5001", "eth0", path)
    pair.lab.run("t1-5001", ["ping", "-n", "-c", "2", "-p", b"tenant-secret-04".hex(), "10.1.0.2"])
    pair.lab.stop_capture(cap)
    assert pcapread.holds(path, b"tenant-secret-04") > 0


def inject(fleet, lab, granted):
    """NVE 2 sends frames of VN 5002 to NVE 1, whose document does or does not grant it that VN."""
    old = fleet.dir + "/authorization.cms"
    if not granted:
        fleet.publish(lambda root: Fleet.drop_vn(root, 2, 5002))
    fleet.configure(2, "authorization", "url", "file://" + old)
    for k in (1, 2):
        fleet.start(k)
    fleet.wait_up(1, 2)
    fleet.wait_up(2, 1)
    assert fleet.tenant_ping(2, 1, 5001) == (3, 3)
    _, got = fleet.tenant_ping(2, 1, 5002, count=3, timeout=4)
    dropped = sum(c["value"] for c in fleet.ctl(1, "counters")["backend"]
                  if c["name"] == "drop.vni-not-granted" and c["vni"] == 5002 and c["node"] == "nve-2")
    return got, dropped


def test_vni_that_the_sender_is_not_granted_is_dropped_at_egress():
    with netlab.Lab("f") as lab:
        fleet = Fleet(lab, nodes=2)
        fleet.build()
        fleet.serve()
        got, dropped = inject(fleet, lab, granted=False)
        assert got == 0 and dropped > 0


def test_the_twin_the_same_vni_granted_passes():
    with netlab.Lab("f") as lab:
        fleet = Fleet(lab, nodes=2)
        fleet.build()
        fleet.serve()
        got, dropped = inject(fleet, lab, granted=True)
        assert got == 3 and dropped == 0


@pytest.mark.parametrize("entry", [False, True], ids=["no entry", "twin: entry"])
def test_valid_certificate_needs_an_entry(entry):
    with netlab.Lab("f") as lab:
        fleet = Fleet(lab, nodes=2)
        old = fleet.dir + "/authorization.cms"
        if not entry:
            fleet.publish(lambda root: Fleet.drop_node(root, 2))
        fleet.configure(2, "authorization", "url", "file://" + old)
        fleet.configure(2, "ike", "initiate", "all")
        fleet.build()
        fleet.serve()
        one, two = fleet.start(1), fleet.start(2)
        if entry:
            fleet.wait_up(1, 2)
        else:
            one.wait_line("no node of the document")
            two.wait_line("AUTHENTICATION_FAILED")
            assert fleet.ctl(1, "sas")["sas"] == []
        _, got = fleet.tenant_ping(2, 1, 5001, count=3, timeout=4)
        assert (got == 3) == entry


@pytest.mark.parametrize("foreign", [True, False], ids=["foreign CA", "twin: own CA"])
def test_certificate_of_another_ca_is_refused(foreign):
    """The intruder copies a name of the document into a certificate of its own CA."""
    with netlab.Lab("f") as lab:
        fleet = Fleet(lab, nodes=2)
        if foreign:
            rogue = lab.dir + "/rogue"
            netlab.overlock("lab", "init", rogue, "--nodes", 2, "--vn", "5001,5002", "--underlay", "192.0.2.0/24")
            for part in ("nve-2.crt", "nve-2.key"):
                with open(f"{rogue}/nve-2/{part}", "rb") as src, open(f"{fleet.dir}/nve-2/{part}", "wb") as dst:
                    dst.write(src.read())
            # it would not start with a certificate that its own device-ca did not issue
            with open(f"{rogue}/nve-2/device-ca.crt", "rb") as a, open(f"{fleet.dir}/nve-2/device-ca.crt", "ab") as b:
                b.write(a.read())
        fleet.configure(2, "ike", "initiate", "all")
        fleet.build()
        fleet.serve()
        one = fleet.start(1)
        two = fleet.start(2)
        if not foreign:
            fleet.wait_up(1, 2)
            return
        two.wait_line("AUTHENTICATION_FAILED")
        one.wait_line("chain|issuer|anchor")
        assert fleet.ctl(1, "sas")["sas"] == []
