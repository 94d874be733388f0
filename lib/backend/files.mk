# lib/backend: the backend contract and its form over IPC
LIB_BACKEND_SRCS := \
	lib/backend/client.c \
	lib/backend/cover.c \
	lib/backend/guard.c \
	lib/backend/ipc.c \
	lib/backend/seen.c
