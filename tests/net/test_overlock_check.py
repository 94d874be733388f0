# SPDX-License-Identifier: ISC
"""`overlock check`: each finding with its opposite."""

import json
import os
import re
import shutil

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


def check(fleet, status):
    """Findings as (level, topic, text), after the exit status was looked at."""
    r = netlab.overlock("check", "--json", fleet.conf(1), check=False, ns="nve1", lab=fleet.lab)
    assert r.returncode == status, r.stdout + r.stderr
    answer = json.loads(r.stdout)
    assert answer["schema_version"] == 1
    assert answer["ok"] == (status == 0)
    return [(f["level"], f["topic"], f["text"]) for f in answer["findings"]]


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
