# SPDX-License-Identifier: ISC
"""A process of the daemon dies: it is started again, traffic comes back, no key is installed twice."""

import os
import re
import signal

import pytest
from lab import netlab
from lab.fleet import Fleet


@pytest.fixture(scope="module")
def fleet():
    with netlab.Lab("r") as lab:
        f = Fleet(lab, nodes=2, vnis=(5001,))
        f.build()
        f.serve()
        f.start(1)
        f.start(2)
        f.wait_up(1, 2)
        f.wait_up(2, 1)
        yield f


def processes(fleet, k):
    return {p["name"]: p for p in fleet.ctl(k, "status")["processes"]}


def kill(fleet, k, name):
    """SIGKILL one process of a daemon; returns once its successor works."""
    mark = fleet.daemons[k].mark()
    os.kill(processes(fleet, k)[name]["pid"], signal.SIGKILL)
    fleet.daemons[k].wait_line(rf"{name}\b.*(restarted|up again)", 20, mark)
    return mark


def spis(fleet, k):
    return {s["spi"] for s in fleet.ctl(k, "sas")["sas"]}


@pytest.mark.parametrize("name", ["keys", "trust", "authz", "control"])
def test_helper_process_dies_and_sas_live_on(fleet, name):
    before = spis(fleet, 1)
    pid = processes(fleet, 1)[name]["pid"]
    kill(fleet, 1, name)
    after = processes(fleet, 1)[name]
    assert after["pid"] != pid and after["restarts"] >= 1
    assert spis(fleet, 1) == before
    assert fleet.tenant_ping(1, 2, 5001) == (3, 3)


@pytest.mark.parametrize("name", ["keys", "trust", "authz"])
def test_new_ike_sa_comes_up_after_a_helper_died(fleet, name):
    """The successor signs, verifies and authorizes: the peer starts anew against it."""
    kill(fleet, 1, name)
    fleet.stop(2)
    mark = fleet.daemons[1].mark()
    fleet.start(2)
    fleet.wait_up(1, 2, 30, mark)
    fleet.wait_up(2, 1, 30)
    assert fleet.tenant_ping(1, 2, 5001) == (3, 3)


def test_backend_dies_and_every_sa_gets_new_keys(fleet):
    before = spis(fleet, 1)
    mark2 = fleet.daemons[2].mark()
    mark = kill(fleet, 1, "backend")
    fleet.wait_up(1, 2, 30, mark)
    fleet.wait_up(2, 1, 30, mark2)
    after = spis(fleet, 1)
    assert len(after) == 2 and not before & after
    assert fleet.tenant_ping(1, 2, 5001) == (3, 3)


def test_engine_dies_and_the_fleet_is_whole_again(fleet):
    mark2 = fleet.daemons[2].mark()
    mark = kill(fleet, 1, "engine")
    fleet.wait_up(1, 2, 30, mark)
    fleet.wait_up(2, 1, 30, mark2)
    assert fleet.tenant_ping(1, 2, 5001) == (3, 3)


def test_no_spi_was_ever_installed_twice(fleet):
    """Over all that this module did: each Child SA of the log has SPIs of its own."""
    for k in (1, 2):
        seen = [m.group(1) for line in fleet.daemons[k].lines
                if (m := re.search(r"Child SA ([0-9a-f]{8}/[0-9a-f]{8}) up", line))]
        assert seen and len(seen) == len(set(seen))


def test_sigterm_ends_in_order_and_tells_the_peer(fleet):
    parent = fleet.daemons[1]
    pids = [p["pid"] for p in processes(fleet, 1).values()]
    mark = fleet.daemons[2].mark()
    assert fleet.stop(1) == 0
    fleet.daemons[2].wait_line(r"nve-1\b.*down: deleted by the peer", 10, mark)
    assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
    assert not parent.saw(r"AddressSanitizer|runtime error")
