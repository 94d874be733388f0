# SPDX-License-Identifier: ISC
"""A fleet whose NVEs have VXLAN devices of the kernel, keyed by xfrm-backend; also a mixed one."""

import os
import re

from . import netlab
from .fleet import NS, Fleet

FLOOD = "00:00:00:00:00:00"
# Nothing but what a test sends shall cross: with IPv6 every interface says hello by MLD and ND.
NO_IPV6 = "echo 1 >/proc/sys/net/ipv6/conf/{}/disable_ipv6"


class KernelFleet(Fleet):
    """
    As Fleet, but the NVEs of `kernel` (default: all) have for each VN a VXLAN device vx<vni> and a
    bridge br<vni> that joins it to the tenant. What is not known where to goes to every other NVE.
    The others keep pcap-backend. The document is a file unless a URL is given.
    """

    patience = 4                       # the guest's processor is emulated
    tenant_setup = NO_IPV6.format("eth0")

    def __init__(self, lab, nodes=2, vnis=(5001, 5002), kernel=None, port=4789, encap=False, url=None, **kw):
        self.gate = url is None        # for start_together()
        super().__init__(lab, nodes, vnis, url=url or f"file://{lab.dir}/www/authorization.cms",
                         init_args=("--backend", "xfrm") if kernel is None else (), **kw)
        self.kernel = set(range(1, nodes + 1) if kernel is None else kernel)
        self.port = port
        for k in range(1, nodes + 1):
            if encap:
                self.configure(k, "ike", "force-encap", "yes")
            if k in self.kernel:
                self._use_xfrm(k)
        if port != 4789:
            self.publish(lambda root: None)

    def _use_xfrm(self, k):
        self.configure(k, "backend", "program", "xfrm-backend")
        for key in ("wire", "local", *(f"tenant.{vni}" for vni in self.vnis)):
            self.configure(k, "backend", key, None)
        if self.port != 4789:
            self.configure(k, "backend", "vxlan-port", self.port)

    def edit_xml(self, change, serial=None):
        def with_port(root):
            for channel in root.iter(f"{{{NS}}}channel"):
                channel.set("port", str(self.port))
            change(root)
        return super().edit_xml(with_port, serial)

    # ---- hosts

    def build(self, tenants=None, mtu=1380):
        """1380 octets of a tenant fit also with IPv6 below and ESP in UDP."""
        super().build(tenants, mtu)
        for k in self.kernel:
            # As the boot unit does, before there is a device: else what tenants say first is plaintext.
            self.lab.run(f"nve{k}", [netlab.program("xfrm-backend"), "--block", f"vxlan-port={self.port}"])
            for vni in (tenants or {}).get(k, self.vnis):
                self.lab.sh(f"nve{k}", " && ".join(self._device(k, vni)))

    def _device(self, k, vni):
        vx, br = f"vx{vni}", f"br{vni}"
        yield (f"ip link add {vx} type vxlan id {vni} local {self.address(k)} dstport {self.port}")
        for peer in range(1, self.nodes + 1):
            if peer != k:
                yield f"bridge fdb append {FLOOD} dev {vx} dst {self.address(peer)}"
        yield f"ip link add {br} type bridge mcast_snooping 0"
        for dev in (vx, f"ten{vni}", br):
            yield NO_IPV6.format(dev)
        for dev in (vx, f"ten{vni}"):
            yield f"ip link set {dev} master {br} up"
        yield f"ip link set {br} up"

    # ---- daemons

    def start_together(self, *ks):
        """With a document that is a file: it is put there when all of them listen."""
        if not self.gate:
            super().start_together(*ks)
            return
        path, away = (os.path.join(self.www, name) for name in ("authorization.cms", "away.cms"))
        os.rename(path, away)
        for k in ks:
            self.start(k)
        for k in ks:
            for said in (r" is up, node ", r"alarm: .*authorization\.cms"):
                self.daemons[k].wait_line(said, 20 * self.patience)
        os.rename(away, path)
        for k in ks:
            self.reload(k)

    def up(self, *ks):
        """Start all NVEs, or these, and wait until each has its Child SA with each other."""
        ks = ks or tuple(range(1, self.nodes + 1))
        self.start_together(*ks)
        for a in ks:
            for b in ks:
                if a != b:
                    self.wait_up(a, b)

    def process(self, k, name):
        """What overlock status says of one process of NVE K."""
        return next(p for p in self.ctl(k, "status")["processes"] if p["name"] == name)

    # ---- what the kernel says

    def counter(self, k, name, node="", vni=0):
        """The sum of the backend's counters of this name."""
        return sum(c["value"] for c in self.ctl(k, "counters")["backend"]
                   if c["name"] == name and node in ("", c["node"]) and vni in (0, c["vni"]))

    def kernel_sas(self, k):
        """{SPI as in overlock sas: {bytes, packets, text}} of `ip -s xfrm state`."""
        return read_states(self.lab.sh(f"nve{k}", "ip -s xfrm state"))

    def xfrm_stat(self, k):
        """/proc/net/xfrm_stat as a dictionary, without what is zero."""
        text = self.lab.sh(f"nve{k}", "cat /proc/net/xfrm_stat")
        return {name: int(n) for name, n in re.findall(r"(\w+)\s+(\d+)", text) if int(n)}


def read_states(text):
    """What `ip -s xfrm state` prints, by SPI."""
    states = {}
    for part in re.split(r"^(?=src )", text, flags=re.M):
        spi = re.search(r"proto esp spi (0x[0-9a-f]+)", part)
        now = re.search(r"lifetime current:\s*(\d+)\(bytes\), (\d+)\(packets\)", part)
        if spi and now:
            states[f"0x{int(spi.group(1), 16):08x}"] = {
                "bytes": int(now.group(1)), "packets": int(now.group(2)), "text": part}
    return states


def agreed(read, tries=20):
    """
    read() until it returns the same twice in a row: figures of a moment in which nothing moved.
    """
    before = read()
    for _ in range(tries):
        after = read()
        if after == before:
            return after
        before = after
    raise netlab.LabError(f"never still: {before}")
