# SPDX-License-Identifier: ISC
XFRM_BACKEND_SRCS := $(patsubst $(S)/%,%,$(sort $(wildcard $(S)/xfrm-backend/*.c)))
