# SPDX-License-Identifier: ISC
"""The lane itself: this is the guest's kernel, and it has the ESP and nftables that the backend needs."""

import json
import os

import pytest
from lab import netlab, pcapread

pytestmark = pytest.mark.smoke

AEAD = f"aead 'rfc4106(gcm(aes))' 0x{'5a' * 20} 128"
SUITES = {
    "aes-gcm": AEAD,
    "aes-gmac": f"aead 'rfc4543(gcm(aes))' 0x{'5a' * 20} 128",
    "chacha20-poly1305": f"aead 'rfc7539esp(chacha20,poly1305)' 0x{'5a' * 36} 128",
    "aes-cbc": f"enc 'cbc(aes)' 0x{'5a' * 32} auth-trunc 'hmac(sha256)' 0x{'5a' * 32} 128",
}
# Who may send on which VNI, by the reqid of the SA that the datagram came through.
RULES = """
table inet overlock {
  set authz { typeof ipsec in reqid . @th,96,24; }
  chain in { type filter hook input priority -10;
    udp dport 4789 meta secpath missing counter drop
    udp dport 4789 ipsec in reqid . @th,96,24 @authz counter accept
    udp dport 4789 counter drop
  }
  chain out { type filter hook output priority -10; udp dport 4789 rt ipsec missing counter drop; }
}
add element inet overlock authz { 7 . 42 }
"""
HOSTS = {"a": ("192.0.2.1", "b", "192.0.2.2"), "b": ("192.0.2.2", "a", "192.0.2.1")}
SPI = {"a": 0x101, "b": 0x202}


def protect(lab):
    """Transport-mode ESP for VXLAN, both ways, as `ip xfrm` makes it; reqid 7."""
    for name, (own, other, far) in HOSTS.items():
        for src, dst, spi in ((own, far, SPI[name]), (far, own, SPI[other])):
            lab.sh(name, f"ip xfrm state add src {src} dst {dst} proto esp spi {spi} reqid 7 "
                         f"mode transport replay-window 32 {AEAD}")
        for way, src, dst in (("out", own, far), ("in", far, own)):
            lab.sh(name, f"ip xfrm policy add src {src} dst {dst} proto udp dport 4789 dir {way} "
                         "tmpl proto esp reqid 7 mode transport")


def tunnel(lab, vni):
    """A VXLAN device on both hosts, 10.VNI.0.1 and .2, that sends nothing by itself (no IPv6, so no MLD)."""
    for name, (own, _, far) in HOSTS.items():
        lab.sh(name, f"ip link add vx{vni} type vxlan id {vni} local {own} remote {far} dstport 4789 && "
                     f"echo 1 >/proc/sys/net/ipv6/conf/vx{vni}/disable_ipv6 && "
                     f"ip addr add 10.{vni}.0.{own[-1]}/24 dev vx{vni} && ip link set vx{vni} up")


@pytest.fixture
def hosts():
    with netlab.Lab("k") as lab:
        for name in HOSTS:
            lab.ns(name)
        lab.link("a", "eth0", "b", "eth0")
        for name, (own, _, _) in HOSTS.items():
            lab.addr(name, "eth0", own + "/24")
        yield lab


def census(lab, action):
    path = os.path.join(lab.dir, "underlay.pcap")
    capture = lab.capture("b", "eth0", path)
    result = action()
    lab.stop_capture(capture)
    return result, pcapread.census(path)


def test_the_running_kernel_is_the_guests():
    modules = os.path.join(os.environ["OVERLOCK_BUILD"], "kernel/root/lib/modules")
    assert os.listdir(modules) == [os.uname().release]


def test_vxlan_passes_over_esp_and_the_underlay_shows_esp_alone(hosts):
    protect(hosts)
    tunnel(hosts, 42)
    (sent, got), seen = census(hosts, lambda: hosts.ping("a", "10.42.0.2"))
    assert got == sent
    assert seen["esp"] >= 2 * sent and set(seen) <= {"esp", "arp", "nd", "mld"}, seen


def test_without_policies_the_underlay_shows_plaintext(hosts):
    tunnel(hosts, 42)
    (sent, got), seen = census(hosts, lambda: hosts.ping("a", "10.42.0.2"))
    assert got == sent
    assert seen["vxlan"] >= 2 * sent and seen["esp"] == 0, seen


@pytest.mark.parametrize("suite", SUITES)
def test_every_suite_has_its_modules(hosts, suite):
    hosts.sh("a", "ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x303 reqid 7 mode transport "
                  f"replay-window 64 flag esn {SUITES[suite]}")
    assert "proto esp spi 0x00000303" in hosts.sh("a", "ip xfrm state")


def counters(lab, ns, chain):
    """Packets counted by each rule of the chain, in order."""
    listed = json.loads(lab.sh(ns, f"nft -j list chain inet overlock {chain}"))["nftables"]
    return [e["counter"]["packets"] for r in listed if "rule" in r for e in r["rule"]["expr"] if "counter" in e]


@pytest.fixture
def tunnels(hosts):
    protect(hosts)
    for vni in (42, 43):
        tunnel(hosts, vni)
    yield hosts


def test_an_unauthorized_vni_of_a_keyed_sender_is_dropped_and_counted(tunnels):
    tunnels.run(None, ["ip", "netns", "exec", tunnels.prefix + "-b", "nft", RULES])
    sent, got = tunnels.ping("a", "10.42.0.2")
    assert got == sent
    before = counters(tunnels, "b", "in")
    assert before[0] == 0 and before[1] >= sent and before[2] == 0
    _, got = tunnels.ping("a", "10.43.0.2", count=2, timeout=3)
    after = counters(tunnels, "b", "in")
    assert got == 0
    assert after[0] == 0 and after[2] > 0


def test_without_rules_every_vni_of_a_keyed_sender_passes(tunnels):
    for vni in (42, 43):
        sent, got = tunnels.ping("a", f"10.{vni}.0.2")
        assert got == sent


def test_rules_drop_plaintext_on_both_sides(hosts):
    tunnel(hosts, 42)
    for name, chain, rule in (("b", "in", 0), ("a", "out", 0)):
        hosts.run(None, ["ip", "netns", "exec", f"{hosts.prefix}-{name}", "nft", RULES])
        _, got = hosts.ping("a", "10.42.0.2", count=2, timeout=3)
        assert got == 0 and counters(hosts, name, chain)[rule] > 0
