LIB_SHELL_SRCS := \
	lib/shell/backend_kind.c \
	lib/shell/chan.c \
	lib/shell/child.c \
	lib/shell/conf.c \
	lib/shell/config.c \
	lib/shell/ctl.c \
	lib/shell/ctl_socket.c \
	lib/shell/loop.c \
	lib/shell/msg.c \
	lib/shell/msg_status.c \
	lib/shell/preflight.c \
	lib/shell/proc.c \
	lib/shell/udp.c \
	lib/shell/user.c

LIB_SHELL_SRCS_LINUX := \
	lib/shell/ctl_linux.c \
	lib/shell/udp_linux.c

LIB_SHELL_SRCS_PORTABLE := \
	lib/shell/ctl_portable.c \
	lib/shell/udp_portable.c
