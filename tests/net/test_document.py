# SPDX-License-Identifier: ISC
"""Bad documents: the table in force stays, an alarm says why, and a good one ends the alarm."""

import datetime
import os

import pytest
from lab import netlab
from lab.fleet import Fleet


@pytest.fixture(scope="module")
def fleet():
    with netlab.Lab("a") as lab:
        f = Fleet(lab, nodes=2)
        for k in (1, 2):
            f.configure(k, "authorization", "refresh", "1")
            f.configure(k, "authorization", "timeout", "2")
        f.build(tenants={1: [5001], 2: [5001]})
        f.configure(1, "backend", "tenant.5002", None)
        f.configure(2, "backend", "tenant.5002", None)
        f.serve()
        f.start(1)
        f.start(2)
        f.wait_up(1, 2)
        f.wait_up(2, 1)
        yield f


def publish_bytes(fleet, octets):
    path = os.path.join(fleet.lab.dir, "odd")
    with open(path, "wb") as f:
        f.write(octets)
    fleet.publish_file(path)


def resign(fleet, cert, key, xml=None):
    out = os.path.join(fleet.lab.dir, "resigned.cms")
    if os.path.exists(out):
        os.unlink(out)
    xml = xml or os.path.join(fleet.dir, "authorization.xml")
    netlab.run_openssl("cms", "-sign", "-nodetach", "-binary", "-md", "sha256", "-in", xml, "-signer", cert,
                       "-inkey", key, "-outform", "DER", "-out", out)
    return out


def edited_xml(fleet, old, new):
    with open(os.path.join(fleet.dir, "authorization.xml"), encoding="utf-8") as f:
        text = f.read()
    assert old in text
    path = os.path.join(fleet.lab.dir, "edited.xml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new, 1))
    return path


def signed_by_nva(fleet, xml):
    return resign(fleet, fleet.pki("nva-signer.crt"), fleet.pki("nva-signer.key"), xml)


def not_cms(fleet):
    publish_bytes(fleet, b"<authorization/>" * 10)


def wrong_signer(fleet):
    fleet.publish_file(resign(fleet, os.path.join(fleet.dir, "nve-2", "nve-2.crt"),
                              os.path.join(fleet.dir, "nve-2", "nve-2.key")))


def expired(fleet):
    def past(root):
        now = datetime.datetime.now(datetime.timezone.utc)
        root.set("issued", (now - datetime.timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ"))
        root.set("expires", (now - datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"))
    # the operator's command would refuse to sign this
    fleet.publish_file(signed_by_nva(fleet, fleet.edit_xml(past)))


def older_serial(fleet):
    fleet.publish_file(fleet.edit(lambda root: None, serial=1))


def schema_violation(fleet):
    fleet.publish_file(signed_by_nva(fleet, edited_xml(fleet, "<nodes>", "<nodes><surprise/>")))


def doctype(fleet):
    fleet.publish_file(signed_by_nva(fleet, edited_xml(
        fleet, "<authorization", '<!DOCTYPE authorization [<!ENTITY e "x">]>\n<authorization')))


def oversized(fleet):
    publish_bytes(fleet, bytes(20 * 1024 * 1024))


def fault(word):
    def make(fleet):
        with open(os.path.join(fleet.www, "fault"), "w", encoding="ascii") as f:
            f.write(word)
    make.__name__ = word
    return make


BAD = [(not_cms, "CMS"), (wrong_signer, ""), (expired, "expired"), (older_serial, "serial"), (schema_violation, "line"),
       (doctype, "line|DOCTYPE|DTD"), (oversized, "limit|large|size|octets"), (fault("truncate"), ""),
       (fault("error"), "500"), (fault("stall"), "")]


def good_again(fleet, since):
    try:
        os.unlink(os.path.join(fleet.www, "fault"))
    except FileNotFoundError:
        pass
    fleet.publish(lambda root: None)
    fleet.daemons[1].wait_line(rf"document of .*serial {fleet.serial}\b", 20, since)


@pytest.mark.parametrize("make, says", BAD, ids=[m.__name__.replace("_", " ") for m, _ in BAD])
def test_bad_document_changes_nothing_and_raises_an_alarm(fleet, make, says):
    daemon = fleet.daemons[1]
    before = fleet.ctl(1, "status")
    assert before["alarms"] == []
    mark = daemon.mark()
    make(fleet)
    line = daemon.wait_line(r"authz\].*(warning|error): .*", 20, mark).group(0)
    status = fleet.ctl(1, "status")
    assert status["document"]["serial"] == before["document"]["serial"]
    assert len(status["alarms"]) == 1
    assert netlab.search(says, line + status["alarms"][0]["text"])
    assert fleet.tenant_ping(1, 2, 5001) == (3, 3)
    mark = daemon.mark()
    good_again(fleet, mark)
    assert fleet.ctl(1, "status")["alarms"] == []


def test_server_down_keeps_the_table_and_a_restart_uses_the_last_good_document(fleet):
    fleet.server.stop()
    mark = fleet.daemons[1].mark()
    fleet.daemons[1].wait_line(r"authz\].*(warning|error): ", 20, mark)
    assert fleet.ctl(1, "status")["alarms"]
    serial = fleet.ctl(1, "status")["document"]["serial"]
    fleet.stop(1)
    mark = fleet.daemons[2].mark()
    fleet.start(1)
    fleet.wait_up(1, 2)
    status = fleet.ctl(1, "status")
    assert status["document"]["serial"] == serial
    assert fleet.tenant_ping(1, 2, 5001) == (3, 3)
    mark = fleet.daemons[1].mark()
    fleet.serve()
    good_again(fleet, mark)


def test_tls_certificate_of_another_ca_is_refused(fleet):
    """Last but one: the server comes back with a certificate that the pinned anchor did not issue."""
    daemon = fleet.daemons[1]
    fleet.server.stop()
    real = fleet.pki
    rogue = fleet.lab.dir + "/rogue"
    netlab.overlock("lab", "init", rogue, "--nodes", 1, "--vn", "5001", "--underlay", "192.0.2.0/24",
                    "--url", "https://192.0.2.250/authorization.cms")
    mark = daemon.mark()
    fleet.pki = lambda name: os.path.join(rogue, "pki", name)
    fleet.serve()
    daemon.wait_line(r"authz\].*(warning|error): .*(TLS|SSL|certificate)", 20, mark)
    fleet.server.stop()
    fleet.pki = real
    mark = daemon.mark()
    fleet.serve()
    good_again(fleet, mark)


def test_removed_vn_stops_within_seconds_and_comes_back(fleet):
    """Live: nve-2 loses VN 5001, the SA goes or its frames are dropped; granted again, it works again."""
    def without(root):
        Fleet.drop_vn(root, 2, 5001)
    mark = fleet.daemons[1].mark()
    fleet.publish(without)
    fleet.daemons[1].wait_line(rf"document of .*serial {fleet.serial}\b", 20, mark)
    _, got = fleet.tenant_ping(1, 2, 5001, count=2, timeout=3)
    assert got == 0
    mark, mark2 = fleet.daemons[1].mark(), fleet.daemons[2].mark()
    fleet.publish(lambda root: None)
    fleet.daemons[1].wait_line(rf"document of .*serial {fleet.serial}\b", 20, mark)
    fleet.daemons[2].wait_line(rf"document of .*serial {fleet.serial}\b", 20, mark2)
    sent, got = fleet.tenant_ping(1, 2, 5001, count=25, timeout=15)
    assert got > 0


