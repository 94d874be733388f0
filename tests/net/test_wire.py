# SPDX-License-Identifier: ISC
"""Datagrams that are no IKE: counted, hardly logged, without effect on what stands."""

import random
import socket
import struct

import pytest
from lab import netlab, pcapread
from lab.fleet import Fleet


@pytest.fixture(scope="module")
def fleet():
    with netlab.Lab("w") as lab:
        f = Fleet(lab, nodes=2, vnis=(5001,))
        f.build()
        f.serve()
        f.start(1)
        f.start(2)
        f.wait_up(1, 2)
        f.wait_up(2, 1)
        yield f


def shower(fleet, datagrams, port=500, host="192.0.2.1"):
    """Send from the NVA's host, which is no peer."""
    path = fleet.lab.dir + "/shower"
    with open(path, "wb") as f:
        for d in datagrams:
            f.write(struct.pack("!H", len(d)) + d)
    fleet.lab.run("nva", ["/usr/bin/python3", "-c", f"""
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
data = open({path!r}, 'rb').read()
while data:
    n, = struct.unpack('!H', data[:2])
    s.sendto(data[2:2 + n], ({host!r}, {port}))
    data = data[2 + n:]
"""])


def engine(fleet):
    return fleet.ctl(1, "counters")["engine"]


def header(length=None, spi_i=1, spi_r=0, next_payload=33, version=0x20, exchange=34, flags=8, mid=0,
           body=b""):
    n = 28 + len(body) if length is None else length
    return struct.pack("!QQBBBBII", spi_i, spi_r, next_payload, version, exchange, flags, mid, n) + body


def malformed():
    rng = random.Random(2026)
    yield b""
    yield b"\0"
    yield header()[:27]
    yield header(length=4096)
    yield header(length=27)
    yield header(version=0x30)
    yield header(spi_i=0)
    yield header(body=b"\0\0\0\3")
    yield header(body=b"\0\0\xff\xff" + bytes(40))
    yield header(exchange=37, spi_r=77, flags=0x20)
    for _ in range(200):
        yield bytes(rng.randrange(256) for _ in range(rng.randrange(1, 400)))
    for _ in range(200):
        yield header(exchange=rng.choice([34, 35, 36, 37, 43, 200]), flags=rng.choice([0, 8, 0x20, 0x28]),
                     spi_r=rng.choice([0, 5]), body=bytes(rng.randrange(256) for _ in range(rng.randrange(1, 200))))


def test_malformed_datagrams_are_counted_and_change_nothing(fleet):
    before, spis = engine(fleet), {s["spi"] for s in fleet.ctl(1, "sas")["sas"]}
    peers = fleet.ctl(1, "status")["peers"]
    mark = fleet.daemons[1].mark()
    shots = list(malformed())
    shower(fleet, shots)
    assert fleet.tenant_ping(1, 2, 5001) == (3, 3)
    after = engine(fleet)
    assert after["ike.datagrams-in"] - before["ike.datagrams-in"] >= len(shots) - 1
    refused = ("malformed", "unknown-spi", "rejected", "silenced")
    assert sum(after["ike." + c] - before["ike." + c] for c in refused) > len(shots) // 2
    assert {s["spi"] for s in fleet.ctl(1, "sas")["sas"]} == spis
    now = fleet.ctl(1, "status")["peers"]
    assert [(p["node"], p["up"], p["ike_sa"]["spi_i"]) for p in now] == \
        [(p["node"], p["up"], p["ike_sa"]["spi_i"]) for p in peers]
    assert len(fleet.daemons[1].lines) - mark <= 30


def test_unverified_source_never_gets_more_octets_than_it_sent(fleet):
    """Every answer that the strange host can draw, measured on the wire in both directions."""
    path = fleet.lab.dir + "/amp.pcap"
    cap = fleet.lab.capture("nva", "eth0", path, "udp port 500 or udp port 4500")
    shower(fleet, list(malformed()))
    shower(fleet, [b"\0\0\0\0" + d for d in malformed()], port=4500)
    assert fleet.tenant_ping(1, 2, 5001) == (3, 3)
    fleet.lab.stop_capture(cap)
    sent = got = 0
    for _, f in pcapread.frames(path):
        src = socket.inet_ntoa(f[26:30])
        n = struct.unpack("!H", f[38:40])[0] - 8
        if src == "192.0.2.250":
            sent += n
        else:
            got += n
    assert sent > 10000 and got <= sent


def intruder():
    """A VXLAN datagram of VN 5001 with a broadcast frame in it."""
    inner = bytes.fromhex("ffffffffffff" "020000000001" "88b5") + b"plain-intruder" + bytes(40)
    return bytes([8, 0, 0, 0]) + (5001).to_bytes(3, "big") + b"\0" + inner


def test_plaintext_vxlan_from_the_underlay_never_reaches_a_tenant(fleet):
    """A stranger sends VXLAN in clear; the twin below shows that the same frame is well formed."""
    lab = fleet.lab
    vxlan = intruder()
    path = lab.dir + "/ten.pcap"
    cap = lab.capture("t1-5001", "eth0", path)
    shower(fleet, [vxlan] * 5, port=4789)
    assert fleet.tenant_ping(1, 2, 5001) == (3, 3)
    lab.stop_capture(cap)
    assert pcapread.holds(path, b"plain-intruder") == 0
    counters = fleet.ctl(1, "counters")["backend"]
    assert sum(c["value"] for c in counters if c["name"] == "drop.plaintext") >= 5


def test_the_twin_a_plain_vxlan_device_would_have_delivered_it(fleet):
    lab = fleet.lab
    lab.ns("plain")
    lab.link("plain", "eth0", "sw", "plain")
    lab.enslave("sw", "plain")
    lab.addr("plain", "eth0", "192.0.2.77/24")
    lab.sh("plain", "ip link add vx type vxlan id 5001 dstport 4789 local 192.0.2.77 remote 192.0.2.250 && "
                    "ip link set vx up")
    vxlan = intruder()
    path = lab.dir + "/plain.pcap"
    cap = lab.capture("plain", "vx", path)
    shower(fleet, [vxlan] * 5, port=4789, host="192.0.2.77")
    lab.ping("nva", "192.0.2.77", count=1)
    lab.stop_capture(cap)
    assert pcapread.holds(path, b"plain-intruder") == 5
