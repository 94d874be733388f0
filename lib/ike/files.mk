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
	lib/ike/ts_label.c
