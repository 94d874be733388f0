# SPDX-License-Identifier: ISC
OVERLOCK_SRCS := \
	overlock/authz.c \
	overlock/authz_json.c \
	overlock/authz_open.c \
	overlock/authz_show.c \
	overlock/cmd.c \
	overlock/lab.c \
	overlock/lab_files.c \
	overlock/lab_text.c \
	overlock/main.c
