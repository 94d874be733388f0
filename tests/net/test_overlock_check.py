# SPDX-License-Identifier: ISC
"""`overlock check`: each finding with its opposite."""

import json
import os
import re
import shutil
import subprocess

import pytest
from lab import netlab
from lab.fleet import Fleet


@pytest.fixture(scope="module")
def fleet():
    with netlab.Lab("k") as lab:
        f = Fleet(lab, nodes=2)
        f.build(tenants={1: [5001]})
        f.configure(1, "backend", "tenant.5002", None)
        f.configure(1, "daemon", "user", "nobody")
        f.configure(1, "authorization", "url", "file://" + os.path.join(f.www, "authorization.cms"))
        for where in (lab.dir, f.dir, f.www, os.path.join(f.dir, "nve-1")):
            os.chmod(where, 0o755)
        lab.sh("nve1", "ip link set ten5001 mtu 1400")
        yield f


@pytest.fixture
def spoil(fleet):
    """Changes what the test likes; the configuration and the document are put back afterwards."""
    saved = os.path.join(fleet.dir, "saved")
    shutil.copytree(os.path.join(fleet.dir, "nve-1"), saved)
    yield fleet
    shutil.rmtree(os.path.join(fleet.dir, "nve-1"))
    shutil.move(saved, os.path.join(fleet.dir, "nve-1"))
    fleet.publish_file(os.path.join(fleet.dir, "authorization.cms"))


def findings_of(r):
    return [(f["level"], f["topic"], f["text"]) for f in json.loads(r.stdout)["findings"]]


def check(fleet, status):
    """Findings as (level, topic, text), after the exit status was looked at."""
    r = netlab.overlock("check", "--json", fleet.conf(1), check=False, ns="nve1", lab=fleet.lab)
    assert r.returncode == status, r.stdout + r.stderr
    answer = json.loads(r.stdout)
    assert answer["schema_version"] == 1
    assert answer["ok"] == (status == 0)
    return findings_of(r)


def has(findings, level, topic, says=""):
    return any(a == level and b == topic and re.search(says, c) for a, b, c in findings)


def test_good_host_has_no_complaint(fleet):
    findings = check(fleet, 0)
    assert all(level == "ok" for level, _, _ in findings), findings
    for topic in ("certificate", "private key", "document", "identity", "underlay", "clock", "MTU", "port",
                  "raw sockets"):
        assert has(findings, "ok", topic), topic


def test_words_say_the_same_as_json(fleet):
    r = netlab.overlock("check", fleet.conf(1), ns="nve1", lab=fleet.lab)
    assert len(r.stdout.splitlines()) == len(check(fleet, 0))


@pytest.mark.parametrize("local, encap, fits", [
    ("192.0.2.1", "no", 1416), ("192.0.2.1", "yes", 1408),
    ("2001:db8::1", "no", 1396), ("2001:db8::1", "yes", 1388),
])
def test_mtu_arithmetic(spoil, local, encap, fits):
    spoil.configure(1, "backend", "local", local)
    spoil.configure(1, "ike", "force-encap", encap)
    spoil.lab.sh("nve1", "ip addr add 2001:db8::1/128 dev lo nodad")
    try:
        spoil.lab.sh("nve1", f"ip link set ten5001 mtu {fits}")
        assert has(check(spoil, 0), "ok", "MTU", f"has MTU {fits}, {fits} fits")
        spoil.lab.sh("nve1", f"ip link set ten5001 mtu {fits + 1}")
        assert has(check(spoil, 0), "warn", "MTU", f"set {fits} there")
    finally:
        spoil.lab.sh("nve1", "ip link set ten5001 mtu 1400")
        spoil.lab.sh("nve1", "ip addr del 2001:db8::1/128 dev lo")


def test_node_that_is_not_in_the_document(spoil):
    spoil.publish(lambda root: spoil.drop_node(root, 1))
    assert has(check(spoil, 1), "fail", "node", "not in the document")


def test_certificate_of_another_node(spoil):
    for name in ("crt", "key"):
        shutil.copy(os.path.join(spoil.dir, "nve-2", f"nve-2.{name}"),
                    os.path.join(spoil.dir, "nve-1", f"nve-1.{name}"))
    assert has(check(spoil, 1), "fail", "identity", "is node nve-2's")


def test_underlay_address_that_is_not_ours(spoil):
    def move(root):
        spoil.node(root, 1).find("{*}underlay").text = "192.0.2.77"
    spoil.publish(move)
    findings = check(spoil, 1)
    assert has(findings, "fail", "underlay", "192.0.2.77.*no address of this host")


def test_document_that_is_none(spoil):
    path = os.path.join(spoil.lab.dir, "odd")
    with open(path, "w", encoding="ascii") as f:
        f.write("not a document")
    spoil.publish_file(path)
    assert has(check(spoil, 1), "fail", "document")


def test_options_of_the_backend(spoil):
    for key, value, says in (("wire", None, r"ikev2d.conf:\d+: wire is missing"),
                             ("mac-age", "soon", r"ikev2d.conf:\d+: mac-age = soon: give seconds"),
                             ("wier", "eth0", r"wier: pcap-backend has no such option")):
        before = open(spoil.conf(1), encoding="utf-8").read()
        spoil.configure(1, "backend", key, value)
        assert has(check(spoil, 1), "fail", "options", says)
        with open(spoil.conf(1), "w", encoding="utf-8") as f:
            f.write(before)


def stand_in(fleet, say, program="xfrm-backend", **options):
    """Another backend, whose --check says that; without wire and tenants."""
    path = os.path.join(fleet.lab.dir, program)
    shutil.copy(os.path.join(os.environ["OVERLOCK_BUILD"], "tests", "tools", "stand_in"), path)
    for key in ("wire", "local", "tenant.5001"):
        fleet.configure(1, "backend", key, None)
    fleet.configure(1, "backend", "program", path)
    answer = os.path.join(fleet.lab.dir, "answer")
    with open(answer, "wb") as f:
        f.write(say)
    for key, value in {"say": answer, **options}.items():
        fleet.configure(1, "backend", key, value)


def of(findings, *topics):
    return [f for f in findings if f[1] in topics]


def test_findings_of_the_backend_become_rows(spoil):
    stand_in(spoil, b"ok\tESP\tAES-GCM, with ESN\nwarn\tcounters\tnone: build them in\n"
             b"fail\tnf_tables\tmissing: modprobe nf_tables")
    assert of(check(spoil, 1), "options", "ESP", "counters", "nf_tables") == [
        ("ok", "options", "1 options of the backend"), ("ok", "ESP", "AES-GCM, with ESN"),
        ("warn", "counters", "none: build them in"), ("fail", "nf_tables", "missing: modprobe nf_tables")]
    stand_in(spoil, b"ok\tESP\tthere\n")
    check(spoil, 0)


def test_findings_without_sense_are_counted_not_shown(spoil):
    stand_in(spoil, b"ok\tESP\t\x1b[2Jthere\ttoo\nready\nnote\tESP\tx\nok\t\tx\nok\tESP\nok\tESP\t\n\n"
             b"OK\tESP\tx\nok\t" + b"w" * 200 + b"\tx\0y\n")
    assert of(check(spoil, 0), "options", "ESP", "w" * 39) == [
        ("ok", "options", "1 options of the backend"), ("ok", "ESP", "?[2Jthere?too"), ("ok", "w" * 39, "x?y"),
        ("warn", "options", "7 lines that the backend answered make no sense here: use the backend of this release")]


@pytest.mark.parametrize("lines, shown", [(200, 200), (201, 200), (5000, 200)])
def test_findings_are_200_at_most(spoil, lines, shown):
    stand_in(spoil, b"ok\tESP\tthere and more of it than one buffer takes\n" * lines)
    findings = check(spoil, 0)
    assert len(of(findings, "ESP")) == shown
    assert has(findings, "warn", "options", "more than 200 lines") == (lines > 200)


def test_backend_that_says_endless_things(spoil):
    stand_in(spoil, b"ok\tESP\t" + b"x" * 1000000)
    findings = check(spoil, 0)
    ((_, _, text),) = of(findings, "ESP")
    assert set(text) == {"x"} and len(text) < 1000
    assert has(findings, "warn", "options", "more than 200 lines")


def test_backend_that_calls_its_options_wrong(spoil):
    stand_in(spoil, b"ok\tESP\tthere\n", status=2)
    findings = check(spoil, 1)
    assert has(findings, "fail", "options", r"ikev2d\.conf:\d+: features: the stand-in was told to refuse")
    assert not of(findings, "ESP")


def test_backend_that_could_not_check(spoil):
    stand_in(spoil, b"ok\tESP\tthere\n", status=1)
    findings = check(spoil, 0)
    assert has(findings, "warn", "options", r"could not judge its options \(status 1: features: the stand-in")
    assert has(findings, "ok", "ESP")


def test_backend_that_does_not_answer(spoil):
    stand_in(spoil, b"ok\tESP\tthere\n", wait="yes")
    findings = check(spoil, 0)
    assert has(findings, "warn", "options", "did not answer --check within 20 s")
    assert has(findings, "ok", "ESP", "there")


def test_kernel_backend_wants_another_capability(spoil):
    stand_in(spoil, b"")
    findings = check(spoil, 0)
    assert has(findings, "ok", "CAP_NET_ADMIN") and not of(findings, "raw sockets", "tenants")
    r = subprocess.run(["ip", "netns", "exec", f"{spoil.lab.prefix}-nve1", "setpriv", "--bounding-set", "-net_admin",
                        netlab.program("overlock"), "check", "--json", spoil.conf(1)], capture_output=True, text=True,
                       timeout=60)
    assert has(findings_of(r), "fail", "CAP_NET_ADMIN", "give it to the container")
    stand_in(spoil, b"", program="another-backend")
    findings = check(spoil, 0)
    assert has(findings, "ok", "raw sockets") and not of(findings, "CAP_NET_ADMIN")


@pytest.mark.parametrize("underlay, encap, fits", [
    ("192.0.2.1", "no", 1416), ("192.0.2.1", "yes", 1408),
    ("2001:db8::1", "no", 1396), ("2001:db8::1", "yes", 1388),
])
def test_mtu_of_the_kernels_vxlan_devices(spoil, underlay, encap, fits):
    """By the interface that has the address of the document; each device with more than fits is named."""
    def move(root):
        spoil.node(root, 1).find("{*}underlay").text = underlay
    spoil.publish(move)
    spoil.configure(1, "ike", "force-encap", encap)
    spoil.configure(1, "ike", "listen", None)
    stand_in(spoil, b"")
    lab = spoil.lab
    lab.sh("nve1", "ip addr add 2001:db8::1/64 dev eth0 nodad")
    lab.sh("nve1", "ip link add vx5001 type vxlan id 5001 dstport 4789 local 192.0.2.1")
    lab.sh("nve1", "ip link add vx5002 type vxlan id 5002 dstport 4789 local 192.0.2.1")
    lab.sh("nve1", f"ip link set vx5001 mtu {fits}; ip link set vx5002 mtu {fits + 1}")
    try:
        rows = of(check(spoil, 0), "MTU")
        assert has(rows, "ok", "MTU", f"VXLAN devices over eth0 and their guests: at most {fits} ")
        assert has(rows, "ok", "MTU", f"'vx5001' has MTU {fits}, {fits} fits")
        assert has(rows, "warn", "MTU", rf"'vx5002' has MTU {fits + 1}.*ip link set vx5002 mtu {fits}\b")
        assert len(rows) == 3
    finally:
        lab.sh("nve1", "ip link del vx5001; ip link del vx5002; ip addr del 2001:db8::1/64 dev eth0")


def test_vxlan_devices_on_ports_that_nobody_protects(spoil):
    """Linux takes 8472 when no port is said: such a device would go on in the clear with all else well."""
    lab = spoil.lab
    backend = netlab.program("xfrm-backend")

    def findings(*options):
        lines = lab.run("nve1", [backend, "--check", *options]).stdout.splitlines()
        return of([tuple(line.split("\t", 2)) for line in lines], "VXLAN devices")
    lab.sh("nve1", "ip link add vx5001 type vxlan id 5001 dstport 4789")
    try:
        assert findings() == [("ok", "VXLAN devices", "1 here, on protected ports")]
        lab.sh("nve1", "for i in $(seq 10); do ip link add vy$i type vxlan id $i dstport 0; done")
        rows = findings()
        assert len(rows) == 9 and all(level == "warn" for level, _, _ in rows)
        assert has(rows, "warn", "VXLAN devices", "^'vy1' uses UDP port 8472, .* in the clear .* dstport 4789$")
        assert has(rows, "warn", "VXLAN devices", "^2 more like these")
        assert findings("vxlan-port=4789,8472") == [("ok", "VXLAN devices", "11 here, on protected ports")]
    finally:
        lab.sh("nve1", "for i in vx5001 $(ls /sys/class/net | grep ^vy); do ip link del $i; done")


@pytest.mark.parametrize("switch", ["ipv4/conf/eth0/disable_policy", "ipv4/conf/eth0/disable_xfrm",
                                    "ipv6/conf/eth0/disable_policy"])
def test_interface_that_passes_over_policies_is_named(spoil, switch):
    lab, path = spoil.lab, f"/proc/sys/net/{switch}"

    def findings():
        lines = lab.run("nve1", [netlab.program("xfrm-backend"), "--check"]).stdout.splitlines()
        return of([tuple(line.split("\t", 2)) for line in lines], "interfaces")
    assert findings() == [("ok", "interfaces", "IPsec policies hold on all of them")]
    lab.sh("nve1", f"echo 1 >{path}")
    try:
        (row,) = findings()
        assert row[0] == "fail" and row[2].startswith(f"{path} is set: ") and "write 0" in row[2]
    finally:
        lab.sh("nve1", f"echo 0 >{path}")


@pytest.mark.parametrize("program", ["pcap-backend", "xfrm-backend"])
def test_backends_judge_what_all_of_them_understand(spoil, program):
    spoil.configure(1, "backend", "program", netlab.program(program))
    for key in ("wire", "local", "tenant.5001") if program == "xfrm-backend" else ():
        spoil.configure(1, "backend", key, None)
    for key, value in (("log-level", "loud"), ("orphan-deadline", "never")):
        spoil.configure(1, "backend", key, value)
        assert has(check(spoil, 1), "fail", "options", rf"ikev2d\.conf:\d+: {key}={value}: give ")
        spoil.configure(1, "backend", key, None)


@pytest.mark.parametrize("word", ["observe", "prefer"])
def test_enforcement_that_is_not_there_yet(spoil, word):
    spoil.publish(lambda root: root.set("enforcement", word))
    assert has(check(spoil, 0), "warn", "document", f'enforcement="{word}" is not there yet')


def test_mtu_of_an_address_on_the_loopback_interface(spoil):
    """As routed fabrics have it: the route to another node tells."""
    def move(root):
        spoil.node(root, 1).find("{*}underlay").text = "198.51.100.1"
    spoil.publish(move)
    spoil.configure(1, "ike", "listen", None)
    stand_in(spoil, b"")
    lab = spoil.lab
    lab.sh("nve1", "ip addr add 198.51.100.1/32 dev lo")
    try:
        assert has(check(spoil, 0), "ok", "MTU",
                   r"over the route to nve-2 and their guests: at most 1416 \(the route to nve-2 has 1500, IPv4\)")
        lab.sh("nve1", "ip route add 192.0.2.2/32 dev eth0 mtu 1400")
        assert has(check(spoil, 0), "ok", "MTU", r"at most 1316 \(the route to nve-2 has 1400")
        lab.sh("nve1", "ip route del 192.0.2.2/32; ip route add unreachable 192.0.2.2/32")
        assert has(check(spoil, 0), "warn", "MTU", "198.51.100.1 is on lo.*smaller by 84")
    finally:
        lab.sh("nve1", "ip route del 192.0.2.2/32", check=False)
        lab.sh("nve1", "ip addr del 198.51.100.1/32 dev lo")


def test_local_address_that_is_not_ours(spoil):
    spoil.configure(1, "backend", "local", "192.0.2.1,192.0.2.77")
    findings = check(spoil, 1)
    assert [t for level, topic, t in findings if topic == "local" and "192.0.2.77" in t]
    assert not [t for level, topic, t in findings if topic == "local" and "192.0.2.1 " in t]


def test_tenant_of_a_network_that_is_not_ours(spoil):
    spoil.configure(1, "backend", "tenant.5001", None)
    spoil.configure(1, "backend", "tenant.5009", "ten5001")
    assert has(check(spoil, 0), "warn", "tenants", "node nve-1 in VN 5009")


def test_port_held_by_another_program(spoil):
    holder = spoil.lab.spawn("nve1", ["/usr/bin/python3", "-u", "-c",
                                      "import socket, signal\n"
                                      "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                                      "s.bind(('192.0.2.1', 4500))\nprint('bound')\nsignal.pause()"])
    try:
        holder.wait_line("bound")
        assert has(check(spoil, 1), "fail", "port", "4500 is in use by another program")
    finally:
        holder.stop()


def test_checking_accepts_no_document_in_the_daemons_stead(fleet):
    state = os.path.join(fleet.dir, "nve-1", "state")
    shutil.rmtree(state, ignore_errors=True)
    check(fleet, 0)
    assert not os.path.exists(state)


def test_unreadable_configuration():
    r = netlab.overlock("check", "/nonexistent.conf", check=False)
    assert r.returncode == 2
    assert re.search(r"/nonexistent\.conf:.* can't be read", r.stderr), r.stderr


def test_lab_for_the_kernel_backend_needs_no_interfaces(fleet):
    """What `lab init --backend xfrm` writes is complete; which program it is, the stand-in decides."""
    d = os.path.join(fleet.lab.dir, "kernel-lab")
    netlab.overlock("lab", "init", "--backend", "xfrm", "--nodes", 2, d)
    conf = os.path.join(d, "nve-1", "ikev2d.conf")
    path = os.path.join(fleet.lab.dir, "xfrm-backend")
    shutil.copy(os.path.join(os.environ["OVERLOCK_BUILD"], "tests", "tools", "stand_in"), path)
    with open(conf, encoding="utf-8") as f:
        text = f.read()
    assert "tenant." not in text and "wire" not in text and "program = xfrm-backend\n" in text
    with open(conf, "w", encoding="utf-8") as f:
        f.write(text.replace("program = xfrm-backend", "program = " + path) + "user = nobody\n")
    for where in (d, os.path.join(d, "nve-1")):
        os.chmod(where, 0o755)
    findings = findings_of(netlab.overlock("check", "--json", conf, check=False, ns="nve1", lab=fleet.lab))
    assert all(level == "ok" for level, _, _ in findings), findings
    assert has(findings, "ok", "MTU", r"VXLAN devices over eth0 and their guests: at most 1416 \(eth0 has 1500, IPv4\)")
