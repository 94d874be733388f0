/* SPDX-License-Identifier: ISC */
/*
 * The contract over a SOCK_SEQPACKET pair (base/seqpacket.h): message numbers and bodies. Bodies are
 * written and read by the functions of backend/ipc.c only. Numbers below 0x100 are the lifecycle
 * messages that every child process of a daemon understands.
 */
#ifndef BACKEND_IPC_H
#define BACKEND_IPC_H

#include "backend/backend.h"

/* parent -> any child */
enum {
	IPC_PEER = 1,        /* body: u8 peer number; descriptor attached: connection to that process */
	IPC_START = 2,       /* all descriptors given: begin */
	IPC_STOP = 3,        /* end in an orderly way, exit 0 */
	IPC_RELOAD = 4,
	IPC_SOCKET = 5,      /* body: endpoint, u8 natt; descriptor attached: bound UDP or listening socket */
};
/* any child -> parent */
enum {
	IPC_READY = 0x40,    /* privileges dropped, working. body: string, what could not be dropped */
	IPC_FATAL = 0x41,    /* body: u8 exit status, string for the operator */
};

/* Numbers of the processes, for IPC_PEER and the process table. */
enum proc_id { PROC_PARENT = 0, PROC_ENGINE, PROC_KEYS, PROC_TRUST, PROC_AUTHZ, PROC_BACKEND, PROC_CONTROL, PROC_N };

/* engine or authz -> backend */
enum {
	BK_SA_ADD = 0x100,   /* wr_sa */
	BK_SA_DEL,           /* u8 dir, u32 spi, addr dst */
	BK_SA_MOVE,          /* u32 pair, endpoint local, endpoint peer */
	BK_GRANT_SET,        /* wr_grant */
	BK_GRANT_DROP,       /* u32 */
	BK_POLICY_ADD,       /* wr_policy */
	BK_POLICY_DEL,       /* wr_policy */
	BK_FLUSH_OWN,
	BK_COMMIT,           /* u32 generation */
	BK_SA_LIST,          /* control: answered by BK_SA_INFO ... BK_END */
	BK_COUNTERS,         /* control: answered by BK_COUNTER ... BK_END */
	BK_GRANT_LIST,       /* authz, after its restart: answered by BK_GRANT_INFO ... BK_END */
};
/* backend -> */
enum {
	BK_DONE = 0x180,     /* u32 generation, u16 count, i16 result each */
	BK_ACQUIRE,          /* string node, string channel, addr peer */
	BK_EXPIRE,           /* u8 dir, u32 spi, addr dst, u8 hard */
	BK_MAPPING,          /* u32 spi, endpoint */
	BK_HELLO,            /* string name, u32 features */
	BK_SA_INFO,          /* wr_sa_stats, then wr_sa with the key left out */
	BK_COUNTER,          /* string name, string node, u32 vni, u64 */
	BK_GRANT_INFO,       /* wr_grant */
	BK_END,
};

/* Strings between our processes: u16 length, octets without NUL; read into a buffer with NUL. */
void wr_str(struct wr *, const char *);
void rd_str(struct rd *, char *to, size_t cap);   /* too long or with NUL octets: reader turns bad */

#endif
