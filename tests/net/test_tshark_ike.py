# SPDX-License-Identifier: ISC
"""An independent reader, given the keys, sees in our IKE messages what is meant to be in them."""

import os
import re
import subprocess

import pytest

SUITES = ["gcm256", "gcm128", "cbc128", "cbc256", "cbc256-sha384"]
FIELDS = ["isakmp.exchangetype", "isakmp.messageid", "isakmp.flags", "isakmp.typepayload",
          "isakmp.notify.msgtype", "isakmp.id.data.fqdn", "isakmp.ts.start_ipv4", "isakmp.ts.protoid",
          "isakmp.spi", "_ws.expert", "_ws.malformed", "isakmp.auth.method", "isakmp.ts.type"]

SA, KE, IDI, IDR, CERT, CERTREQ, AUTH, NONCE, N, D, V, TSI, TSR, SK = map(str, range(33, 47))
TRANSPORT_MODE, INITIAL_CONTACT = "16391", "16384"


def capture(tmp_path, suite, *options):
    tool = os.path.join(os.environ["OVERLOCK_BUILD"], "tests", "tools", "ike_capture")
    path = str(tmp_path / "ike.pcap")
    r = subprocess.run([tool, suite, path, *options], capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stderr
    table, esp = r.stdout.splitlines()
    return path, table, esp.split()[1:]


def tshark(path, table, *more):
    argv = ["tshark", "-r", path, *more]
    if table:
        argv += ["-o", "uat:ikev2_decryption_table:" + table]
    r = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stderr
    return r.stdout


def messages(path, table):
    out = tshark(path, table, "-T", "fields", "-E", "occurrence=a", "-E", "separator=|",
                 *[x for f in FIELDS for x in ("-e", f)])
    return [dict(zip(FIELDS, [v.split(",") if v else [] for v in line.split("|")]))
            for line in out.splitlines()]


def decrypted(dump):
    """The octets under all "Decrypted Data" heads of a hex dump."""
    out, inside = b"", False
    for line in dump.splitlines():
        head = re.match(r"(?:\S.*) \(\d+ bytes\):", line)
        if head:
            inside = line.startswith("Decrypted Data")
        elif inside and re.match(r"[0-9a-f]{4}  ", line):
            out += bytes.fromhex(line[6:53])
    return out


@pytest.mark.parametrize("suite", SUITES)
def test_tshark_reads_every_message(tmp_path, suite):
    path, table, esp = capture(tmp_path, suite)
    got = messages(path, table)
    assert [m["isakmp.exchangetype"] for m in got[:4]] == [["34"], ["34"], ["35"], ["35"]]
    assert {tuple(m["isakmp.exchangetype"]) for m in got[4:]} == {("37",)}
    for m in got:
        assert not m["_ws.malformed"] and not m["_ws.expert"], m

    request, response = got[2], got[3]
    assert {SK, IDI, CERT, CERTREQ, AUTH, SA, TSI, TSR} <= set(request["isakmp.typepayload"])
    assert {IDR, CERT, AUTH, SA, TSI, TSR} <= set(response["isakmp.typepayload"])
    assert request["isakmp.id.data.fqdn"] == ["nve-1.example"]
    assert response["isakmp.id.data.fqdn"] == ["nve-2.example"]
    assert request["isakmp.notify.msgtype"] == [INITIAL_CONTACT, TRANSPORT_MODE]
    assert response["isakmp.notify.msgtype"] == [TRANSPORT_MODE]
    assert request["isakmp.ts.start_ipv4"] == ["192.0.2.1", "192.0.2.2"]
    assert set(request["isakmp.ts.protoid"]) == {"17"}
    assert request["isakmp.auth.method"] == ["14"] == response["isakmp.auth.method"]
    spi_in, spi_out = esp
    assert spi_in in [s.replace(":", "") for s in request["isakmp.spi"]]
    assert spi_out in [s.replace(":", "") for s in response["isakmp.spi"]]


@pytest.mark.parametrize("suite", SUITES)
def test_tshark_verifies_integrity_and_finds_the_label(tmp_path, suite):
    path, table, _ = capture(tmp_path, suite)
    text = tshark(path, table, "-V")
    assert "Decrypted Data" in text
    assert not re.search(r"(?i)incorrect|expert info|malformed", text)
    # In TSi and TSr, of request and response.
    assert decrypted(tshark(path, table, "-x")).count(b"ch:vxlan") == 4
    # The Delete is the last request.
    assert "Delete" in tshark(path, table, "-V", "-Y", "isakmp.messageid == 2")


def test_without_the_keys_nothing_inside_is_read(tmp_path):
    path, _, _ = capture(tmp_path, "gcm128")
    got = messages(path, None)
    assert all(not m["isakmp.id.data.fqdn"] for m in got)
    assert all(not m["_ws.malformed"] for m in got)


def test_tshark_reads_it_behind_the_marker_too(tmp_path):
    path, table, _ = capture(tmp_path, "gcm128", "natt")
    got = messages(path, table)
    assert got[2]["isakmp.id.data.fqdn"] == ["nve-1.example"]
    ports = tshark(path, table, "-T", "fields", "-e", "udp.port", "-Y", "isakmp.exchangetype == 35")
    assert ports.split() == ["4500,4500", "4500,4500"]
    for m in got:
        assert not m["_ws.malformed"] and not m["_ws.expert"], m
