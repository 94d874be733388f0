# SPDX-License-Identifier: ISC
"""What the daemon does for a backend by the name of its program, and by what it says it can do."""

import contextlib
import ctypes
import os
import shutil
import socket

import pytest
from lab import netlab
from lab.fleet import Fleet

NET_ADMIN, NET_RAW = 1 << 12, 1 << 13
UDP_ENCAP, UDP_ENCAP_ESPINUDP = 100, 2
KERNEL_ENCAP = 1 << 9           # enum backend_feature
SYS_PIDFD_GETFD = 438


class Host:
    """One NVE with a stand-in as its backend, named like `program`."""

    def __init__(self, fleet, program, features=0):
        self.fleet = fleet
        path = os.path.join(fleet.lab.dir, program)
        shutil.copy(os.path.join(os.environ["OVERLOCK_BUILD"], "tests", "tools", "stand_in"), path)
        fleet.configure(1, "backend", "program", path)
        fleet.configure(1, "backend", "features", features)
        self.daemon = fleet.start(1)
        self.daemon.wait_line(r" is up, node ")
        self.processes = {p["name"]: p for p in fleet.ctl(1, "status")["processes"]}

    def status(self, name):
        with open(f"/proc/{self.processes[name]['pid']}/status", encoding="ascii") as f:
            return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)

    def caps(self, name, which="CapEff"):
        return int(self.status(name)[which], 16)

    def sockets(self):
        """(address, port) -> UDP_ENCAP of the engine's sockets, asked of the sockets themselves."""
        pid = self.processes["engine"]["pid"]
        libc = ctypes.CDLL(None, use_errno=True)
        pidfd = os.pidfd_open(pid)
        found = {}
        for fd in os.listdir(f"/proc/{pid}/fd"):
            if not os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:"):
                continue
            copy = libc.syscall(SYS_PIDFD_GETFD, pidfd, int(fd), 0)
            assert copy >= 0, os.strerror(ctypes.get_errno())
            with contextlib.closing(socket.socket(fileno=copy)) as s:
                if s.type == socket.SOCK_DGRAM and s.family in (socket.AF_INET, socket.AF_INET6):
                    found[s.getsockname()[:2]] = s.getsockopt(socket.IPPROTO_UDP, UDP_ENCAP)
        os.close(pidfd)
        return found


@pytest.fixture
def fleet():
    with netlab.Lab("b") as lab:
        f = Fleet(lab, nodes=1)
        f.build(tenants={1: []})
        for key in ("wire", "local", "tenant.5001", "tenant.5002"):
            f.configure(1, "backend", key, None)
        f.configure(1, "daemon", "user", "nobody")
        f.configure(1, "authorization", "url", "file://" + os.path.join(f.www, "authorization.cms"))
        f.configure(1, "ike", "listen", "192.0.2.1,2001:db8::1")
        lab.sh("nve1", "ip addr add 2001:db8::1/64 dev eth0 nodad")
        for where in (lab.dir, f.dir, f.www, os.path.join(f.dir, "nve-1")):
            os.chmod(where, 0o755)
        yield f


@pytest.mark.parametrize("program, mine, other", [
    ("xfrm-backend", NET_ADMIN, NET_RAW),
    ("pcap-backend", NET_RAW, NET_ADMIN),
    ("another-backend", NET_RAW, NET_ADMIN),
])
def test_backend_has_the_one_capability_that_it_needs(fleet, program, mine, other):
    """And the parent keeps that one for it, not the other's."""
    host = Host(fleet, program)
    for which in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert host.caps("backend", which) == mine, which
    for name in ("backend", "parent"):
        assert host.caps(name, "CapBnd") & (mine | other) == mine, name
    assert host.caps("parent") & (mine | other) == mine
    for name, p in host.processes.items():
        if name not in ("backend", "parent"):
            assert host.caps(name) == 0, name
        assert "CAP" not in p["not_dropped"], p
    assert set(host.status("backend")["Uid"].split()) == {"65534"}


@pytest.mark.parametrize("program, ports", [
    ("xfrm-backend", ["natt-port=4501", "ike-port=501"]), ("pcap-backend", ["natt-port=4501"]),
])
def test_backend_is_told_the_ports_of_ike(fleet, program, ports):
    fleet.configure(1, "ike", "port", 501)
    fleet.configure(1, "ike", "natt-port", 4501)
    host = Host(fleet, program)
    with open(f"/proc/{host.processes['backend']['pid']}/cmdline", encoding="ascii") as f:
        argv = f.read().split("\0")
    assert [a for a in argv if "-port=" in a] == ports


@pytest.mark.parametrize("features, encap", [(KERNEL_ENCAP, UDP_ENCAP_ESPINUDP), (0, 0)])
def test_kernel_takes_esp_off_the_natt_sockets_where_the_backend_says_so(fleet, features, encap):
    host = Host(fleet, "xfrm-backend", features)
    assert host.sockets() == {
        ("192.0.2.1", 500): 0, ("192.0.2.1", 4500): encap,
        ("2001:db8::1", 500): 0, ("2001:db8::1", 4500): encap,
    }
    assert not host.daemon.saw("does not take ESP off")


def test_engine_may_set_it_again_when_its_backend_comes_back(fleet):
    """A filter that forbade it would have killed the engine."""
    host = Host(fleet, "xfrm-backend", KERNEL_ENCAP)
    engine = host.processes["engine"]["pid"]
    mark = host.daemon.mark()
    os.kill(host.processes["backend"]["pid"], 9)
    host.daemon.wait_line(r"process backend is up again", since=mark)
    now = {p["name"]: p["pid"] for p in fleet.ctl(1, "status")["processes"]}
    assert now["engine"] == engine and now["backend"] != host.processes["backend"]["pid"]
    assert host.sockets()[("192.0.2.1", 4500)] == UDP_ENCAP_ESPINUDP
