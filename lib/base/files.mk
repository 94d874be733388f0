LIB_BASE_SRCS := lib/base/addr.c lib/base/addr_parse.c lib/base/bytes.c lib/base/err.c \
	lib/base/hash.c lib/base/log.c lib/base/log_text.c lib/base/rd.c lib/base/sa.c \
	lib/base/sa_wire.c lib/base/sandbox_steps.c lib/base/secret.c lib/base/selector.c \
	lib/base/seqpacket.c lib/base/siphash.c lib/base/timer.c lib/base/wr.c
LIB_BASE_SRCS_LINUX := lib/base/sandbox_linux.c lib/base/seccomp_linux.c
LIB_BASE_SRCS_PORTABLE := lib/base/sandbox_portable.c
