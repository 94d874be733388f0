# SPDX-License-Identifier: ISC
"""pcap-backend between real interfaces: two of them in namespaces, a router between their subnets."""

import os
import re
import socket
import struct
import sys
import time

import pytest
from scapy.all import ESP, ICMP, IP, UDP, Ether, IPv6, PcapReader, raw
from scapy.layers.inet6 import ICMPv6DestUnreach

from lab import backend_driver as bd
from lab.netlab import Lab, program

A4, B4, A6, B6 = "10.1.0.2", "10.2.0.2", "fd00:1::2", "fd00:2::2"
VNS = (5001, 5002)

HOLD_PORT = """
import socket, sys
s = [socket.socket(f, socket.SOCK_DGRAM) for f in (socket.AF_INET, socket.AF_INET6)]
s[1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
s[0].bind(("0.0.0.0", 4500)); s[1].bind(("::", 4500))
print("bound", flush=True)
sys.stdin.read(); import signal; signal.pause()
"""


def make_lab():
    """a - r - b, with a tenant in each VN behind a and behind b."""
    lab = Lab("pb")
    for ns in ("a", "r", "b"):
        lab.ns(ns)
    for ns, up4, up6 in (("a", "10.1.0", "fd00:1"), ("b", "10.2.0", "fd00:2")):
        lab.link(ns, "wire0", "r", f"to{ns}")
        lab.addr(ns, "wire0", f"{up4}.2/24")
        lab.addr(ns, "wire0", f"{up6}::2/64")
        lab.addr("r", f"to{ns}", f"{up4}.1/24")
        lab.addr("r", f"to{ns}", f"{up6}::1/64")
        lab.sh(ns, f"ip route add default via {up4}.1 && ip -6 route add default via {up6}::1")
        for vn in VNS:
            tenant = f"{ns}{vn}"
            lab.ns(tenant)
            lab.link(tenant, "eth0", ns, f"ten{vn}")
            lab.sh(tenant, "ip link set eth0 mtu 1350")
            lab.addr(tenant, "eth0", f"192.168.1.{1 if ns == 'a' else 2}/24")
            lab.addr(tenant, "eth0", f"fd01::{1 if ns == 'a' else 2}/64")
        # The daemon holds this port in real life.
        lab.spawn(ns, [sys.executable, "-c", HOLD_PORT]).wait_line("bound")
    lab.sh("r", "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    return lab


def start(lab, ns, *extra):
    options = ["wire=wire0", *(f"tenant.{vn}=ten{vn}" for vn in VNS), *extra]
    return bd.Backend(program("pcap-backend"), options, f"{lab.prefix}-{ns}")


class Net:
    """The lab with a backend on each side."""

    def __init__(self):
        self.lab = make_lab()
        self.a = self.b = None
        self.a = start(self.lab, "a")
        self.b = start(self.lab, "b")

    def restart_b(self, *extra):
        assert self.b.stop() == 0
        self.b = start(self.lab, "b", *extra)

    def ping(self, vn=5001, six=False, count=2, size=56, timeout=15):
        """How many answers came. It ends with the last one that is waited for."""
        dst = "fd01::2" if six else "192.168.1.2"
        return self.lab.ping(f"a{vn}", dst, count=count, size=size, timeout=timeout)[1]

    def no_answer(self, vn=5001, count=2, size=56):
        return self.ping(vn, count=count, size=size, timeout=1) == 0

    def close(self):
        for box in (self.a, self.b):
            if box is not None:
                box.stop()
        self.lab.close()


@pytest.fixture(scope="module", name="net")
def fixture_net():
    net = Net()
    yield net
    net.close()


@pytest.fixture(autouse=True)
def fixture_clean(net):
    """Whatever a test left behind, the next one begins without SAs."""
    yield
    for box in (net.a, net.b):
        if box.popen.poll() is None:
            box.ok(box.authz, [(bd.BK_FLUSH_OWN, b"")])


def forbidden(path):
    """Packets of a capture of the underlay that may not be there."""
    bad = []
    with PcapReader(path) as packets:
        for p in packets:
            if p.haslayer(ICMPv6DestUnreach) or (p.haslayer(ICMP) and p[ICMP].type == 3):
                bad.append(p.summary())
            elif p.haslayer(UDP) and 4789 in (p[UDP].sport, p[UDP].dport):
                bad.append(p.summary())
            elif p.haslayer(IP) and p[IP].src.startswith("192.168.1."):
                bad.append(p.summary())
    return bad


def count_esp(path, encap, src=None):
    n = 0
    with PcapReader(path) as packets:
        for p in packets:
            if src is not None and not (p.haslayer(IP) and p[IP].src == src):
                continue
            proto = p[IP].proto if p.haslayer(IP) else p[IPv6].nh if p.haslayer(IPv6) else 0
            if proto == 50:
                assert not encap
                n += 1
            elif proto == 17 and p.haslayer(UDP) and p[UDP].dport == 4500:
                assert encap
                n += 1
    return n


@pytest.mark.parametrize("encap", [False, True], ids=["esp", "udp"])
@pytest.mark.parametrize("mode", [bd.TRANSPORT, bd.TUNNEL], ids=["transport", "tunnel"])
@pytest.mark.parametrize("ends", [(A4, B4), (A6, B6)], ids=["v4", "v6"])
def test_tenants_reach_each_other_through_a_router(net, ends, mode, encap):
    path = f"{net.lab.dir}/wire.pcap"
    capture = net.lab.capture("r", "toa", path)
    pair = bd.Pair(net.a, net.b, *ends, mode=mode, encap=encap)
    for vn in VNS:
        assert net.ping(vn) == 2
        assert net.ping(vn, six=True) == 2
    net.lab.stop_capture(capture)
    pair.drop()
    assert forbidden(path) == []
    assert count_esp(path, encap) >= 16
    assert net.no_answer(count=1)


SERVE = """
import socket
s = socket.create_server(("192.168.1.2", 7777)); u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("192.168.1.2", 7777)); print("serving", flush=True)
c, _ = s.accept()
data = b""
while len(data) < 100000:
    data += c.recv(65536)
c.sendall(data[::-1])
d, who = u.recvfrom(2000); u.sendto(d[::-1], who)
print("done", flush=True)
"""
ASK = """
import os, socket
data = os.urandom(100000)
c = socket.create_connection(("192.168.1.2", 7777), 20); back = b""
c.settimeout(20)
for i in range(0, len(data), 1000):
    c.sendall(data[i:i + 1000])
while len(back) < len(data):
    back += c.recv(65536)
assert back == data[::-1]
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(20)
u.sendto(b"abc", ("192.168.1.2", 7777)); assert u.recv(2000) == b"cba"
"""


def test_tcp_and_udp_pass_though_tenants_leave_checksums_to_hardware(net):
    # A veth never computes checksums of its own; segments it would hand over whole are too long.
    for ns in ("a5001", "b5001"):
        net.lab.sh(ns, "ip link set eth0 gso_max_segs 1")
        net.lab.sh(ns, "ethtool -K eth0 tx on", check=False)    # the lab had it off, where it could
    pair = bd.Pair(net.a, net.b, A4, B4)
    server = net.lab.spawn("b5001", [sys.executable, "-c", SERVE])
    server.wait_line("serving")
    net.lab.run("a5001", [sys.executable, "-c", ASK])
    server.wait_line("done")
    pair.drop()


def test_vni_that_was_not_granted_is_dropped_at_egress(net):
    pair = bd.Pair(net.a, net.b, A4, B4, b_grants=(5001,))
    assert net.ping(5001) == 2
    assert net.no_answer(5002)
    assert net.b.counter("drop.vni-not-granted", "nve-a", 5002) >= 2
    assert any("5002" in line and "nve-a" in line for line in net.b.lines)
    pair.drop()


def test_without_the_egress_check_the_same_frames_pass(net):
    net.restart_b("unsafe-no-vni-check=yes")
    assert any("UNSAFE" in line for line in net.b.lines)
    net.b.ok(net.b.authz, [(bd.BK_FLUSH_OWN, b"")])
    pair = bd.Pair(net.a, net.b, A4, B4, b_grants=(5001,))
    # b may not answer in this VN either, so look at what it let through.
    assert net.no_answer(5002)
    assert net.b.counter("unsafe.vni-not-granted") >= 2
    assert net.b.counter("in.packets") >= 2
    assert net.b.counter("drop.vni-not-granted", "nve-a", 5002) == 0
    pair.drop()
    net.restart_b()


def sniffed_esp(net, send, spi, least=0):
    """An ESP packet of this SPI and size as the router forwards it, while send() makes traffic."""
    argv = ["tcpdump", "-U", "--immediate-mode", "-n", "-Z", "root", "-i", "tob", "-c", "1", "-w",
            f"{net.lab.dir}/one.pcap", f"esp and ip[20:4] = {spi:#x} and greater {least}"]
    p = net.lab.spawn("r", argv)
    p.wait_line("listening on")
    send()
    assert p.wait(20) == 0
    with PcapReader(f"{net.lab.dir}/one.pcap") as packets:
        return packets.read_packet()


INJECT = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
s.sendto(bytes.fromhex(sys.argv[1]), (sys.argv[2], 0))
"""


def inject(net, packet, dst=B4):
    net.lab.run("r", [sys.executable, "-c", INJECT, raw(packet).hex(), dst])


def eventually(ask, want, timeout=20):
    """Wait until ask() says what is wanted: packets need a moment to cross the lab."""
    deadline = time.monotonic() + timeout
    while True:
        got = ask()
        if got == want or time.monotonic() > deadline:
            return got


def echoes(net, n):
    """tcpdump that ends after n echo requests of 300 octets have come to the tenant behind b."""
    p = net.lab.spawn("b5001", ["tcpdump", "-U", "--immediate-mode", "-n", "-Z", "root", "-i", "eth0", "-c", str(n),
                                "-w", f"{net.lab.dir}/echoes.pcap", "icmp[icmptype] = 8 and greater 300"])
    p.wait_line("listening on")
    return p


@pytest.mark.parametrize("safe", [True, False], ids=["checked", "unchecked"])
def test_replayed_packet(net, safe):
    net.restart_b(*([] if safe else ["unsafe-no-replay-check=yes"]))
    pair = bd.Pair(net.a, net.b, A4, B4)
    assert net.ping(count=1) == 1                      # addresses are resolved
    seen = echoes(net, 2)
    packet = sniffed_esp(net, lambda: net.ping(count=1, size=300), pair.spis[0], 300)
    assert ESP in packet
    before = net.b.counter("drop.replay")
    inject(net, packet[IP])
    if safe:
        assert eventually(lambda: net.b.counter("drop.replay"), before + 1) == before + 1
        # A second one that is no replay: it ends the capture, so what was replayed is not in it.
        assert net.ping(count=1, size=301) == 1
        assert seen.wait(20) == 0
        with PcapReader(f"{net.lab.dir}/echoes.pcap") as packets:
            assert [len(p[ICMP].payload) for p in packets] == [300, 301]
    else:
        assert seen.wait(20) == 0
        with PcapReader(f"{net.lab.dir}/echoes.pcap") as packets:
            first, second = packets
        assert raw(first) == raw(second)
        assert net.b.counter("unsafe.replay") > 0
        net.restart_b()


def test_forged_outer_source_is_dropped(net):
    pair = bd.Pair(net.a, net.b, A4, B4)
    packet = sniffed_esp(net, net.ping, pair.spis[0])[IP]
    # A fresh packet is kept from b by the router, its source is changed, and then it is let through.
    net.lab.sh("r", "ip route add blackhole 10.2.0.2/32")
    argv = ["tcpdump", "-U", "--immediate-mode", "-n", "-Z", "root", "-i", "toa", "-c", "1", "-w",
            f"{net.lab.dir}/held.pcap", "esp and dst host 10.2.0.2"]
    p = net.lab.spawn("r", argv)
    p.wait_line("listening on")
    assert net.no_answer(count=1)
    assert p.wait(20) == 0
    net.lab.sh("r", "ip route del blackhole 10.2.0.2/32")
    with PcapReader(f"{net.lab.dir}/held.pcap") as packets:
        packet = packets.read_packet()[IP]
    before = net.b.counter("drop.bad-selector")
    packet.src = "10.1.0.77"
    del packet.chksum
    inject(net, packet)
    assert eventually(lambda: net.b.counter("drop.bad-selector"), before + 1) == before + 1
    pair.drop()


def test_esp_of_no_sa_is_answered_by_silence(net):
    path = f"{net.lab.dir}/silence.pcap"
    before = net.b.counter("drop.unknown-spi")
    capture = net.lab.capture("r", "tob", path)
    for i in range(5):
        inject(net, IP(src="10.2.0.1", dst=B4, proto=50) / struct.pack(">II", 0xdead0000 + i, 1) / (b"x" * 40))
    assert eventually(lambda: net.b.counter("drop.unknown-spi"), before + 5) == before + 5
    # An echo behind them: had there been an answer, it would have come before.
    net.lab.sh("r", f"ping -c 1 -W 5 {B4}")
    net.lab.stop_capture(capture)
    assert forbidden(path) == []
    with PcapReader(path) as packets:
        assert sum(1 for p in packets if p.haslayer(IP) and p[IP].proto == 50) == 5


def test_plaintext_vxlan_is_not_let_in(net):
    before = net.b.counter("drop.plaintext")
    frames = net.b.counter("in.packets")
    inner = Ether(src="02:00:00:00:00:01", dst="ff:ff:ff:ff:ff:ff") / IP(src="192.168.1.1", dst="192.168.1.2") / ICMP()
    vxlan = bytes([8, 0, 0, 0]) + (5001 << 8).to_bytes(4, "big") + raw(inner)
    inject(net, IP(src=A4, dst=B4) / UDP(sport=55555, dport=4789) / vxlan)
    assert eventually(lambda: net.b.counter("drop.plaintext"), before + 1) == before + 1
    assert net.b.counter("in.packets") == frames


def test_without_an_sa_nothing_leaves_and_one_is_asked_for(net):
    path = f"{net.lab.dir}/closed.pcap"
    pair = bd.Pair(net.a, net.b, A4, B4)
    assert net.ping() == 2
    net.a.ok(net.a.engine, [(bd.BK_SA_DEL, struct.pack(">BI", bd.SA_OUT, pair.spis[0]) + bd.addr(B4))])
    capture = net.lab.capture("r", "toa", path)
    assert net.no_answer(count=3)
    node = net.a.engine.expect(bd.BK_ACQUIRE)
    assert b"nve-b" in node and b"vxlan" in node
    net.lab.stop_capture(capture)
    assert forbidden(path) == []
    assert count_esp(path, False, src=A4) == 0
    assert net.a.counter("drop.no-sa", "nve-b") >= 3
    pair.drop()


def test_sas_outlive_their_engine_until_new_ones_come(net):
    pair = bd.Pair(net.a, net.b, A4, B4)
    assert net.ping() == 2
    net.a.reconnect_engine()
    net.b.reconnect_engine()
    assert net.ping() == 2
    assert net.a.sas() == 2
    pair.rekey()
    assert net.a.sas() == 2
    assert net.ping() == 2
    pair.drop()


def test_rekey_loses_nothing(net):
    pair = bd.Pair(net.a, net.b, A4, B4)
    assert net.ping(count=1) == 1
    pinger = net.lab.spawn("a5001", ["ping", "-n", "-i", "0.01", "-c", "200", "192.168.1.2"])
    pinger.wait_line("icmp_seq=20 ")
    for _ in range(5):
        pair.rekey()
    pinger.wait_line(r"200 packets transmitted, 200 received, 0% packet loss")
    pair.drop()


def test_oversize_is_counted_and_explained(net):
    pair = bd.Pair(net.a, net.b, A4, B4)
    for ns in ("a5001", "b5001"):
        net.lab.sh(ns, "ip link set eth0 mtu 1500")
    assert net.ping(count=1) == 1
    assert net.ping(count=1, size=1416 - 28) == 1
    assert net.no_answer(count=1, size=1417 - 28)
    assert net.a.counter("drop.too-big") >= 1
    assert any(re.search(r"MTU is at most 1416 ", line) for line in net.a.lines)
    for ns in ("a5001", "b5001"):
        net.lab.sh(ns, "ip link set eth0 mtu 1350")
    pair.drop()


def test_tenant_port_comes_back(net):
    pair = bd.Pair(net.a, net.b, A4, B4)
    net.lab.sh("b", "ip link del ten5001")
    assert eventually(lambda: any("is gone" in line for line in net.b.lines), True)
    net.lab.link("b5001", "eth0", "b", "ten5001")
    net.lab.sh("b5001", "ip link set eth0 mtu 1350")
    net.lab.addr("b5001", "eth0", "192.168.1.2/24")
    net.lab.addr("b5001", "eth0", "fd01::2/64")
    assert eventually(lambda: any("is there again" in line for line in net.b.lines), True)
    net.lab.sh("a5001", "ip neigh flush all")          # it is another interface, with another address
    assert net.ping() == 2
    pair.drop()


def cpu_ms(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 // os.sysconf("SC_CLK_TCK")


def test_underlay_goes_down_and_up_again(net):
    pair = bd.Pair(net.a, net.b, A4, B4)
    assert net.ping() == 2
    before = cpu_ms(net.b.popen.pid)
    net.lab.sh("b", "ip link set wire0 down")
    assert net.no_answer()
    # A second without an underlay is no second of waiting busily.
    assert cpu_ms(net.b.popen.pid) - before < 500
    net.lab.sh("b", "ip link set wire0 up && ip route add default via 10.2.0.1")
    net.lab.addr("b", "wire0", "fd00:2::2/64")
    net.lab.sh("b", "ip -6 route add default via fd00:2::1")
    assert net.ping() == 2
    pair.drop()


@pytest.mark.parametrize("options,words", [
    (["tenant.5001=ten5001"], "wire is missing"),
    (["wire=nosuch0", "local=10.1.0.2"], "nosuch0 is not there"),
    (["wire=wire0", "tenant.1=nosuch1"], "nosuch1 is not there"),
    (["wire=wire0", "colour=red"], "colour: pcap-backend has no such option"),
    (["wire=wire0", "natt-port=0"], "natt-port = 0: give a UDP port"),
])
def test_bad_configuration_is_told_in_one_line(net, options, words):
    with pytest.raises(bd.DriverError, match="exit 2: ") as caught:
        bd.Backend(program("pcap-backend"), options, f"{net.lab.prefix}-a")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_backend_ends_cleanly(net):
    assert net.a.stop() == 0
    assert net.b.stop() == 0
    assert socket.if_nameindex()
