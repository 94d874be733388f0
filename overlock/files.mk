# SPDX-License-Identifier: ISC
OVERLOCK_SRCS := \
	overlock/authz.c \
	overlock/authz_json.c \
	overlock/authz_open.c \
	overlock/authz_show.c \
	overlock/check.c \
	overlock/check_backend.c \
	overlock/check_document.c \
	overlock/check_mtu.c \
	overlock/check_program.c \
	overlock/check_system.c \
	overlock/cmd.c \
	overlock/counters.c \
	overlock/ctl.c \
	overlock/ctl_peer.c \
	overlock/ctl_table.c \
	overlock/lab.c \
	overlock/lab_files.c \
	overlock/lab_text.c \
	overlock/main.c \
	overlock/sas.c \
	overlock/status.c
