# SPDX-License-Identifier: ISC
# xfrm-backend: the Linux kernel's data plane
XFRM_BACKEND_SRCS := \
	xfrm-backend/again.c \
	xfrm-backend/counters.c \
	xfrm-backend/interface_sysctl.c \
	xfrm-backend/main.c \
	xfrm-backend/netlink.c \
	xfrm-backend/netlink_dump.c \
	xfrm-backend/netlink_run.c \
	xfrm-backend/nft.c \
	xfrm-backend/nft_batch.c \
	xfrm-backend/nft_change.c \
	xfrm-backend/nft_elem.c \
	xfrm-backend/nft_msg.c \
	xfrm-backend/nft_read.c \
	xfrm-backend/nft_same.c \
	xfrm-backend/nft_table.c \
	xfrm-backend/nft_verify.c \
	xfrm-backend/ops.c \
	xfrm-backend/options.c \
	xfrm-backend/probe.c \
	xfrm-backend/reconcile.c \
	xfrm-backend/sad.c \
	xfrm-backend/settle.c \
	xfrm-backend/spd.c \
	xfrm-backend/spd_target.c \
	xfrm-backend/vn.c \
	xfrm-backend/vxlan_devices.c \
	xfrm-backend/watch.c \
	xfrm-backend/xfrm_msg_alg.c \
	xfrm-backend/xfrm_msg_event.c \
	xfrm-backend/xfrm_msg_pol.c \
	xfrm-backend/xfrm_msg_sa.c \
	xfrm-backend/xfrm_msg_wire.c \
	xfrm-backend/xfrm_obj.c
