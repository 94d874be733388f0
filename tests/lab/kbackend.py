# SPDX-License-Identifier: ISC
"""xfrm-backend in a namespace without a daemon: the test chooses keys and plays the peers."""

import ctypes
import json
import os
import re
import socket
import stat

from . import backend_driver as bd
from . import netlab
from .forge import EspSender, Wire
from .xfrmnl import in_namespace

ME = {4: "192.0.2.1", 6: "2001:db8::1"}
UDP_ENCAP, UDP_ENCAP_ESPINUDP = 100, 2
SYS_PIDFD_GETFD = 438
ANY = {4: "0.0.0.0/0", 6: "::/0"}


def family(address):
    return 6 if ":" in address else 4


def peer_address(v, n):
    return f"192.0.2.{n}" if v == 4 else f"2001:db8::{n:x}"


class Peer:
    """One node at one address, with SAs of the test's making."""

    spi = 0x1000
    number = 0

    def __init__(self, host, node, address, vns, mode=bd.TRANSPORT, encap=False, esn=True, suite="aes128gcm16"):
        self.host, self.node, self.address, self.vns = host, node, address, vns
        self.local = ME[family(address)]
        self.mode, self.encap, self.esn, self.suite = mode, (4500, 4500) if encap else None, esn, suite
        self.transform, self.octets = bd.SUITES[suite]
        Peer.number += 1
        self.number = Peer.number

    def admission(self):
        """Grant and policy, as the authorization process gives them."""
        return [(bd.BK_GRANT_SET, bd.grant(self.number, self.node, [self.local], [self.address], self.vns,
                                           self.mode, suite=self.transform)),
                (bd.BK_POLICY_ADD, self._policy())]

    def withdrawal(self):
        return [(bd.BK_GRANT_DROP, self.number.to_bytes(4, "big")), (bd.BK_POLICY_DEL, self._policy())]

    def _policy(self):
        return bd.policy(self.node, self.local, self.address, self.vns, self.mode, suite=self.transform)

    def new_sas(self, **kw):
        """A fresh pair, inbound first."""
        Peer.spi += 2
        self.spi_in, self.spi_out = Peer.spi, Peer.spi + 1
        self.key_in, self.key_out = os.urandom(self.octets), os.urandom(self.octets)
        to_me = bd.SA_IN, self.spi_in, self.address, self.local, self.key_in
        from_me = bd.SA_OUT, self.spi_out, self.local, self.address, self.key_out
        return [(bd.BK_SA_ADD, bd.sa(*which, self.number, Peer.spi, self.mode, self.encap, self.esn,
                                     suite=self.transform, **kw)) for which in (to_me, from_me)]

    def del_sas(self):
        return [(bd.BK_SA_DEL, sa_name(bd.SA_IN, self.spi_in, self.local)),
                (bd.BK_SA_DEL, sa_name(bd.SA_OUT, self.spi_out, self.address))]

    def rekey(self, **kw):
        self.host.backend.ok(self.host.backend.engine, self.new_sas(**kw))
        if self.suite.endswith("gcm16"):
            self.esp = EspSender(self.spi_in, self.key_in, self.esn)


def sa_name(direction, spi, dst):
    return bytes([direction]) + spi.to_bytes(4, "big") + bd.addr(dst)


class KernelHost:
    """
    Namespace `me`: a host with xfrm-backend. Namespace `far` is on the other end of its link: the
    peers' addresses are there, so that `me` finds neighbours, and no daemon.
    """

    def __init__(self, lab, *options):
        self.lab, self.options = lab, options
        self.sockets = []
        for ns in ("me", "far"):
            lab.ns(ns)
        lab.link("me", "eth0", "far", "eth0")
        self.address("me", 1)
        macs = [json.loads(lab.sh(ns, "ip -j link show eth0"))[0]["address"] for ns in ("far", "me")]
        self.wire = Wire(self.inside("far", Wire.socket), "eth0", *macs)
        self.backend = None

    def address(self, ns, n):
        """Both addresses of host N."""
        self.lab.sh(ns, f"ip addr add 192.0.2.{n}/24 dev eth0 && ip addr add 2001:db8::{n:x}/64 dev eth0 nodad")

    def inside(self, ns, make):
        s = in_namespace(f"{self.lab.prefix}-{ns}", make)
        self.sockets.append(s)
        return s

    def start(self, *options, through=()):
        """Without options, those given to the constructor."""
        self.backend = bd.Backend(netlab.program("xfrm-backend"), options or self.options, f"{self.lab.prefix}-me",
                                  through)
        return self.backend

    def narrow(self):
        """What tells the backend of changes gets room for a few of them only."""
        pidfd, libc, n = os.pidfd_open(self.backend.popen.pid), ctypes.CDLL(None, use_errno=True), 0
        for fd in os.listdir(f"/proc/{self.backend.popen.pid}/fd"):
            copy = libc.syscall(SYS_PIDFD_GETFD, pidfd, int(fd), 0)
            if copy < 0:
                raise OSError(ctypes.get_errno(), f"descriptor {fd}")
            if not stat.S_ISSOCK(os.fstat(copy).st_mode):
                os.close(copy)
                continue
            with socket.socket(fileno=copy) as s:
                if s.family == socket.AF_NETLINK and s.getsockname()[1] != 0:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
                    n += 1
        os.close(pidfd)
        if n != 3:
            raise OSError(f"{n} sockets with notifications")

    def run(self, *args, check=True):
        """xfrm-backend's other forms: --block, --remove."""
        return self.lab.run("me", [netlab.program("xfrm-backend"), *args], check=check)

    def admit(self, *peers):
        """Grants, policies and SAs."""
        self.backend.ok(self.backend.authz, [call for p in peers for call in p.admission()])
        for p in peers:
            p.rekey()

    def withdraw(self, *peers):
        self.backend.ok(self.backend.authz, [call for p in peers for call in p.withdrawal()])

    def udp(self, v, port=4789, kind=socket.SOCK_DGRAM, proto=0):
        """A socket of the host that takes what is for this port."""
        def make():
            s = socket.socket(socket.AF_INET if v == 4 else socket.AF_INET6, kind, proto)
            if v == 6 and kind != socket.SOCK_RAW:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind(("", port))
            s.setblocking(False)
            return s
        return self.inside("me", make)

    def natt(self, v):
        """As the engine's: the kernel takes ESP off it."""
        self.udp(v, 4500).setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP)

    def sh(self, command, **kw):
        return self.lab.sh("me", command, **kw)

    def close(self):
        if self.backend is not None:
            self.backend.stop()
        for s in self.sockets:
            s.close()

    # ---- what the kernel says

    def states(self):
        """{SPI: what `ip xfrm state` says, in one line}, without those that are only asked for."""
        parts = re.split(r"^(?=src )", self.sh("ip xfrm state"), flags=re.M)
        found = (re.sub(r"bitmap-length [0-9a-f ]*", "", " ".join(p.split())) for p in parts if p)
        by_spi = {int(re.search(r" spi (0x[0-9a-f]+)", text).group(1), 16): text for text in found}
        by_spi.pop(0, None)
        return by_spi

    def policies(self):
        """What `ip xfrm policy` says, each in one line; without those of sockets."""
        parts = re.split(r"^(?=src )", self.sh("ip xfrm policy"), flags=re.M)
        found = (" ".join(p.split()).replace(" ptype main", "") for p in parts if p)
        return {text for text in found if " socket " not in text}

    def table(self, name="overlock"):
        """{set: elements as tuples}; None without the table."""
        text = self.sh(f"nft -j list table inet {name}", check=False)
        if not text:
            return None
        sets = [entry["set"] for entry in json.loads(text)["nftables"] if "set" in entry]
        return {s["name"]: {_element(e) for e in s.get("elem", ())} for s in sets}

    def xfrm_stat(self):
        """/proc/net/xfrm_stat as a dictionary, without what is zero."""
        return {name: int(n) for name, n in re.findall(r"(\w+)\s+(\d+)", self.sh("cat /proc/net/xfrm_stat")) if int(n)}


def _element(e):
    if isinstance(e, dict) and "elem" in e:
        e = e["elem"]["val"]
    return tuple(e["concat"]) if isinstance(e, dict) else (e,)
