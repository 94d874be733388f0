# SPDX-License-Identifier: ISC
"""Wireshark's dissector, an ESP of somebody else's, reads what --offline writes, given the keys."""

import os
import subprocess

import pytest
from scapy.all import ICMP, IP, Ether, IPv6, Raw, wrpcap, rdpcap
from scapy.layers.inet6 import ICMPv6EchoRequest

from lab.netlab import program

KEYS = {"aes128gcm16": 20, "aes256gcm16": 36}
ENDS = {"v4": ("10.0.0.1", "10.0.0.2", "IPv4"), "v6": ("2001:db8::1", "2001:db8::2", "IPv6")}


def offline(*args):
    return subprocess.run([program("pcap-backend"), "--offline", *args], capture_output=True, text=True)


def tenant_frames():
    ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    return [ether / IP(src="192.168.1.1", dst="192.168.1.2") / ICMP(seq=i) / Raw(b"overlock" * i)
            for i in range(20)] + [
        ether / IPv6(src="fd01::1", dst="fd01::2") / ICMPv6EchoRequest(seq=99)]


def keys_file(path, family, mode, encap, transform, key, vnis="5001"):
    src, dst, _ = ENDS[family]
    path.write_text(f"[sa]\nspi = 0x1001\nsrc = {src}\ndst = {dst}\nmode = {mode}\n"
                    + (f"encap = {encap}\n" if encap else "")
                    + f"transform = {transform}\nkey = {key.hex()}\nvnis = {vnis}\n")


def tshark(path, family, key, *fields):
    src, dst, proto = ENDS[family]
    uat = (f'uat:esp_sa:"{proto}","{src}","{dst}","0x00001001",'
           f'"AES-GCM with 16 octet ICV [RFC4106]","0x{key.hex()}","NULL",""')
    argv = ["tshark", "-r", str(path), "-o", "esp.enable_encryption_decode:TRUE", "-o",
            "esp.enable_authentication_check:TRUE", "-o", uat, "-T", "fields", "-E", "occurrence=a"]
    for f in fields:
        argv += ["-e", f]
    r = subprocess.run(argv, capture_output=True, text=True, env=dict(os.environ, HOME="/nonexistent"))
    assert r.returncode == 0, r.stderr
    return [line.split("\t") for line in r.stdout.splitlines()]


@pytest.mark.parametrize("transform", list(KEYS))
@pytest.mark.parametrize("encap", [None, "4500:4500"], ids=["esp", "udp"])
@pytest.mark.parametrize("mode", ["transport", "tunnel"])
@pytest.mark.parametrize("family", list(ENDS))
def test_tshark_decrypts_and_verifies(tmp_path, family, mode, encap, transform):
    key = bytes(range(KEYS[transform]))
    frames = tenant_frames()
    wrpcap(str(tmp_path / "in.pcap"), frames)
    keys_file(tmp_path / "keys", family, mode, encap, transform, key)
    r = offline("--keys", tmp_path / "keys", "--read", tmp_path / "in.pcap", "--write", tmp_path / "out.pcap")
    assert r.returncode == 0, r.stderr
    assert "encapsulate" in r.stdout
    rows = tshark(tmp_path / "out.pcap", family, key, "esp.sequence", "esp.icv_good", "vxlan.vni",
                  "icmp.seq", "icmpv6.echo.sequence_number", "udp.dstport", "_ws.malformed")
    assert len(rows) == len(frames)
    for i, (seq, good, vni, icmp, icmpv6, ports, malformed) in enumerate(rows):
        assert int(seq) == i + 1
        assert good == "1"
        assert vni == "5001"
        assert malformed == ""
        assert ports.split(",")[-1] == "4789"
        if i < 20:
            assert int(icmp.split(",")[0]) == i
        else:
            assert icmpv6 == "99"


def test_with_another_key_tshark_sees_nothing(tmp_path):
    key = bytes(range(20))
    wrpcap(str(tmp_path / "in.pcap"), tenant_frames())
    keys_file(tmp_path / "keys", "v4", "transport", None, "aes128gcm16", key)
    assert offline("--keys", tmp_path / "keys", "--read", tmp_path / "in.pcap", "--write",
                   tmp_path / "out.pcap").returncode == 0
    wrong = bytes(20)
    rows = tshark(tmp_path / "out.pcap", "v4", wrong, "esp.icv_good", "vxlan.vni")
    assert all(vni == "" and good != "1" for good, vni in rows)


def test_round_trip_gives_the_same_frames(tmp_path):
    frames = tenant_frames()
    wrpcap(str(tmp_path / "in.pcap"), frames)
    keys_file(tmp_path / "keys", "v6", "tunnel", "4500:4500", "aes256gcm16", bytes(range(36)))
    assert offline("--keys", tmp_path / "keys", "--read", tmp_path / "in.pcap", "--write",
                   tmp_path / "esp.pcap").returncode == 0
    r = offline("--keys", tmp_path / "keys", "--read", tmp_path / "esp.pcap", "--write", tmp_path / "back.pcap")
    assert r.returncode == 0
    assert "decapsulate" in r.stdout
    back = rdpcap(str(tmp_path / "back.pcap"))
    assert [bytes(p) for p in back] == [bytes(p) for p in frames]
    assert [round(float(p.time), 5) for p in back] == \
        [round(float(p.time), 5) for p in rdpcap(str(tmp_path / "in.pcap"))]


@pytest.mark.parametrize("change,words", [
    (("spi = 0x1001", "spi = 5"), ":2: spi: give 256 to"),
    (("transform = aes128gcm16", "transform = rot13"), ":6: transform: give"),
    (("vnis = 5001", "vni = 5001"), ":8: there is no vni"),
    (("[sa]", "[SA]"), ":1: only sections"),
])
def test_bad_keys_file_is_told_by_line(tmp_path, change, words):
    wrpcap(str(tmp_path / "in.pcap"), tenant_frames())
    keys = tmp_path / "keys"
    keys_file(keys, "v4", "transport", None, "aes128gcm16", bytes(20))
    keys.write_text(keys.read_text().replace(*change))
    r = offline("--keys", keys, "--read", tmp_path / "in.pcap", "--write", tmp_path / "out.pcap")
    assert r.returncode == 2
    assert f"{keys}{words}" in r.stderr
    assert len(r.stderr.splitlines()) == 1


def test_exit_codes(tmp_path):
    wrpcap(str(tmp_path / "in.pcap"), tenant_frames())
    keys = tmp_path / "keys"
    keys_file(keys, "v4", "transport", None, "aes128gcm16", bytes(20))
    out = ("--write", tmp_path / "out.pcap")
    assert offline("--keys", keys).returncode == 2
    assert offline("--keys", keys, "--read", "/nonexistent", *out).returncode == 2
    assert offline("--keys", "/nonexistent", "--read", tmp_path / "in.pcap", *out).returncode == 2
    assert offline("--keys", keys, "--read", keys, *out).returncode == 2
    assert offline("--keys", keys, "--read", tmp_path / "in.pcap", *out, "--vni", "x").returncode == 2
    # No frame of it is ESP: nothing comes out.
    assert offline("--keys", keys, "--read", tmp_path / "in.pcap", *out, "--decapsulate").returncode == 1
    assert subprocess.run([program("pcap-backend"), "--help"], capture_output=True).returncode == 0
    assert subprocess.run([program("pcap-backend"), "--version"], capture_output=True).returncode == 0
    # Not started by a daemon.
    assert subprocess.run([program("pcap-backend"), "wire=lo"], capture_output=True).returncode == 2
