# SPDX-License-Identifier: ISC
"""The lane itself: this is the guest's kernel, and it has the ESP and nftables that the backend needs."""

import os

import pytest
from lab import netlab, pcapread

pytestmark = pytest.mark.smoke

KEY = "0x" + "5a" * 20
AEAD = f"aead 'rfc4106(gcm(aes))' {KEY} 128"
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
    """A VXLAN device on both hosts, 10.VNI.0.1 and .2, addressed statically."""
    for name, (own, _, far) in HOSTS.items():
        lab.sh(name, f"ip link add vx{vni} type vxlan id {vni} local {own} remote {far} dstport 4789 && "
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
