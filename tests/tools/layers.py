# SPDX-License-Identifier: ISC
"""The table of the layers: who may include whom, and which header of outside is whose."""

# Folder -> folders it may include besides its own. docs/DESIGN.md, section 2.
DAEMON = {"base", "crypto", "ike", "group", "nvo3", "backend", "shell"}
MAY = {
    "base": set(),
    "crypto": {"base"},
    "ike": {"base", "crypto"},
    "group": {"base", "crypto", "ike"},
    "nvo3": {"base", "crypto"},
    "backend": {"base"},
    "shell": {"base", "backend", "crypto", "ike", "nvo3"},
    "xfrm-backend": {"base", "backend"},
    "pcap-backend": {"base", "backend", "crypto"},
    "ikev2d": DAEMON,
    "gdoid": DAEMON,
    "overlock": DAEMON,
}
LIBRARIES = ("base", "crypto", "ike", "group", "nvo3", "backend", "shell")

# What C itself brings and needs no system.
PURE = set("""
    assert.h ctype.h errno.h inttypes.h limits.h stdalign.h stdarg.h stdatomic.h stdbool.h
    stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h strings.h
""".split())

# POSIX, and what every Unix has besides.
POSIX = PURE | set("""
    arpa/inet.h dirent.h fcntl.h fnmatch.h getopt.h glob.h grp.h ifaddrs.h locale.h math.h net/if.h
    netdb.h netinet/in.h netinet/ip.h netinet/ip6.h netinet/tcp.h netinet/udp.h poll.h pthread.h
    pwd.h regex.h sched.h setjmp.h signal.h sys/file.h sys/ioctl.h sys/mman.h sys/param.h
    sys/resource.h sys/select.h sys/socket.h sys/stat.h sys/time.h sys/times.h sys/types.h
    sys/uio.h sys/un.h sys/utsname.h sys/wait.h syslog.h termios.h time.h unistd.h utime.h wchar.h
    immintrin.h cpuid.h endian.h
""".split())

# The engines have no clock, no socket, no file: not even the headers of these.
SANS_IO = {"ike", "group"}

# Headers of outside libraries, by how they start -> the folders that may see them.
OUTSIDE = {
    "openssl/": {"crypto"},
    "intel-ipsec-mb.h": {"crypto"},
    "libxml/": {"nvo3"},
    "curl/": {"nvo3"},
    "pcap/": {"pcap-backend"},
    "pcap.h": {"pcap-backend"},
    "libmnl/": {"xfrm-backend"},
    "libnftnl/": {"xfrm-backend"},
    "event2/": {"shell", "ikev2d", "gdoid"},
    "jansson.h": {"shell", "ikev2d", "gdoid", "overlock", "pcap-backend"},
    "ini.h": {"shell", "ikev2d", "gdoid", "overlock", "pcap-backend"},
    "sanitizer/": {"base"},
}

# Linux only: in files named *_linux.c, and there in these folders (None: in any).
LINUX = {
    "linux/netlink.h": {"xfrm-backend", "pcap-backend"},
    "linux/rtnetlink.h": {"xfrm-backend", "pcap-backend"},
    "linux/xfrm.h": {"xfrm-backend"},
    "linux/netfilter": {"xfrm-backend"},
    "linux/": None,
    "asm/": None,
    "cap-ng.h": None,
    "seccomp.h": None,
    "net/ethernet.h": None,
    "net/if_arp.h": None,
    "netinet/if_ether.h": None,
    "netpacket/packet.h": None,
    "sys/capability.h": None,
    "sys/epoll.h": None,
    "sys/eventfd.h": None,
    "sys/fsuid.h": None,
    "sys/inotify.h": None,
    "sys/mount.h": None,
    "sys/prctl.h": None,
    "sys/random.h": None,
    "sys/sendfile.h": None,
    "sys/signalfd.h": None,
    "sys/syscall.h": None,
    "sys/timerfd.h": None,
    "sys/vfs.h": None,
}


def find(table, header):
    """The longest entry of `table` that `header` starts with (or is), or None."""
    fits = [k for k in table if header == k or (not k.endswith(".h") and header.startswith(k))]
    return max(fits, key=len, default=None)


def judge_outside(folder, name, header):
    """Why file `name` in `folder` may not include <header>; None when it may."""
    entry = find(OUTSIDE, header)
    if entry is not None:
        if folder in OUTSIDE[entry]:
            return None
        return f"<{header}> is for {', '.join(sorted(OUTSIDE[entry]))} only"
    if folder in SANS_IO:
        return None if header in PURE else f"<{header}>: this layer has no I/O"
    if header in POSIX:
        return None
    entry = find(LINUX, header)
    if entry is None:
        return f"<{header}> is in no table of tests/tools/layers.py"
    # A folder that is Linux by its name needs no suffix.
    if folder != "xfrm-backend" and not name.endswith(("_linux.c", "_linux.h")):
        return f"<{header}> is Linux: only in a *_linux.c"
    if LINUX[entry] is not None and folder not in LINUX[entry]:
        return f"<{header}> is for {', '.join(sorted(LINUX[entry]))} only"
    return None
