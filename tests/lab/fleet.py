# SPDX-License-Identifier: ISC
"""A VXLAN fleet in namespaces: an underlay bridge, NVEs with tenants, and the NVA's HTTPS server."""

import ipaddress
import os
import re
import shutil
import signal
import xml.etree.ElementTree as ET

from . import netlab

NS = "urn:overlock:authorization:1"
NVA = 250


class Fleet:
    """
    `overlock lab init` made real. NVE K: namespace nveK, interface eth0 with 192.0.2.K on the
    underlay, and for each VN one tenant namespace tK-VNI with eth0 = 10.<vni % 100>.0.K/24.
    """

    patience = 1                       # on a slow machine more: timeouts are multiplied with it
    tenant_setup = ":"                 # run in each tenant's namespace when it is made

    def __init__(self, lab, nodes=3, vnis=(5001, 5002), init_args=(), url="https://192.0.2.250/authorization.cms",
                 underlay="192.0.2.0/24"):
        self.lab = lab
        self.nodes = nodes
        self.vnis = list(vnis)
        self.underlay = ipaddress.ip_network(underlay)
        self.dir = os.path.join(lab.dir, "lab")
        self.www = os.path.join(lab.dir, "www")
        self.daemons = {}
        self.server = None
        self.serial = 1
        netlab.overlock("lab", "init", self.dir, "--nodes", nodes, "--vn", ",".join(map(str, vnis)),
                        "--underlay", underlay, "--url", url, *init_args)
        os.makedirs(self.www, exist_ok=True)
        self.publish_file(os.path.join(self.dir, "authorization.cms"))

    # ---- documents

    def publish_file(self, path):
        tmp = os.path.join(self.www, ".new")
        shutil.copyfile(path, tmp)
        os.replace(tmp, os.path.join(self.www, "authorization.cms"))

    def edit_xml(self, change, serial=None):
        """A copy of the first document with a new serial, changed by change(root); the file's path."""
        if serial is None:
            self.serial += 1
            serial = self.serial
        ET.register_namespace("", NS)
        tree = ET.parse(os.path.join(self.dir, "authorization.xml"))
        root = tree.getroot()
        root.set("serial", str(serial))
        change(root)
        xml = os.path.join(self.lab.dir, f"authorization-{serial}.xml")
        tree.write(xml, encoding="utf-8", xml_declaration=True)
        return xml

    def edit(self, change, serial=None):
        """The same, signed by the NVA."""
        xml = self.edit_xml(change, serial)
        cms = xml.removesuffix(".xml") + ".cms"
        netlab.overlock("authz", "sign", "-c", self.pki("nva-signer.crt"), "-k", self.pki("nva-signer.key"),
                        "-o", cms, xml)
        return cms

    def publish(self, change):
        cms = self.edit(change)
        self.publish_file(cms)
        return cms

    @staticmethod
    def node(root, k):
        return root.find(f".//{{{NS}}}node[@id='nve-{k}']")

    @classmethod
    def drop_node(cls, root, k):
        nodes = root.find(f"{{{NS}}}nodes")
        nodes.remove(cls.node(root, k))

    @classmethod
    def drop_vn(cls, root, k, vni):
        node = cls.node(root, k)
        for vn in node.findall(f"{{{NS}}}vn"):
            if vn.get("ref") == str(vni):
                node.remove(vn)

    def pki(self, name):
        return os.path.join(self.dir, "pki", name)

    # ---- hosts

    def address(self, k):
        """Underlay address of NVE K, or of the NVA."""
        return str(self.underlay[k])

    def host(self, ns, k):
        """A namespace with eth0 on the underlay."""
        self.lab.ns(ns)
        self.lab.link(ns, "eth0", "sw", ns)
        self.lab.enslave("sw", ns)
        self.lab.addr(ns, "eth0", f"{self.address(k)}/{self.underlay.prefixlen}")

    def build(self, tenants=None, mtu=1400):
        """Underlay, NVA host, NVEs and tenants. tenants: {k: [vni, ...]}, default all of every NVE."""
        lab = self.lab
        lab.ns("sw")
        lab.bridge("sw", "br0")
        self.host("nva", NVA)
        for k in range(1, self.nodes + 1):
            self.host(f"nve{k}", k)
            for vni in (tenants or {}).get(k, self.vnis):
                t = f"t{k}-{vni}"
                lab.ns(t)
                lab.link(t, "eth0", f"nve{k}", f"ten{vni}")
                lab.addr(t, "eth0", f"10.{vni % 100}.0.{k}/24")
                lab.sh(t, f"ip link set eth0 mtu {mtu} && {self.tenant_setup}")

    def serve(self):
        program = os.path.join(os.path.dirname(__file__), "nva_server.py")
        self.server = self.lab.spawn("nva", ["/usr/bin/python3", program, "--root", self.www,
                                             "--cert", self.pki("nva-tls.crt"), "--key", self.pki("nva-tls.key"),
                                             "--port", "443"], log="nva.log")
        self.server.wait_line(r"^serving ")

    def conf(self, k):
        return os.path.join(self.dir, f"nve-{k}", "ikev2d.conf")

    def socket(self, k):
        with open(self.conf(k), encoding="utf-8") as f:
            path = re.search(r"^socket\s*=\s*(\S+)", f.read(), re.M).group(1)
        return path if path.startswith("/") else os.path.join(os.path.dirname(self.conf(k)), path)

    def configure(self, k, section, key, value):
        """Set (value None: remove) one key of an NVE's configuration."""
        with open(self.conf(k), encoding="utf-8") as f:
            lines = f.read().splitlines()
        out, current, done = [], None, value is None
        for line in lines:
            m = re.match(r"\[(.+)\]", line)
            if m:
                if current == section and not done:
                    out.append(f"{key} = {value}")
                    done = True
                current = m.group(1)
            if current == section and re.match(rf"{re.escape(key)}\s*=", line):
                if not done:
                    out.append(f"{key} = {value}")
                    done = True
                continue
            out.append(line)
        if not done:
            if current != section:
                out.append(f"[{section}]")
            out.append(f"{key} = {value}")
        with open(self.conf(k), "w", encoding="utf-8") as f:
            f.write("\n".join(out) + "\n")

    def start(self, k, *args):
        d = self.lab.spawn(f"nve{k}", [netlab.program("ikev2d"), "-c", self.conf(k), *args], log=f"nve-{k}.log")
        self.daemons[k] = d
        return d

    def start_together(self, *ks):
        """
        Start several, and let the NVA answer only when all of them listen: else a kernel tells the first
        ones by ICMP that nobody listens yet where they knock.
        """
        gate = os.path.join(self.www, "gate")
        os.mkfifo(gate)
        for k in ks:
            self.start(k)
        for k in ks:
            self.daemons[k].wait_line(r" is up, node ", 20 * self.patience)
        fd = os.open(gate, os.O_RDWR)
        os.unlink(gate)
        # Readers that wait have been let in by the open; those that come later find no gate.
        os.close(fd)

    def reload(self, k):
        """Have NVE K look at its document now."""
        self.daemons[k].popen.send_signal(signal.SIGHUP)

    def stop(self, k):
        return self.daemons.pop(k).stop()

    def ctl(self, k, command, *args, check=True):
        """`overlock COMMAND --json` against the daemon of NVE K."""
        return netlab.overlock_json(command, "-s", self.socket(k), *args, check=check,
                                    ns=f"nve{k}", lab=self.lab)

    def wait_up(self, k, peer, timeout=30, since=0):
        """Wait until NVE K says that its Child SA with the peer is up."""
        return self.daemons[k].wait_line(rf"nve-{peer}\b.*Child SA .*up", timeout * self.patience, since)

    def tenant_ping(self, a, b, vni, **kw):
        return self.lab.ping(f"t{a}-{vni}", f"10.{vni % 100}.0.{b}", **kw)
