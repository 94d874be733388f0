# SPDX-License-Identifier: ISC
"""Kernel modules that a test takes away for a while. For the guest: what is loaded belongs to all namespaces."""

import contextlib
import os
import subprocess
import time

CONF = "/run/modprobe.d/overlock-test.conf"


def loaded(name):
    return os.path.isdir(f"/sys/module/{name}")


def unload(name, deadline=None):
    """With all that uses it. SAs and namespaces that are gone hold on to it for a moment."""
    deadline = deadline or time.monotonic() + 60
    while loaded(name):
        for holder in os.listdir(f"/sys/module/{name}/holders"):
            unload(holder, deadline)
        r = subprocess.run(["rmmod", name], capture_output=True, text=True)
        if r.returncode != 0 and time.monotonic() > deadline:
            raise OSError(r.stderr.strip())


@contextlib.contextmanager
def without(*names):
    """These are unloaded, and the kernel's requests for them fail."""
    os.makedirs(os.path.dirname(CONF), exist_ok=True)
    with open(CONF, "w", encoding="ascii") as f:
        f.writelines(f"install {name} /bin/false\n" for name in names)
    try:
        for name in names:
            unload(name)
        yield
    finally:
        os.unlink(CONF)
