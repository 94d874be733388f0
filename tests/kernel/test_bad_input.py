# SPDX-License-Identifier: ISC
"""
What the kernel, the machine and other programs may do to xfrm-backend. Each time: an error that names
the object, and nothing in clear, while a local program sends to the protected port all the time.
"""

import contextlib
import json
import os
import re
import signal

import pytest
from lab import backend_driver as bd
from lab import forge
from lab.forge import ip, udp, vxlan
from lab.hunt import PlaintextCounter
from lab.kbackend import ANY, KernelHost, Peer, family, peer_address
from lab.modules import without
from lab.netlab import Lab

FLOOD = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lab", "flood.py")
VNS = (5001,)
PEERS = {v: peer_address(v, 11) for v in (4, 6)}


@pytest.fixture(scope="module")
def host():
    with Lab("i") as lab:
        h = KernelHost(lab, "reconcile=3600")
        h.address("far", 11)
        h.counter = PlaintextCounter(lab, "far")
        h.run("--block")
        flood = lab.spawn("me", ["/usr/bin/python3", "-B", FLOOD, "20", *PEERS.values()])
        flood.wait_line("^sending")
        yield h
        h.close()


@pytest.fixture
def quiet(host):
    """The host as the boot unit left it; nothing in clear until the end of the test."""
    host.sh("ip xfrm state flush; ip xfrm policy flush; nft flush ruleset")
    host.run("--block")
    host.counter.take()
    yield host
    assert host.counter.take() == []
    if host.backend is not None:
        host.backend.stop()
        host.backend = None


@pytest.fixture
def running(quiet):
    """With the backend, and a peer of each family that has SAs."""
    quiet.start()
    quiet.peers = {v: Peer(quiet, f"nve-{v}", PEERS[v], VNS) for v in (4, 6)}
    quiet.admit(*quiet.peers.values())
    return quiet


def frame(p):
    return ip(p.address, p.local, forge.ESP, p.esp.seal(udp(p.address, p.local, vxlan(5001, b"granted"))))


def refused(host, *options, **kw):
    """What a start that fails says: (exit status, text)."""
    with pytest.raises(bd.DriverError) as e:
        host.start(*options, **kw)
    return re.match(r"exit (\d): (.*)", str(e.value), re.S).groups()


def blocks_out(host):
    return {p for p in host.policies() if "dport 4789 dir out action block priority 50000" in p}


def protected(host):
    """Both layers that stop plaintext alone are there."""
    return len(blocks_out(host)) == 2 and (4789,) in host.table()["vxlan"]


# ---- what the machine lacks

UNPRIVILEGED = ("setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all")


@pytest.mark.smoke
def test_without_cap_net_admin_it_says_so(quiet):
    status, text = refused(quiet, through=UNPRIVILEGED)
    assert status == "2" and "CAP_NET_ADMIN" in text and text.strip().count("\n") == 0, text
    assert protected(quiet)
    for action in ("--block", "--remove"):
        r = quiet.lab.run("me", [*UNPRIVILEGED, os.path.join(os.environ["OVERLOCK_BIN"], "xfrm-backend"), action],
                          check=False)
        assert r.returncode == 1 and "CAP_NET_ADMIN" in r.stderr, r.stderr
    assert protected(quiet)


@pytest.mark.smoke
def test_an_algorithm_that_the_kernel_lacks(running):
    p = Peer(running, "nve-cc", peer_address(4, 21), VNS, suite="chacha20poly1305")
    running.backend.ok(running.backend.authz, p.admission())
    with without("chacha20poly1305"):
        results = running.backend.call(running.backend.engine, p.new_sas())
        assert results == [bd.ERR_UNSUPPORTED] * 2
    line = running.backend.wait_line(f"SA 0x{p.spi_in:08x} ")
    assert p.address in line and "chacha20poly1305" in line and "overlock check" in line
    assert not {p.spi_in, p.spi_out} & set(running.states())
    # The others are not touched by it, and it works once the module is there.
    p.rekey()
    assert len(running.states()) == 6


@pytest.mark.smoke
def test_without_esp_it_says_so_and_the_blocks_stay(quiet):
    with without("esp4", "esp6"):
        status, text = refused(quiet)
    assert status == "2" and "ESP" in text and "modprobe" in text and "esp4" in text, text
    assert protected(quiet)
    quiet.start()


@pytest.mark.parametrize("module", ["nf_tables", "nfnetlink"])
def test_without_nf_tables_policies_alone_block(quiet, module):
    quiet.run("--remove")
    quiet.sh("ip link set eth0 down")        # there is nothing that could keep the flood back
    quiet.counter.take()
    with without(module):
        r = quiet.run("--block", check=False)
        assert r.returncode == 1 and named(r.stderr, module), r.stderr
        status, text = refused(quiet)
        assert status == "2" and named(text, module), text
        assert len(blocks_out(quiet)) == 2
        up(quiet)
        assert quiet.xfrm_stat()["XfrmOutPolBlock"] > 0
        assert quiet.counter.take() == []
    quiet.start()
    assert protected(quiet)


def named(text, module):
    return {"nf_tables": "nf_tables", "nfnetlink": "nfnetlink"}[module] in text


def up(host):
    """eth0 with its addresses again, and neighbours known."""
    host.sh("ip link set eth0 up; ip addr add 2001:db8::1/64 dev eth0 nodad 2>/dev/null", check=False)
    for v, address in PEERS.items():
        host.sh(f"ping -{v} -n -c 1 -w 20 {address}")


def test_without_xfrm_user_the_table_alone_blocks(quiet):
    quiet.run("--remove")
    quiet.sh("ip link set eth0 down")
    quiet.counter.take()
    with without("xfrm_user"):
        r = quiet.run("--block", check=False)
        assert r.returncode == 1 and "xfrm_user" in r.stderr, r.stderr
        status, text = refused(quiet)
        assert status == "2" and "xfrm_user" in text, text
        assert (4789,) in quiet.table()["vxlan"]
        up(quiet)
        assert quiet.counter.take() == []
    quiet.start()
    assert protected(quiet)


# ---- objects of others

SPI = 0x7001


def add_state(host, p, spi, reqid, way="in"):
    """As another program installs one: with our SPI, or our reqid."""
    src, dst = (p.address, p.local) if way == "in" else (p.local, p.address)
    host.sh(f"ip xfrm state add src {src} dst {dst} proto esp spi {spi} reqid {reqid} mode transport "
            f"aead 'rfc4106(gcm(aes))' 0x{'5a' * 20} 128")
    return host.states()[spi]


@pytest.mark.smoke
def test_a_foreign_sa_with_our_spi_is_named_and_left_alone(running):
    p = running.peers[4]
    foreign = add_state(running, p, Peer.spi + 2, 7)
    results = running.backend.call(running.backend.engine, p.new_sas())
    assert results == [bd.ERR_EXISTS, 0] and p.spi_in == Peer.spi
    line = running.backend.wait_line(f"SA 0x{p.spi_in:08x} ")
    assert p.address in line and "ip xfrm state" in line
    assert running.states()[p.spi_in] == foreign


def test_a_foreign_sa_with_a_reqid_of_ours_is_told_and_deleted(quiet):
    quiet.start("reconcile=1", "orphan-deadline=0")
    p = Peer(quiet, "nve-4", PEERS[4], VNS)
    add_state(quiet, p, SPI, 1331036160 + 77)
    line = quiet.backend.wait_line("has a reqid of ours")
    assert f"{SPI:08x}" in line and "reqid-base" in line
    assert until(lambda: SPI not in quiet.states())


def until(condition, tries=200):
    return any(condition() for _ in range(tries))


def foreign_policy(host, p, way, action, priority, tmpl="", verb="add"):
    """With the selector of our policy of this peer."""
    bits = {4: 32, 6: 128}[family(p.address)]
    src, dst = (p.address, p.local) if way == "in" else (p.local, p.address)
    host.sh(f"ip xfrm policy {verb} src {src}/{bits} dst {dst}/{bits} proto udp dport 4789 dir {way} "
            f"action {action} priority {priority} {tmpl}")
    return next(t for t in host.policies() if t.startswith(f"src {src}/{bits} dst {dst}/{bits} proto udp dport 4789 "
                                                           f"dir {way} "))


@pytest.mark.parametrize("v", [pytest.param(4, marks=pytest.mark.smoke), 6])
def test_a_foreign_policy_in_the_place_of_ours_is_named_and_left_alone(quiet, v):
    """It lets the port out in clear; the table does not."""
    quiet.start()
    p = Peer(quiet, "nve-x", PEERS[v], VNS)
    there = foreign_policy(quiet, p, "out", "allow", 900)
    grant, policy = quiet.backend.call(quiet.backend.authz, p.admission())
    assert (grant, policy) == (0, bd.ERR_EXISTS)
    line = quiet.backend.wait_line("somebody else has")
    assert p.address in line and "priority 900" in line
    assert there in quiet.policies() and quiet.backend.counter("policies.missing") == 1
    # Only the witness of the table sees it.
    before = quiet.backend.counter("drop.plaintext-out")
    assert until(lambda: quiet.backend.counter("drop.plaintext-out") > before + 10)
    # As soon as it is gone, ours is there.
    selector = there.split(" dir ")[0]
    quiet.sh(f"ip xfrm policy delete {selector} dir out")
    assert until(lambda: quiet.backend.counter("policies.missing") == 0)
    assert any(t.startswith(selector + " dir out priority 1000 tmpl") for t in quiet.policies())


@pytest.mark.parametrize("when", [pytest.param("before", marks=pytest.mark.smoke), "after"])
def test_a_foreign_policy_that_goes_before_ours_is_told_and_the_table_drops(quiet, when):
    shadows = " && ".join(f"ip xfrm policy add src {ANY[v]} dst {ANY[v]} proto udp dir {way} action allow priority 1"
                          for v in (4, 6) for way in ("in", "out"))
    if when == "before":
        quiet.sh(shadows)
    quiet.start()
    if when == "after":
        quiet.sh(shadows)
    line = quiet.backend.wait_line("goes before ours")
    assert "priority 1" in line and "nf_tables" in line and re.search(r"priority above \d+", line)
    assert until(lambda: quiet.backend.counter("policies.shadowed") == 4)
    before = quiet.backend.counter("drop.plaintext-out")
    assert until(lambda: quiet.backend.counter("drop.plaintext-out") > before + 10)
    # What comes in in clear is not let in either.
    dropped, inbox = quiet.backend.counter("drop.plaintext"), [quiet.udp(v) for v in (4, 6)]
    for v, src in PEERS.items():
        me = peer_address(v, 1)
        quiet.wire.send(ip(src, me, forge.UDP, udp(src, me, vxlan(5001, b"clear"))))
    assert until(lambda: quiet.backend.counter("drop.plaintext") == dropped + 2)
    for s in inbox:
        with pytest.raises(BlockingIOError):
            s.recv(2048)
        s.close()


@pytest.mark.smoke
def test_a_foreign_policy_in_the_place_of_a_block_is_named_and_the_table_is_there(quiet):
    """Nothing starts, but the table alone is enough."""
    quiet.sh(f"nft delete table inet overlock; ip xfrm policy update src {ANY[4]} dst {ANY[4]} proto udp dport 4789 "
             "dir out action allow priority 40000")
    quiet.counter.take()
    status, text = refused(quiet)
    assert status == "2" and "somebody else has" in text and "priority 40000" in text, text
    assert (4789,) in quiet.table()["vxlan"]
    quiet.counter.take()
    before = out_plaintext(quiet)
    assert until(lambda: out_plaintext(quiet) > before + 10)


def out_plaintext(host):
    listed = json.loads(host.sh("nft -j list counter inet overlock out-plaintext"))["nftables"]
    return next(e["counter"]["packets"] for e in listed if "counter" in e)


# ---- changes while it runs

def delete_ours(host):
    """One of each kind."""
    p = host.peers[4]
    host.sh(f"ip xfrm policy delete src {ANY[4]} dst {ANY[4]} proto udp dport 4789 dir out && "
            f"ip xfrm policy delete src {p.local}/32 dst {p.address}/32 proto udp dport 4789 dir out && "
            f"ip xfrm state delete src {p.local} dst {p.address} proto esp spi {p.spi_out}")


@contextlib.contextmanager
def asleep(host):
    host.backend.popen.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        host.backend.popen.send_signal(signal.SIGCONT)


@pytest.mark.smoke
def test_lost_notifications_of_ipsec_make_it_compare_all(running):
    """Others write so much that the kernel has no room to tell of what they do to our objects."""
    p = running.peers[4]
    before = running.policies()
    one = "src 198.51.100.1/32 dst 198.51.100.2/32 proto udp dport 7 dir out"
    batch = os.path.join(running.lab.dir, "batch")
    with open(batch, "w", encoding="ascii") as f:
        f.writelines(f"xfrm policy add {one} priority 7\nxfrm policy delete {one}\n" for _ in range(50))
    running.narrow()
    with asleep(running):
        running.sh(f"ip -batch {batch}")
        delete_ours(running)
    assert "IPsec" in running.backend.wait_line("notifications of .* were lost")
    assert until(lambda: running.policies() == before)
    assert running.backend.counter("repair.policy") == 2 and running.backend.counter("repair.sa-gone") == 1
    assert running.backend.counter("repair.overrun") >= 1
    assert running.backend.expire() == (bd.SA_OUT, p.spi_out, p.address, True)


@pytest.mark.smoke
def test_lost_notifications_of_nf_tables_make_it_compare_all(running):
    before = running.table()
    batch = os.path.join(running.lab.dir, "ruleset")
    with open(batch, "w", encoding="ascii") as f:
        f.write("table inet other { set s { type ipv4_addr; }; }\n")
        f.writelines(f"add element inet other s {{ 10.0.{n}.1 }}\n" for n in range(250))
    running.narrow()
    with asleep(running):
        running.sh(f"nft -f {batch}; nft -f {batch}; nft delete table inet other")
        running.sh("nft flush chain inet overlock in; nft flush set inet overlock vni4")
    assert "nf_tables" in running.backend.wait_line("notifications of .* were lost")
    assert until(lambda: running.table() == before)
    assert "vni4" in running.sh("nft list chain inet overlock in")
    assert running.backend.counter("repair.table") == 1 and running.backend.counter("repair.overrun") >= 1


TAMPERING = {
    "table": "nft delete table inet overlock",
    "ruleset": "nft flush ruleset",
    "rule": "nft delete rule inet overlock in handle {handle}",
    "rule added": "nft insert rule inet overlock in udp dport 4789 accept",
    "rules": "nft flush chain inet overlock out",
    "elements": "nft flush set inet overlock vxlan",
    "vni": "nft add element inet overlock vni4 {{ {reqid} . 192.0.2.11 . 6001 }}",
    "dormant": "nft 'add table inet overlock {{ flags dormant; }}'",
    "policy": f"ip xfrm policy delete src {ANY[4]} dst {ANY[4]} proto udp dport 4789 dir in",
    "policy changed": f"ip xfrm policy update src {ANY[6]} dst {ANY[6]} proto udp dport 4789 dir out action allow "
                      "priority 50000",
    "policies": "ip xfrm policy flush",
}
QUICK = ("ruleset", "rule added", "vni", "policy changed")


@pytest.mark.parametrize("what", [pytest.param(w, marks=[pytest.mark.smoke] if w in QUICK else []) for w in TAMPERING])
def test_what_others_do_to_our_objects_is_undone_and_told(running, what):
    before = running.policies(), running.table(), chains(running)
    handle = re.search(r"# handle (\d+)", running.sh("nft -a list chain inet overlock in").split("\n")[3]).group(1)
    reqid = re.search(r" reqid (\d+) ", running.states()[running.peers[4].spi_in]).group(1)
    running.sh(TAMPERING[what].format(handle=handle, reqid=reqid))
    assert until(lambda: (running.policies(), running.table(), chains(running)) == before)
    repaired = running.backend.counter("repair.policy"), running.backend.counter("repair.table")
    assert max(repaired) >= 1 and len(running.backend.lines) >= 2
    # Keys are not touched by it.
    assert len(running.states()) == 4


def chains(host):
    """Rules in order, without counters' values."""
    text = host.sh("nft list chain inet overlock in; nft list chain inet overlock out")
    return re.sub(r"packets \d+ bytes \d+", "", text)


@pytest.mark.smoke
def test_an_address_that_is_gone_is_named_and_all_works_when_it_is_back(running):
    boxes = {v: running.udp(v) for v in (4, 6)}
    before = running.policies()
    for v, p in running.peers.items():
        since = len(running.backend.lines)
        length = {4: 24, 6: 64}[v]
        running.sh(f"ip addr del {p.local}/{length} dev eth0")
        line = running.backend.wait_line(re.escape(p.local), since)
        assert "error" in line and "blocked" in line
        assert running.policies() == before
        nodad = {4: "", 6: "nodad"}[v]
        running.sh(f"ip addr add {p.local}/{length} dev eth0 {nodad}")
        running.backend.wait_line(f"{re.escape(p.local)} is there", since)
        running.wire.send(frame(p))
        assert b"granted" in boxes[v].recv(2048)
    for s in boxes.values():
        s.close()


@pytest.mark.smoke
def test_an_interface_that_goes_down_and_comes_back(running):
    boxes = {v: running.udp(v) for v in (4, 6)}
    before = running.policies(), running.table(), set(running.states())
    running.sh("ip link set eth0 down")
    up(running)
    assert (running.policies(), running.table(), set(running.states())) == before
    for v, p in running.peers.items():
        running.wire.send(frame(p))
        assert b"granted" in boxes[v].recv(2048)
        boxes[v].close()
    # What leaves is ESP again.
    sent = running.backend.sa_list()[bd.SA_OUT, running.peers[4].spi_out, PEERS[4]]["packets"]
    assert until(lambda: running.backend.sa_list()[bd.SA_OUT, running.peers[4].spi_out, PEERS[4]]["packets"] > sent)


def test_the_twin_without_protection_the_same_counter_counts(host):
    """The last test. What was looked for in vain all the time was there to be found."""
    host.counter.take()
    host.sh("ip xfrm state flush; ip xfrm policy flush")
    host.run("--remove")
    found = host.counter.take(patience=20)
    while {data[14] >> 4 for _, _, data in found} != {4, 6}:
        more = host.counter.take(patience=20)
        assert more, "one family only"
        found += more
