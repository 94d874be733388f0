# SPDX-License-Identifier: ISC
"""The guest's kernel, modules and initramfs, made from Debian's package and kept in BUILD/kernel."""

import fcntl
import glob
import hashlib
import lzma
import os
import platform
import shutil
import struct
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
# What the initramfs needs to reach the host's root and the console.
BOOT_MODULES = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")
BUSYBOX = "/bin/busybox"


class ImageError(Exception):
    """There is no kernel to boot; the text says the way out."""


def package(cache):
    found = sorted(glob.glob(os.path.join(cache, "linux-image-*.deb")))
    if not found:
        raise ImageError(f"no kernel package in {cache}: run ./configure --bootstrap")
    return found[-1]


def need(program, debian):
    if not shutil.which(program):
        raise ImageError(f"missing: apt-get install {debian}, or ./configure --bootstrap for all of them")


def newc(files):
    """An uncompressed cpio archive of (name, mode, octets, device number)."""
    out = bytearray()
    for n, (name, mode, data, device) in enumerate([*files, ("TRAILER!!!", 0, b"", 0)], 1):
        raw = name.encode() + b"\0"
        fields = (n, mode, 0, 0, 1, 0, len(data), 0, 0, device >> 8, device & 255, len(raw), 0)
        out += b"070701" + b"".join(b"%08x" % f for f in fields) + raw
        out += bytes(-len(out) % 4)
        out += data
        out += bytes(-len(out) % 4)
    return bytes(out)


def vmlinux(bzimage):
    """
    The ELF kernel inside a bzImage. QEMU starts it through its PVH entry; unpacking it here takes a
    tenth of the time that the emulated processor would need.
    """
    setup = (bzimage[0x1f1] or 4) * 512 + 512
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    payload = bzimage[setup + offset:setup + offset + length]
    if not payload.startswith(b"\xfd7zXZ\0"):
        return None
    elf = lzma.LZMADecompressor().decompress(payload)
    return elf if elf.startswith(b"\x7fELF") else None


class Image:
    """Paths of what QEMU boots. Making it is left out when it was made from the same inputs."""

    def __init__(self, build):
        self.cache = os.path.join(build, "kernel")
        self.root = os.path.join(self.cache, "root")
        self.modules = os.path.join(self.root, "lib/modules")
        self.kernel = os.path.join(self.cache, "vmlinux")
        self.initrd = os.path.join(self.cache, "initrd")
        if platform.machine() != "x86_64":
            raise ImageError(f"the kernel lane knows x86_64 only, this is {platform.machine()}")
        need("qemu-system-x86_64", "qemu-system-x86")
        need("busybox", "busybox-static")
        need("depmod", "kmod")
        deb = package(self.cache)
        with open(os.path.join(self.cache, "lock"), "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._make(deb)

    def _make(self, deb):
        stamp = os.path.join(self.cache, "stamp")
        wanted = self._inputs(deb)
        try:
            with open(stamp, encoding="ascii") as f:
                if f.read() == wanted:
                    self.version = self._version()
                    return
        except OSError:
            pass
        shutil.rmtree(self.root, ignore_errors=True)
        subprocess.run(["dpkg", "-x", deb, self.root], check=True)
        self.version = self._version()
        subprocess.run(["depmod", "-b", self.root, self.version], check=True)
        with open(os.path.join(self.root, "boot/vmlinuz-" + self.version), "rb") as f:
            image = f.read()
        with open(self.kernel, "wb") as f:
            f.write(vmlinux(image) or image)
        with open(self.initrd, "wb") as f:
            f.write(newc(self._initramfs()))
        with open(stamp, "w", encoding="ascii") as f:
            f.write(wanted)

    @staticmethod
    def _inputs(deb):
        mark = hashlib.sha256(os.path.basename(deb).encode())
        for path in (deb, BUSYBOX):
            st = os.stat(path)
            mark.update(f"{st.st_size} {st.st_mtime_ns}".encode())
        for path in (__file__, os.path.join(HERE, "init-initramfs")):
            with open(path, "rb") as f:
                mark.update(f.read())
        return mark.hexdigest()

    def _version(self):
        (version,) = os.listdir(self.modules)
        return version

    def _initramfs(self):
        yield "dev", 0o040755, b"", 0
        yield "dev/console", 0o020600, b"", 5 << 8 | 1
        yield "bin", 0o040755, b"", 0
        with open(BUSYBOX, "rb") as f:
            yield "bin/busybox", 0o100755, f.read(), 0
        with open(os.path.join(HERE, "init-initramfs"), "rb") as f:
            yield "init", 0o100755, f.read(), 0
        yield "modules", 0o040755, b"", 0
        order = self._boot_modules()
        for path in order:
            with open(os.path.join(self.modules, self.version, path), "rb") as f:
                yield "modules/" + os.path.basename(path), 0o100644, f.read(), 0
        yield "modules/order", 0o100644, "".join(os.path.basename(p) + "\n" for p in order).encode(), 0

    def _boot_modules(self):
        """Paths of BOOT_MODULES and what they depend on, in an order that insmod takes."""
        after = {}
        with open(os.path.join(self.modules, self.version, "modules.dep"), encoding="ascii") as f:
            for line in f:
                path, needs = line.split(":")
                after[os.path.basename(path).split(".")[0].replace("-", "_")] = (path, needs.split())
        order = []
        for name in BOOT_MODULES:
            path, needs = after[name]
            order += [p for p in [*reversed(needs), path] if p not in order]
        return order
