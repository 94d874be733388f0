# lib/backend: the backend contract and its form over IPC
LIB_BACKEND_SRCS := \
	lib/backend/calls.c \
	lib/backend/client.c \
	lib/backend/conn.c \
	lib/backend/cover.c \
	lib/backend/guard.c \
	lib/backend/ipc.c \
	lib/backend/main.c \
	lib/backend/queue.c \
	lib/backend/seen.c \
	lib/backend/upcall.c
