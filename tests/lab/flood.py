# SPDX-License-Identifier: ISC
"""
A local program that sends VXLAN datagrams of VN 5001 to port 4789 of each ADDRESS about every MS
milliseconds, whatever the kernel says to it, until SIGINT. It begins when it has said "sending".

    flood.py MS ADDRESS...
"""

import select
import signal
import socket
import struct
import sys

VNI, PORT = 5001, 4789
MARKER = b"plaintext-of-a-flood"


def main():
    pause = int(sys.argv[1]) / 1000
    frame = struct.pack(">II", 0x08000000, VNI << 8) + bytes.fromhex("02000000000b02000000000a88b6") + MARKER.ljust(46)
    targets = [(socket.socket(socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_DGRAM), (a, PORT))
               for a in sys.argv[2:]]
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
        select.select([], [], [], pause)
    print(f"tried {tried}, refused {refused}", flush=True)


if __name__ == "__main__":
    main()
