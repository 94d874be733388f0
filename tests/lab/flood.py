# SPDX-License-Identifier: ISC
"""
A local program that sends VXLAN datagrams to PORT of each ADDRESS about every two milliseconds,
whatever the kernel says to it, until SIGINT. It begins when it has said "sending".

    flood.py VNI PORT ADDRESS...
"""

import select
import signal
import socket
import struct
import sys

PAUSE = 0.002
MARKER = b"plaintext-of-a-flood"


def main():
    vni, port = map(int, sys.argv[1:3])
    frame = struct.pack(">II", 0x08000000, vni << 8) + bytes.fromhex("02000000000b02000000000a88b6") + MARKER.ljust(46)
    targets = [(socket.socket(socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_DGRAM), (a, port))
               for a in sys.argv[3:]]
    going = [True]
    signal.signal(signal.SIGINT, lambda *_: going.clear())
    tried = refused = 0
    print("sending", flush=True)
    while going:
        for s, target in targets:
            tried += 1
            try:
                s.sendto(frame, target)
            except OSError:
                refused += 1
        select.select([], [], [], PAUSE)
    print(f"tried {tried}, refused {refused}", flush=True)


if __name__ == "__main__":
    main()
