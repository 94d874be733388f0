# SPDX-License-Identifier: ISC
"""strongSwan's charon as the peer: one daemon in a namespace, with its own files and its own log."""

import os
import re
import shutil
import subprocess

PLUGINS = ("random nonce openssl pem pkcs1 pkcs8 x509 pubkey constraints curve25519 chapoly hmac kdf gcm "
           "kernel-libipsec kernel-netlink socket-default vici")


class Charon:
    """
    conn: text of one swanctl connection without its braces. certificates and key are PEM files.
    kernel-libipsec does ESP in userspace: tunnel mode, UDP encapsulation, no ESN.
    """

    def __init__(self, lab, ns, conn, ca, cert, key, options=""):
        self.lab, self.ns = lab, ns
        self.dir = os.path.join(lab.dir, f"charon-{ns}")
        for sub in ("x509", "x509ca", "private"):
            os.makedirs(os.path.join(self.dir, sub))
        shutil.copy(ca, os.path.join(self.dir, "x509ca", "ca.pem"))
        shutil.copy(cert, os.path.join(self.dir, "x509", "peer.pem"))
        shutil.copy(key, os.path.join(self.dir, "private", "peer.pem"))
        self.vici = os.path.join(self.dir, "vici")
        self.log = os.path.join(self.dir, "log")
        conf = os.path.join(self.dir, "strongswan.conf")
        # Marked packets of the daemon itself stay outside the tunnel that covers the peer's address.
        with open(conf, "w", encoding="ascii") as f:
            f.write(f"""
charon-systemd {{
  load = {PLUGINS}
  journal {{ default = -1 }}
  retransmit_tries = 3
  filelog {{
    main {{ path = {self.log}
      default = 1
      ike = 2
      chd = 2
      cfg = 2
      flush_line = yes }}
    stderr {{ default = 1
      flush_line = yes }}
  }}
  plugins {{
    vici {{ socket = unix://{self.vici} }}
    kernel-libipsec {{ allow_peer_ts = yes }}
    socket-default {{ fwmark = 0x42 }}
    kernel-netlink {{ fwmark = !0x42 }}
  }}
  {options}
}}
swanctl {{ load = pem pkcs1 pkcs8 x509 openssl random }}
""")
        with open(os.path.join(self.dir, "swanctl.conf"), "w", encoding="ascii") as f:
            f.write("connections {\n" + conn + "\n}\n")
        env = dict(os.environ, STRONGSWAN_CONF=conf, SWANCTL_DIR=self.dir)
        self.env = env
        self.process = lab.spawn(ns, ["charon-systemd"], env=env)
        self.process.wait_line(r"spawning \d+ worker threads", 20)
        self.swanctl("--load-all")

    def swanctl(self, *args, check=True, timeout=30):
        r = subprocess.run(["ip", "netns", "exec", f"{self.lab.prefix}-{self.ns}", "swanctl", *args,
                            "--uri", f"unix://{self.vici}"],
                           env=self.env, capture_output=True, text=True, timeout=timeout)
        if check and r.returncode != 0:
            raise RuntimeError(f"swanctl {' '.join(args)}: {r.stdout}{r.stderr}")
        return r.stdout + r.stderr

    def wait_log(self, pattern, timeout=20, since=0):
        return self.process.wait_line(pattern, timeout, since)

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def sas(self):
        return self.swanctl("--list-sas", "--raw")

    def child_spis(self):
        """{(in, out), ...} of the installed Child SAs, as charon lists them (8 hex digits each)."""
        return set(re.findall(r"spi-in=([0-9a-f]{8}) spi-out=([0-9a-f]{8})", self.sas()))
