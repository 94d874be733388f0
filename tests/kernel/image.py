# SPDX-License-Identifier: ISC
"""The guest's kernel, modules and initramfs, made from Debian's package and kept in BUILD/kernel."""

import fcntl
import glob
import hashlib
import lzma
import os
import platform
import re
import shutil
import struct
import subprocess
import tarfile

HERE = os.path.dirname(os.path.realpath(__file__))
# What the initramfs needs to reach the host's root and the console.
BOOT_MODULES = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")
BUSYBOX = "/bin/busybox"
# Of the 350 MB of modules in the package, those that a network lab can ask for.
WANTED = re.compile(r"\./lib/modules/[^/]+/(modules\.|kernel/("
                    r"(arch|block|crypto|lib|net|virt)/|fs/(9p|fscache|netfs|overlayfs)/|"
                    r"drivers/(virtio|char|crypto|block/loop)|"
                    r"drivers/net/([^/]+\.ko|(bonding|ipvlan|netdevsim|team|vxlan|wireguard)/)))")
VMLINUZ = re.compile(r"\./boot/vmlinuz-")


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
    The ELF kernel inside a bzImage, or the bzImage itself. QEMU starts the former through its PVH entry;
    unpacking it here takes a tenth of the time that the emulated processor needs.
    """
    setup = ((bzimage[0x1f1] or 4) + 1) * 512
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    payload = bzimage[setup + offset:setup + offset + length]
    if not payload.startswith(b"\xfd7zXZ\0"):
        return bzimage
    elf = lzma.LZMADecompressor().decompress(payload)
    return elf if elf.startswith(b"\x7fELF") else bzimage


class Image:
    """Paths of what QEMU boots, made when they are missing or older than what they are made from."""

    def __init__(self, build):
        self.cache = os.path.join(build, "kernel")
        self.root = os.path.join(self.cache, "root")
        self.modules = os.path.join(self.root, "lib/modules")
        self.kernel = os.path.join(self.cache, "vmlinux")
        self.initrd = os.path.join(self.cache, "initrd")
        if platform.machine() != "x86_64":
            raise ImageError(f"the guest is for x86_64 machines only, this is {platform.machine()}")
        need("qemu-system-x86_64", "qemu-system-x86")
        need("busybox", "busybox-static")
        need("depmod", "kmod")
        need("dpkg-deb", "dpkg")
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
                    return
            os.unlink(stamp)
        except OSError:
            pass
        shutil.rmtree(self.root, ignore_errors=True)
        bzimage = self._unpack(deb)
        version, = os.listdir(self.modules)
        # Warnings are about modules that were left out.
        subprocess.run(["depmod", "-b", self.root, version], check=True, stderr=subprocess.DEVNULL)
        with open(self.kernel, "wb") as f:
            f.write(vmlinux(bzimage))
        with open(self.initrd, "wb") as f:
            f.write(newc(self._initramfs(os.path.join(self.modules, version))))
        with open(stamp, "w", encoding="ascii") as f:
            f.write(wanted)

    @staticmethod
    def _inputs(deb):
        mark = hashlib.sha256()
        for path in (deb, BUSYBOX):
            st = os.stat(path)
            mark.update(f"{path} {st.st_size} {st.st_mtime_ns}\n".encode())
        for path in (__file__, os.path.join(HERE, "init")):
            with open(path, "rb") as f:
                mark.update(f.read())
        return mark.hexdigest()

    def _unpack(self, deb):
        """The modules go to self.root, the kernel's octets are returned."""
        bzimage = None
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as dpkg:
            with tarfile.open(fileobj=dpkg.stdout, mode="r|") as tar:
                for member in tar:
                    if VMLINUZ.match(member.name):
                        bzimage = tar.extractfile(member).read()
                    elif WANTED.match(member.name) and member.isfile():
                        tar.extract(member, self.root, set_attrs=False)
        if dpkg.returncode != 0 or bzimage is None:
            raise ImageError(f"{deb} is no kernel package: remove it and run ./configure --bootstrap")
        return bzimage

    @staticmethod
    def _initramfs(modules):
        yield "dev", 0o040755, b"", 0
        yield "dev/console", 0o020600, b"", 5 << 8 | 1
        yield "bin", 0o040755, b"", 0
        with open(BUSYBOX, "rb") as f:
            yield "bin/busybox", 0o100755, f.read(), 0
        with open(os.path.join(HERE, "init"), "rb") as f:
            yield "init", 0o100755, f.read(), 0
        yield "modules", 0o040755, b"", 0
        order = boot_order(modules)
        for path in order:
            with open(os.path.join(modules, path), "rb") as f:
                yield "modules/" + os.path.basename(path), 0o100644, f.read(), 0
        yield "modules/order", 0o100644, "".join(os.path.basename(p) + "\n" for p in order).encode(), 0


def boot_order(modules):
    """Paths of BOOT_MODULES and what they depend on, in an order that insmod takes."""
    needs = {}
    with open(os.path.join(modules, "modules.dep"), encoding="ascii") as f:
        for line in f:
            path, others = line.split(":")
            needs[os.path.basename(path).split(".")[0].replace("-", "_")] = [*reversed(others.split()), path]
    order = []
    for name in BOOT_MODULES:
        order += [path for path in needs[name] if path not in order]
    return order
