# SPDX-License-Identifier: ISC
"""xfrm-backend on its own: what it puts into the kernel, takes out again, and tells of it."""

import os
import re
import signal
import socket
import time

import pytest
from lab import backend_driver as bd
from lab.forge import TENANT, ip, udp, vxlan
from lab.kbackend import ANY, ME, KernelHost, Peer, family, peer_address, sa_name
from lab.netlab import Lab

VNS = (5001, 5002)
FIRST_REQID = 1331036160
KERNEL_NAMES = {
    "aes128gcm16": "aead rfc4106(gcm(aes)) {} 128", "aes256gcm16": "aead rfc4106(gcm(aes)) {} 128",
    "aes128gmac": "aead rfc4543(gcm(aes)) {} 128", "aes256gmac": "aead rfc4543(gcm(aes)) {} 128",
    "chacha20poly1305": "aead rfc7539esp(chacha20,poly1305) {} 128",
    "aes128-sha256": "auth-trunc hmac(sha256) {1} 128 enc cbc(aes) {0} ",
    "aes256-sha256": "auth-trunc hmac(sha256) {1} 128 enc cbc(aes) {0} ",
    "aes256-sha384": "auth-trunc hmac(sha384) {1} 192 enc cbc(aes) {0} ",
    "aes256-sha512": "auth-trunc hmac(sha512) {1} 256 enc cbc(aes) {0} ",
}


@pytest.fixture(scope="module")
def host():
    """Differences are found by notifications here, since the next full comparison is far off."""
    with Lab("b") as lab:
        h = KernelHost(lab, "reconcile=3600")
        for n in (11, 12):
            h.address("far", n)
        h.start()
        yield h
        h.close()


@pytest.fixture
def peers(host):
    """As many as the test likes; they are gone afterwards."""
    admitted = []
    yield admitted
    if host.backend.popen.poll() is not None:
        host.start()
    host.backend.ok(host.backend.authz, [(bd.BK_FLUSH_OWN, b"")])
    host.backend.forget_upcalls()


@pytest.fixture
def inbox(host):
    """What comes through, for UDP port 4789."""
    with host.udp(4) as s:
        yield s


def admit(host, peers, *new):
    host.admit(*new)
    peers += new


def pair_4_6(host, suffix=""):
    return [Peer(host, f"nve-{v}{suffix}", peer_address(v, 11), VNS) for v in (4, 6)]


def blocks(port=4789):
    """Layer 1 of a port, with the fence that keeps the bypass of IKE from letting it out."""
    for v in (4, 6):
        sel = f"src {ANY[v]} dst {ANY[v]} proto udp"
        yield from (f"{sel} dport {port} dir {way} action block priority 50000" for way in ("in", "out"))
        yield from (f"{sel} sport {ike} dport {port} dir out action block priority 1001" for ike in (500, 4500))


def bypass():
    for v in (4, 6):
        sel = f"src {ANY[v]} dst {ANY[v]} proto"
        for ike in (500, 4500):
            yield f"{sel} udp dport {ike} dir in priority 1002"
            yield f"{sel} udp sport {ike} dir out priority 1002"
    for kind in (135, 136):
        yield from (f"{sel} ipv6-icmp type {kind} dir {way} priority 1002" for way in ("in", "out"))


def policies_of(peer, reqid):
    words = {bd.TRANSPORT: "transport", bd.TUNNEL: "tunnel"}
    bits = {4: 32, 6: 128}[family(peer.address)]
    for way, src, dst in (("in", peer.address, peer.local), ("out", peer.local, peer.address)):
        yield (f"src {src}/{bits} dst {dst}/{bits} proto udp dport 4789 dir {way} priority 1000 "
               f"tmpl src {src} dst {dst} proto esp reqid {reqid} mode {words[peer.mode]}")
    # What is forwarded is not ours, whatever its source.
    yield (f"src {src}/{bits} dst {dst}/{bits} proto udp dport 4789 dir fwd action block priority 1000 "
           f"tmpl src {src} dst {dst} proto esp reqid {reqid} mode {words[peer.mode]}")


def reqid_of(host, peer):
    return int(re.search(r" reqid (\d+) ", host.states()[peer.spi_in]).group(1))


def general():
    return set(blocks()) | set(bypass())


@pytest.mark.smoke
def test_before_any_peer_is_known_all_is_blocked_and_nothing_is_accepted(host):
    assert host.policies() == general()
    assert host.table() == {"vxlan": {(4789,)}, "vni4": set(), "vni6": set(), "control4": set(), "control6": set(),
                            "denied": set()}
    assert host.backend.counters() == {("policies", "", 0): len(general())}


def form(v, mode, encap, esn, n, suite, host):
    return Peer(host, f"nve-{n}", peer_address(v, n), VNS, mode, encap, esn, suite)


@pytest.mark.smoke
@pytest.mark.parametrize("suite", bd.SUITES)
def test_each_form_of_an_sa_is_taken_and_read_back(host, peers, suite):
    forms = [(v, mode, encap, esn) for v in (4, 6) for mode in (bd.TRANSPORT, bd.TUNNEL)
             for encap in (False, True) for esn in (False, True)]
    new = [form(*f, n, suite, host) for n, f in enumerate(forms, 20)]
    admit(host, peers, *new)
    states, listed = host.states(), host.backend.sa_list()
    assert len(states) == len(listed) == 2 * len(new)
    for p in new:
        for spi, way, src, dst, key in ((p.spi_in, bd.SA_IN, p.address, p.local, p.key_in),
                                        (p.spi_out, bd.SA_OUT, p.local, p.address, p.key_out)):
            check_state(states[spi], p, way, src, dst, key)
            assert listed[way, spi, dst]["src"] == src
    host.withdraw(*new)
    assert host.states() == {} and host.backend.sa_list() == {}


def check_state(text, p, way, src, dst, key):
    bits = {4: 32, 6: 128}[family(src)]
    mode = {bd.TRANSPORT: "transport", bd.TUNNEL: "tunnel"}[p.mode]
    assert text.startswith(f"src {src} dst {dst} proto esp ") and f" mode {mode} " in text, text
    # Tunnel mode, too, lets in this one inner selector only.
    assert text.endswith(f" sel src {src}/{bits} dst {dst}/{bits} proto udp dport 4789"), text
    first = {(12, 128): 16, (12, 256): 32}.get(bd.SUITES[p.suite][0][:2], len(key))
    assert KERNEL_NAMES[p.suite].format("0x" + key[:first].hex(), "0x" + key[first:].hex()) in text, text
    assert ("encap type espinudp sport 4500 dport 4500" in text) == (p.encap is not None), text
    assert ("flag esn" in text) == p.esn, text
    if way == bd.SA_IN:
        assert re.search(r"replay_window 1024\b", text), text


@pytest.mark.smoke
def test_policies_and_elements_come_with_a_peer_and_go_with_it(host, peers):
    both = pair_4_6(host)
    before = host.policies()
    admit(host, peers, *both)
    reqids = [reqid_of(host, p) for p in both]
    assert len(set(reqids)) == 2 and all(FIRST_REQID <= r < FIRST_REQID + 2 ** 20 for r in reqids)
    assert host.policies() - before == {text for p, r in zip(both, reqids) for text in policies_of(p, r)}
    table = host.table()
    for p, r, name in zip(both, reqids, ("vni4", "vni6")):
        assert table[name] == {(r, p.address, vni) for vni in VNS}
    assert host.backend.counter("policies") == len(host.policies())
    host.withdraw(*both)
    assert host.policies() == before == general() and host.states() == {}
    table = host.table()
    assert table["vni4"] == table["vni6"] == set() and table["vxlan"] == {(4789,)}


def test_a_changed_grant_changes_the_elements_alone(host, peers):
    p = pair_4_6(host)[0]
    admit(host, peers, p)
    reqid, before = reqid_of(host, p), host.policies()
    host.backend.ok(host.backend.authz, [
        (bd.BK_GRANT_SET, bd.grant(p.number, p.node, [p.local], [p.address], (5002, 5003)))])
    assert host.table()["vni4"] == {(reqid, p.address, vni) for vni in (5002, 5003)}
    assert host.policies() == before and set(host.states()) == {p.spi_in, p.spi_out}


def test_a_control_channel_is_protected_to_and_from_its_port(host, peers):
    p = pair_4_6(host)[0]
    of_channel = {"ident": "evpn", "proto": 6, "port": 179, "level": 2}
    before = host.policies()
    host.backend.ok(host.backend.authz, [
        (bd.BK_GRANT_SET, bd.grant(p.number, p.node, [p.local], [p.address], (), **of_channel)),
        (bd.BK_POLICY_ADD, bd.policy(p.node, p.local, p.address, (), **of_channel))])
    peers.append(p)
    new = host.policies() - before
    assert len(new) == 6
    for way, src, dst in (("in", p.address, p.local), ("out", p.local, p.address),
                          ("fwd action block", p.local, p.address)):
        for port in ("sport 179", "dport 179"):
            start = f"src {src}/32 dst {dst}/32 proto tcp {port} dir {way} priority 1000 tmpl "
            assert [t for t in new if t.startswith(start)]
    assert host.table()["control4"] == {(p.address, "tcp", 179)}
    host.backend.ok(host.backend.authz, [(bd.BK_FLUSH_OWN, b"")])
    assert host.policies() == before and host.table()["control4"] == set()


def test_another_port_of_a_document_stays_protected(host, peers):
    p = pair_4_6(host)[0]
    before = host.policies()
    host.backend.ok(host.backend.authz, [(bd.BK_POLICY_ADD, bd.policy(p.node, p.local, p.address, VNS, port=8472))])
    assert host.table()["vxlan"] == {(4789,), (8472,)}
    host.backend.ok(host.backend.authz, [(bd.BK_POLICY_DEL, bd.policy(p.node, p.local, p.address, VNS, port=8472))])
    assert host.policies() - before == set(blocks(8472))
    assert host.table()["vxlan"] == {(4789,), (8472,)}
    restart(host)
    assert host.table()["vxlan"] == {(4789,), (8472,)}
    # Only --remove opens a port again.
    host.backend.stop()
    host.run("--remove")
    assert host.policies() == set() and host.table() is None
    host.start()
    assert host.policies() == general()


@pytest.mark.smoke
def test_an_address_that_moves_to_another_node_takes_its_policies_along(host, peers):
    """A document may name the new owner before the old one is gone, in one batch or in two."""
    backend, address = host.backend, peer_address(4, 11)
    before = host.policies()
    first, second, third = (bd.policy(f"nve-{k}", "192.0.2.1", address, VNS) for k in (7, 8, 9))
    backend.ok(backend.authz, [(bd.BK_POLICY_ADD, first)])
    of_first = host.policies() - before
    assert backend.call(backend.authz, [(bd.BK_POLICY_ADD, second)]) == [bd.ERR_EXISTS]
    assert host.policies() - before == of_first
    backend.ok(backend.authz, [(bd.BK_POLICY_DEL, first)])
    of_second = host.policies() - before
    assert len(of_second) == len(of_first) and not of_second & of_first
    results = backend.call(backend.authz, [(bd.BK_POLICY_ADD, third), (bd.BK_POLICY_DEL, second)])
    assert results[1] == 0 and not (host.policies() - before) & of_second
    of_third = host.policies() - before
    assert len(of_third) == len(of_first)
    # The twin: who was told to go while he waited does not come back.
    assert backend.call(backend.authz, [(bd.BK_POLICY_ADD, first)]) == [bd.ERR_EXISTS]
    backend.call(backend.authz, [(bd.BK_POLICY_DEL, first)])
    backend.ok(backend.authz, [(bd.BK_POLICY_DEL, third)])
    assert host.policies() == before


def restart(host, *options):
    assert host.backend.stop() == 0
    host.start(*options)


def test_results_say_what_became_of_each_call(host, peers):
    p, other = Peer(host, "nve-4", peer_address(4, 11), VNS), Peer(host, "nve-5", peer_address(4, 12), VNS)
    backend = host.backend
    admit(host, peers, p)
    again = bd.sa(bd.SA_IN, p.spi_in, p.address, p.local, os.urandom(20), p.number, 7)
    replayed = bd.sa(bd.SA_IN, 0x9001, p.address, p.local, p.key_in, p.number, 8)
    stranger = bd.sa(bd.SA_IN, 0x9002, other.address, p.local, os.urandom(20), p.number, 9)
    other_port = bd.sa(bd.SA_IN, 0x9003, p.address, p.local, os.urandom(20), p.number, 10, port=4790)
    good = bd.sa(bd.SA_IN, 0x9004, p.address, p.local, os.urandom(20), p.number, 11)
    results = backend.call(backend.engine, [
        (bd.BK_SA_ADD, again), (bd.BK_SA_ADD, replayed), (bd.BK_SA_ADD, stranger), (bd.BK_SA_ADD, other_port),
        (bd.BK_SA_ADD, good), (bd.BK_SA_DEL, sa_name(bd.SA_IN, 0x9004, p.local)),
        (bd.BK_SA_DEL, sa_name(bd.SA_IN, 0x9005, p.local))])
    assert results == [bd.ERR_EXISTS, bd.ERR_REPLAY, bd.ERR_DENIED, bd.ERR_DENIED, 0, 0, bd.ERR_NOTFOUND]
    assert set(host.states()) == {p.spi_in, p.spi_out}


@pytest.mark.smoke
def test_a_packet_without_sa_asks_for_one_and_stays(host, peers):
    both = pair_4_6(host)
    host.backend.ok(host.backend.authz, [call for p in both for call in p.admission()])
    peers += both
    for p in both:
        before, counted = host.xfrm_stat().get("XfrmOutNoStates", 0), lost(host)
        say(host, p)
        assert host.backend.acquire() == (p.node, "vxlan", p.address)
        assert host.xfrm_stat().get("XfrmOutNoStates", 0) > before
        assert lost(host) == (counted[0] + 1, counted[1])
    assert host.backend.counter("acquire") >= 2


def lost(host):
    """What layer 3 dropped on its way out: for want of an SA, as plaintext."""
    return tuple(host.backend.counter(name) for name in ("drop.no-sa", "drop.plaintext-out"))


def say(host, p, n=1):
    """A datagram of VN 5001 to the peer, from a port of its own."""
    v = family(p.address)
    s = host.inside("me", lambda: socket.socket(socket.AF_INET if v == 4 else socket.AF_INET6, socket.SOCK_DGRAM))
    for _ in range(n):
        try:
            s.sendto(vxlan(5001, b"out"), (p.address, 4789))
        except OSError:
            pass                     # blocked


@pytest.mark.smoke
def test_soft_and_hard_expiry_by_packets_are_told_and_the_sa_is_gone(host, peers):
    p = pair_4_6(host)[0]
    host.backend.ok(host.backend.authz, p.admission())
    peers.append(p)
    p.rekey(soft_packets=2, hard_packets=5)
    say(host, p, 10)
    assert host.backend.expire() == (bd.SA_OUT, p.spi_out, p.address, False)
    assert host.backend.expire() == (bd.SA_OUT, p.spi_out, p.address, True)
    assert set(host.states()) == {p.spi_in}
    say(host, p)
    assert host.backend.acquire()[:2] == (p.node, "vxlan")


def test_soft_and_hard_expiry_by_time_are_told(host, peers):
    p = pair_4_6(host)[1]
    host.backend.ok(host.backend.authz, p.admission())
    peers.append(p)
    p.rekey(soft_s=1, hard_s=3)
    told = [host.backend.expire() for _ in range(4)]
    both = {(bd.SA_IN, p.spi_in, p.local), (bd.SA_OUT, p.spi_out, p.address)}
    assert {t[:3] for t in told[:2]} == {t[:3] for t in told[2:]} == both
    assert [t[3] for t in told] == [False, False, True, True]
    assert host.states() == {} and host.backend.sa_list() == {}


def datagram(p, vni, marker=b"in"):
    return udp(p.address, p.local, vxlan(vni, marker))


@pytest.mark.smoke
def test_figures_of_each_sa_are_told(host, peers):
    both = pair_4_6(host)
    admit(host, peers, *both)
    for p in both:
        *good, spoilt = [ip(p.address, p.local, 50, p.esp.seal(datagram(p, 5001))) for _ in range(4)]
        for packet in (*good, good[1], spoilt[:-1] + bytes([spoilt[-1] ^ 1])):
            host.wire.send(packet)
        say(host, p, 2)
        listed = host.backend.sa_list()
        figures = listed[bd.SA_IN, p.spi_in, p.local]
        assert [figures[k] for k in ("packets", "replays", "bad_icv", "seq")] == [3, 1, 1, 3], figures
        # Of what was protected, without ESP's own octets.
        assert figures["bytes"] == 3 * len(datagram(p, 5001))
        assert listed[bd.SA_OUT, p.spi_out, p.address]["packets"] == 2
        # Of an SA that sends, the next one.
        assert listed[bd.SA_OUT, p.spi_out, p.address]["seq"] == 3
    assert host.backend.counter("in.packets") >= 6


@pytest.mark.parametrize("v", [4, 6])
def test_a_new_mapping_of_a_nat_is_told_once_a_second(host, peers, v):
    host.natt(v)
    p = Peer(host, f"nve-{v}", peer_address(v, 11), VNS, encap=True)
    admit(host, peers, p)
    start = time.monotonic()
    with host.udp(v) as inbox:
        for _ in range(20):
            esp = p.esp.seal(datagram(p, 5001))
            host.wire.send(ip(p.address, p.local, 17, udp(p.address, p.local, esp, sport=61000, dport=4500)))
            assert TENANT in inbox.recv(2048)
    assert host.backend.mapping() == (p.spi_in, p.address, 61000)
    for _ in range(2):                 # what the kernel told meanwhile is heard in the turn of the first one
        host.backend.ok(host.backend.engine, [])
    again = sum(mtype == bd.BK_MAPPING for mtype, _ in host.backend.engine.events)
    assert again <= time.monotonic() - start


@pytest.mark.parametrize("esn", [False, True])
def test_the_window_takes_what_is_late_and_drops_what_is_too_old(host, peers, esn):
    p = Peer(host, "nve-4", peer_address(4, 11), VNS, esn=esn)
    admit(host, peers, p)
    for seq in (3000, 2500, 1900, 2500):
        host.wire.send(ip(p.address, p.local, 50, p.esp.seal(datagram(p, 5001), seq=seq)))
    figures = host.backend.sa_list()[bd.SA_IN, p.spi_in, p.local]
    # With ESN, what is left of the window is taken for the next 2^32 (RFC 4303 appendix A2).
    drops = {"replays": 2 - esn, "bad_icv": esn}
    assert {k: figures[k] for k in ("packets", "seq", *drops)} == {"packets": 2, "seq": 3000, **drops}


@pytest.mark.smoke
def test_a_rekey_keeps_reqid_policies_and_elements(host, peers, inbox):
    p = pair_4_6(host)[0]
    admit(host, peers, p)
    old, esp, reqid = (p.spi_in, p.spi_out), p.esp, reqid_of(host, p)
    old_dels, before = p.del_sas(), (host.policies(), host.table())
    p.rekey()
    assert set(host.states()) == {*old, p.spi_in, p.spi_out} and reqid_of(host, p) == reqid
    assert (host.policies(), host.table()) == before
    for sender in (esp, p.esp):
        host.wire.send(ip(p.address, p.local, 50, sender.seal(datagram(p, 5001))))
        assert TENANT in inbox.recv(2048)
    say(host, p)
    figures = host.backend.sa_list()
    assert figures[bd.SA_OUT, p.spi_out, p.address]["packets"] == 1, "the newest SA sends"
    host.backend.ok(host.backend.engine, old_dels)
    assert set(host.states()) == {p.spi_in, p.spi_out} and (host.policies(), host.table()) == before


def test_the_engine_comes_back_and_its_old_sas_go_when_replaced(host, peers):
    p = pair_4_6(host)[0]
    admit(host, peers, p)
    reqid = reqid_of(host, p)
    host.backend.reconnect_engine()
    assert set(host.states()) == {p.spi_in, p.spi_out}
    p.rekey()
    assert set(host.states()) == {p.spi_in, p.spi_out} and reqid_of(host, p) == reqid


def kill(host):
    host.backend.popen.send_signal(signal.SIGKILL)
    host.backend.popen.wait(20)
    host.backend.stop()


@pytest.mark.smoke
def test_killed_it_leaves_all_and_a_new_one_takes_over(host, peers, inbox):
    p = pair_4_6(host)[0]
    admit(host, peers, p)
    before = host.policies(), host.table(), set(host.states())
    reqid, old = reqid_of(host, p), p.esp
    kill(host)
    assert (host.policies(), host.table(), set(host.states())) == before
    host.start()
    host.wire.send(ip(p.address, p.local, 50, old.seal(datagram(p, 5001))))
    assert TENANT in inbox.recv(2048)
    # The same peer gets the same reqid; its new SAs replace the ones that nobody can count for any more.
    host.admit(p)
    assert reqid_of(host, p) == reqid and set(host.states()) == {p.spi_in, p.spi_out}
    assert (host.policies(), host.table()) == before[:2]


def test_what_nobody_asks_for_again_goes_after_the_deadline(host, peers):
    p = pair_4_6(host)[0]
    host.admit(p)
    kill(host)
    host.start("reconcile=3600", "orphan-deadline=1")
    host.backend.wait_line(r"2 SAs of a former process deleted")
    assert host.states() == {} and host.policies() == general()
    assert host.table()["vni4"] == set()
    restart(host)


@pytest.mark.smoke
def test_an_orderly_end_takes_the_sas_along_and_leaves_the_blocks(host, peers):
    p = pair_4_6(host)[0]
    host.admit(p)
    assert host.backend.stop() == 0
    assert host.states() == {} and general() <= host.policies()
    table = host.table()
    assert table["vxlan"] == {(4789,)} and table["vni4"] == set()
    host.run("--remove")
    assert host.policies() == set() and host.table() is None
    host.start()


def timed(record_property, what, action):
    start = time.monotonic()
    action()
    took = round(time.monotonic() - start, 2)
    record_property(what, took)
    print(f"\n{what}: {took} s")
    return took


def test_a_thousand_sas_in_one_commit(host, peers, record_property):
    """500 peers: grants and policies in one batch, SAs in another, then the grants are withdrawn."""
    many = [Peer(host, f"nve-{n}", f"192.0.{3 + n // 250}.{1 + n % 250}", VNS) for n in range(500)]
    backend = host.backend
    peers += many
    timed(record_property, "admit_500", lambda: backend.ok(backend.authz, [c for p in many for c in p.admission()]))
    calls = [c for p in many for c in p.new_sas()]
    took = timed(record_property, "add_1000_sas", lambda: backend.ok(backend.engine, calls))
    assert took < 30
    assert len(host.states()) == 1000 and len(backend.sa_list()) == 1000
    assert len(host.policies()) == 1500 + len(general()) and len(host.table()["vni4"]) == 1000
    timed(record_property, "withdraw_500", lambda: host.withdraw(*many))
    assert host.states() == {} and host.policies() == general() and host.table()["vni4"] == set()
