# SPDX-License-Identifier: ISC
"""ikev2d against strongSwan's charon (Debian's, kernel-libipsec), both roles, with a tenant ping.

charon plays NVE 2: a kernel VXLAN device behind its userspace ESP, which knows tunnel mode in UDP
without ESN only, so the document's channel says mode="tunnel" and both sides encapsulate.
"""

import os
import re

import pytest

from lab import netlab
from lab.charon import Charon
from lab.fleet import NS, Fleet

CONN = """
nve {{
  version = 2
  local_addrs = 192.0.2.2
  remote_addrs = 192.0.2.1
  encap = yes
  proposals = {ike}
  local {{
    auth = pubkey
    certs = peer.pem
    id = nve-2.dc1.example
  }}
  remote {{
    auth = pubkey
    id = nve-1.dc1.example
  }}
  children {{
    vx {{
      mode = tunnel
      local_ts = 192.0.2.2[udp]
      remote_ts = 192.0.2.1[udp]
      esp_proposals = aes128gcm16
    }}
  }}
}}
"""


def tunnel_mode(root):
    for ch in root.iter(f"{{{NS}}}channel"):
        ch.set("mode", "tunnel")


class Pair:
    def __init__(self, lab, key_args, ike, initiate, cookie_threshold=None):
        self.lab = lab
        self.fleet = Fleet(lab, nodes=2, vnis=(5001,), init_args=key_args)
        self.fleet.publish(tunnel_mode)
        self.fleet.build(tenants={1: [5001], 2: []}, mtu=1300)
        self.fleet.serve()
        nve2 = os.path.join(self.fleet.dir, "nve-2")
        # charon does not read the configuration of ours; it only needs this node's key and certificate
        self.charon = Charon(lab, "nve2", CONN.format(ike=ike), self.fleet.pki("device-ca.crt"),
                             os.path.join(nve2, "nve-2.crt"), os.path.join(nve2, "nve-2.key"))
        lab.sh("nve2", "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 "
                       "net.ipv4.conf.eth0.rp_filter=0 net.ipv4.conf.ipsec0.rp_filter=0; "
                       "ip link add vx0 type vxlan id 5001 dstport 4789 local 192.0.2.2 remote 192.0.2.1 && "
                       "ip addr add 10.1.0.2/24 dev vx0 && ip link set vx0 mtu 1300 up")
        self.fleet.configure(1, "ike", "initiate", "all" if initiate == "ours" else "none")
        self.fleet.configure(1, "ike", "force-encap", "yes")
        if cookie_threshold is not None:
            self.fleet.configure(1, "ike", "cookie-threshold", cookie_threshold)
        # A frame of the tenant's before the SA would be an acquire, and both sides would initiate.
        lab.sh("t1-5001", "ip link set eth0 down")
        self.cap_path = os.path.join(lab.dir, "underlay.pcap")
        self.cap = lab.capture("sw", "br0", self.cap_path)
        self.daemon = self.fleet.start(1)
        self.daemon.wait_line(r"serial 2\b")
        if initiate == "peer":
            self.charon.swanctl("--initiate", "--child", "vx", "--timeout", "20")
        self.fleet.wait_up(1, 2)
        self.charon.wait_log(r"CHILD_SA vx\{\d+\} established")
        lab.sh("t1-5001", "ip link set eth0 up")

    def our_spis(self):
        sas = self.fleet.ctl(1, "sas")["sas"]
        spi = {s["direction"]: int(s["spi"], 16) for s in sas}
        return spi["in"], spi["out"]


@pytest.mark.parametrize("initiate", ["ours", "peer"])
@pytest.mark.parametrize("key_args, ike, auth, group", [
    ((), "aes256gcm16-prfsha384-x25519", r"ECDSA_WITH_SHA256_DER|ECDSA-256", "CURVE_25519"),
    (("--rsa",), "aes256-sha256-ecp256", r"RSA_EMSA", "ECP_256"),
], ids=["ecdsa-x25519", "rsa-p256"])
def test_keys_and_ping_with_strongswan(key_args, ike, auth, group, initiate):
    with netlab.Lab("i") as lab:
        pair = Pair(lab, key_args, ike, initiate)
        log = pair.charon.log_text()
        assert re.search(r"IKE_SA nve\[\d+\] established between "
                         r"192.0.2.2\[nve-2.dc1.example\]...192.0.2.1\[nve-1.dc1.example\]", log)
        assert re.search(rf"authentication of 'nve-1.dc1.example' with ({auth})\S* successful", log)
        ours_in, ours_out = pair.our_spis()
        assert pair.charon.child_spis() == {(f"{ours_out:08x}", f"{ours_in:08x}")}
        raw = pair.charon.sas()
        assert f"dh-group={group}" in raw
        assert "mode=TUNNEL" in raw and "encap=yes" in raw
        sent, got = lab.ping("t1-5001", "10.1.0.2")
        assert got == sent
        sent, got = lab.ping("nve2", "10.1.0.1")
        assert got == sent
        pair.fleet.stop(1)
        pair.charon.wait_log(r"received DELETE for IKE_SA")
        lab.stop_capture(pair.cap)


# A request that is longer than our response: the amplification rule alone asks for no cookie then.
LONG_OFFER = ("aes256gcm16-prfsha384-x25519, aes256-aes192-aes128-sha512-sha384-sha256-ecp256-ecp384-ecp521, "
              "chacha20poly1305-prfsha512-prfsha384-prfsha256-x25519-ecp256")


def test_strongswan_answers_our_cookie_challenge():
    with netlab.Lab("i") as lab:
        pair = Pair(lab, (), LONG_OFFER, "peer", cookie_threshold=0)
        assert "N(COOKIE)" in pair.charon.log_text()
        counters = pair.fleet.ctl(1, "counters")
        assert counters["engine"]["ike.cookies-sent"] >= 1
        sent, got = lab.ping("t1-5001", "10.1.0.2")
        assert got == sent


def test_strongswan_is_not_challenged_below_the_threshold():
    """The twin of the cookie test: the same run without load needs no cookie."""
    with netlab.Lab("i") as lab:
        pair = Pair(lab, (), LONG_OFFER, "peer", cookie_threshold=64)
        assert "N(COOKIE)" not in pair.charon.log_text()
        assert pair.fleet.ctl(1, "counters")["engine"]["ike.cookies-sent"] == 0
