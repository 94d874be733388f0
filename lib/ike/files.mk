# SPDX-License-Identifier: ISC
# One source per line.
LIB_IKE_SRCS := \
	lib/ike/authdata.c \
	lib/ike/keymat.c \
	lib/ike/msg.c \
	lib/ike/msg_text.c \
	lib/ike/out.c \
	lib/ike/params.c \
	lib/ike/payload.c \
	lib/ike/payload_sa.c \
	lib/ike/payload_write.c \
	lib/ike/proposal.c \
	lib/ike/proposal_choose.c \
	lib/ike/proposal_name.c \
	lib/ike/sk.c \
	lib/ike/suites.c \
	lib/ike/ts.c \
	lib/ike/ts_label.c \
	lib/ike/actions.c \
	lib/ike/arrive.c \
	lib/ike/auth.c \
	lib/ike/auth_child.c \
	lib/ike/auth_init.c \
	lib/ike/auth_resp.c \
	lib/ike/child.c \
	lib/ike/cookie.c \
	lib/ike/engine.c \
	lib/ike/exchange.c \
	lib/ike/ike_sa.c \
	lib/ike/info.c \
	lib/ike/init.c \
	lib/ike/init_i.c \
	lib/ike/init_r.c \
	lib/ike/jobs.c \
	lib/ike/natd.c \
	lib/ike/negotiation.c \
	lib/ike/peer.c \
	lib/ike/peer_event.c \
	lib/ike/send.c \
	lib/ike/status.c \
	lib/ike/window.c
