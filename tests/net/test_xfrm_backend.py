# SPDX-License-Identifier: ISC
"""
What xfrm-backend does without a peer, under this machine's own kernel, which may have no ESP: it blocks,
removes what is its own, and says what is missing. SAs are tried in tests/kernel.
"""

import os
import signal
import subprocess

import pytest
from lab import backend_driver as bd
from lab.hunt import PlaintextCounter
from lab.kbackend import ANY, KernelHost, peer_address
from lab.netlab import Lab, program

FLOOD = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lab", "flood.py")
UNPRIVILEGED = ("setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all")
FOREIGN_POLICY = "src 198.51.100.0/24 dst 198.51.100.9/32 proto udp dport 7 dir out action block priority 50000"


@pytest.fixture(scope="module")
def host():
    """With a local program that sends to the protected port all the time, both families."""
    with Lab("x") as lab:
        h = KernelHost(lab)
        h.address("far", 11)
        h.counter = PlaintextCounter(lab, "far", ports=(4789, 8472))
        h.run("--block")
        h.flood = lab.spawn("me", ["/usr/bin/python3", "-B", FLOOD, "2", peer_address(4, 11),
                                   peer_address(6, 11)])
        h.flood.wait_line("^sending")
        yield h
        h.close()


@pytest.fixture
def blocked(host):
    """As the boot unit leaves it; nothing in clear until the end of the test."""
    host.sh("ip xfrm policy flush; nft flush ruleset")
    host.run("--block")
    host.counter.take()
    yield host
    assert host.counter.take() == []


def figures(host):
    """Datagrams that either layer kept back on their way out."""
    out = host.sh("nft list counter inet overlock out-plaintext 2>/dev/null; cat /proc/net/xfrm_stat")
    words = out.split()
    return {name: int(words[words.index(name) + 1]) for name in ("packets", "XfrmOutPolBlock") if name in words}


def grows(host, name):
    before = figures(host)[name]
    return any(figures(host)[name] > before for _ in range(500))


def test_a_second_block_changes_nothing(blocked):
    before = blocked.policies(), blocked.table()
    assert len(before[0]) >= 12 and before[1]["vxlan"] == {(4789,)}
    blocked.run("--block")
    assert (blocked.policies(), blocked.table()) == before


def test_block_makes_good_what_others_changed(blocked):
    before = blocked.policies(), blocked.table(), blocked.sh("nft -s list table inet overlock")
    blocked.sh("nft flush chain inet overlock out; nft add rule inet overlock in udp dport 4789 accept;"
               f"ip xfrm policy delete src {ANY[4]} dst {ANY[4]} proto udp dport 4789 dir in")
    blocked.run("--block")
    assert (blocked.policies(), blocked.table(), blocked.sh("nft -s list table inet overlock")) == before


def test_block_of_another_port_keeps_the_first_one(blocked):
    blocked.run("--block", "vxlan-port=8472")
    assert blocked.table()["vxlan"] == {(4789,), (8472,)}
    for port in (4789, 8472):
        assert len({p for p in blocked.policies() if f"dport {port} dir out action block priority 50000" in p}) == 2


def test_policies_alone_keep_plaintext_back(blocked):
    blocked.sh("nft delete table inet overlock")
    assert grows(blocked, "XfrmOutPolBlock")


def test_the_table_alone_keeps_plaintext_back(blocked):
    blocked.sh("ip xfrm policy flush")
    assert grows(blocked, "packets")


def test_remove_takes_what_is_ours_and_nothing_else(blocked):
    blocked.sh(f"ip xfrm policy add {FOREIGN_POLICY}; nft add table inet mine; nft add table ip overlock")
    tables = blocked.sh("nft list tables").split("\n")
    for _ in range(2):
        blocked.sh("ip link set eth0 down")
        blocked.run("--remove")
        blocked.counter.take()
    assert blocked.table() is None
    assert blocked.policies() == {FOREIGN_POLICY}
    assert set(tables) - set(blocked.sh("nft list tables").split("\n")) == {"table inet overlock"}
    blocked.run("--block")
    blocked.sh("ip link set eth0 up; ip addr add 2001:db8::1/64 dev eth0 nodad")


def test_the_twin_after_remove_there_is_plaintext(host):
    host.sh("ip xfrm policy flush; nft flush ruleset")
    host.run("--block")
    host.counter.take()
    host.run("--remove")
    found = []
    while {data[14] >> 4 for _, _, data in found} != {4, 6}:
        more = host.counter.take(patience=20)
        assert more
        found += more


def findings(host):
    """{what: (level, text)} of --check."""
    lines = host.run("--check").stdout.splitlines()
    return {what: (level, text) for level, what, text in (line.split("\t") for line in lines)}


def test_check_tells_what_there_is_and_touches_nothing(blocked):
    before = blocked.policies(), blocked.table()
    found = findings(blocked)
    assert found["policies"][0] == found["nf_tables"][0] == "ok"
    assert {level for level, _ in found.values()} <= {"ok", "warn", "fail"}
    assert found["ESP aes128gcm16"][0] in ("ok", "fail")
    assert all("modprobe" in text for level, text in found.values() if level == "fail")
    assert (blocked.policies(), blocked.table()) == before


def test_a_daemon_starts_with_esp_only_and_the_blocks_are_there_in_any_case(blocked):
    blocked.sh("ip link set eth0 down")
    blocked.run("--remove")
    blocked.counter.take()
    if findings(blocked)["ESP aes128gcm16"][0] == "ok":
        blocked.start()
        assert blocked.backend.stop() == 0
    else:
        with pytest.raises(bd.DriverError, match=r"exit 2: .*ESP.*modprobe.*pcap-backend"):
            blocked.start()
    blocked.backend = None
    assert blocked.table()["vxlan"] == {(4789,)}
    assert len({p for p in blocked.policies() if "dport 4789 dir out action block priority 50000" in p}) == 2
    blocked.sh("ip link set eth0 up; ip addr add 2001:db8::1/64 dev eth0 nodad")


def test_without_privilege_it_says_so(blocked):
    with pytest.raises(bd.DriverError, match=r"exit 2: .*CAP_NET_ADMIN"):
        blocked.start(through=UNPRIVILEGED)
    for action in ("--block", "--remove"):
        r = blocked.lab.run("me", [*UNPRIVILEGED, program("xfrm-backend"), action], check=False)
        assert r.returncode == 1 and "CAP_NET_ADMIN" in r.stderr


@pytest.mark.parametrize("options, says", [
    (["vxlan-port=0"], "vxlan-port"), (["vxlan-port=4789,4500"], "vxlan-port"), (["reqid-base=0"], "reqid-base"),
    (["table=no such"], "table"), (["block-priority=1000"], "block-priority"), (["reconcile=0"], "reconcile"),
    (["wire=eth0"], "wire"),
])
def test_options_that_can_not_be_are_named_in_one_line(blocked, options, says):
    with pytest.raises(bd.DriverError, match=rf"exit 2: .*{says}"):
        blocked.start(*options)
    for action in ("--block", "--check"):
        r = blocked.run(action, *options, check=False)
        assert r.returncode == 2 and says in r.stderr and r.stderr.count("\n") == 1, r.stderr


def test_a_foreign_policy_in_the_place_of_a_block_is_told_and_the_table_blocks(blocked):
    blocked.sh(f"ip xfrm policy update src {ANY[4]} dst {ANY[4]} proto udp dport 4789 dir out action allow "
               "priority 40000")
    r = blocked.run("--block", check=False)
    assert r.returncode == 1 and "somebody else has" in r.stderr and "priority 40000" in r.stderr, r.stderr
    assert grows(blocked, "packets")


def test_it_is_no_program_to_start_by_hand():
    r = subprocess.run([program("xfrm-backend"), "vxlan-port=4789"], capture_output=True, text=True, timeout=20,
                       close_fds=True)
    assert r.returncode == 2 and "started by a daemon" in r.stderr
    r = subprocess.run([program("xfrm-backend"), "--no-such"], capture_output=True, text=True, timeout=20)
    assert r.returncode == 2 and r.stderr.count("\n") == 1


def test_the_sender_was_there_all_the_time(host):
    host.flood.stop(signal.SIGINT)
    assert int(host.flood.wait_line(r"tried (\d+)").group(1)) > 1000
