#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""`make demo BACKEND=xfrm`: the story on the kernel's VXLAN devices, keyed in place by xfrm-backend."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import story                                          # noqa: E402
from lab.kfleet import KernelFleet, agreed            # noqa: E402


def make_fleet(lab):
    return KernelFleet(lab, nodes=4, url="https://192.0.2.250/authorization.cms")


def show(fleet, command):
    print(f"\nnve-1# {command}")
    print(fleet.lab.sh("nve1", command).rstrip())


def look_inside(demo, fleet):
    demo.step("4b. The same in the kernel of nve-1: devices, SAs, and who may send which VNI")
    show(fleet, "ip -br link show type vxlan")
    show(fleet, "ip xfrm policy | grep -A3 'dport 4789'")
    show(fleet, "nft list set inet overlock vni4")
    show(fleet, "nft list chain inet overlock in | grep 'udp dport'")

    def read():
        return ({s["spi"]: s["packets"] for s in fleet.ctl(1, "sas")["sas"]},
                {spi: s["packets"] for spi, s in fleet.kernel_sas(1).items()})
    ours, kernel = agreed(read)
    demo.shown("packets per SA: overlock sas and ip -s xfrm state", f"{len(ours)} SAs, {sum(ours.values())} packets, "
               + ("the same" if ours == kernel else f"not the same: {kernel}"), ours == kernel)


if __name__ == "__main__":
    sys.exit(story.tell(make_fleet, look_inside))
