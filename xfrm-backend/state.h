/* SPDX-License-Identifier: ISC */
/* The state of xfrm-backend, shared by its files. */
#ifndef XFRM_STATE_H
#define XFRM_STATE_H

#include "backend/backend.h"
#include "base/log.h"
#include "xfrm-backend/netlink.h"
#include "xfrm-backend/nft.h"
#include "xfrm-backend/sad.h"
#include "xfrm-backend/vn.h"
#include "xfrm-backend/xfrm_msg.h"

enum call_kind { CALL_SA, CALL_POLICY, CALL_GRANT };

/* A call whose result comes with settle(). */
struct call {
	enum call_kind kind;
	int result;
	const void *about;               /* of a policy call: its target, to compare with */
};

/* A policy that another target is in the way of. */
struct again {
	struct again *next;
	struct policy policy;
	size_t call;                     /* index, SIZE_MAX: it was answered */
};

enum item_kind { ITEM_SA_ADD, ITEM_SA_GET, ITEM_SA_DEL, ITEM_POL_ADD, ITEM_POL_GET, ITEM_POL_DEL };

/* A request that was given to nl_add(), by its number. */
struct item {
	enum item_kind kind;
	struct sad_entry *sa;            /* NULL: nobody waits */
	struct pol_entry *pol;
	size_t call;                     /* index, SIZE_MAX: none */
};

#define SHADOWS_MAX 16

/* A foreign policy that goes before one of ours, as told. */
struct shadow {
	char *text;
	bool seen;                       /* in the dump that is being read */
};

enum repair { REPAIR_POLICY = 0, REPAIR_SA_GONE, REPAIR_TABLE, REPAIR_OVERRUN, REPAIRS };

struct backend {
	struct backend_host *host;
	struct options options;
	struct xmsg_kernel kernel;
	struct nl *req;                  /* XFRM requests */
	struct nl *ev_xfrm, *ev_nft, *ev_route;
	struct nft *nft;
	struct spd spd;
	struct vn vn;
	struct sad sad;

	struct again *again, **again_last;
	struct call *calls;
	size_t n_calls, cap_calls;
	struct item *items;
	size_t n_items, cap_items;

	int64_t now_ms;
	int64_t reconcile_at;            /* full comparison is due */
	int64_t reconciled_ms;           /* the last one */
	int64_t inherit_until;           /* what a former process left stays until then; INT64_MAX: over */
	bool nft_due, nft_gone;          /* to be verified; to be made anew */
	bool no_table;                   /* layer 3 is left alone: --remove */
	int64_t nft_retry_at;            /* after a failure */
	bool sas_due;                    /* SAs were flushed by somebody */

	struct shadow shadows[SHADOWS_MAX];
	size_t n_shadows;
	uint64_t repairs[REPAIRS];
	uint64_t acquires;
	uint64_t failed_deletions;
	struct nft_figures figures_base; /* of tables that were there before */
	int xfrm_stat;                   /* /proc/net/xfrm_stat, or -1 */
	struct log_bucket bucket;
};

/* ---- settle.c ---- */
/* An index of b->calls; SIZE_MAX when out of memory. */
size_t call_add(struct backend *, enum call_kind, const void *about);
/* One XFRM request; wiped afterwards. 0, ERR_NOMEM or ERR_SPACE; a NULL message: ERR_UNSUPPORTED. */
int request_add(struct backend *, struct nlmsghdr *, const struct item *);
/* Make the kernel what it shall be: deletions of VNs, then SAs and policies, then new VNs. */
void apply(struct backend *);
void op_settle(struct backend *, void (*result)(void *, int), void *);
/* A library error code for an errno of the kernel. */
int err_of_errno(int);
/* The SA is gone from the kernel, or never came there. */
void sa_gone(struct backend *, struct sad_entry *);
/* Iterates over the elements that the table shall hold; arg: struct table_walk. */
struct table_walk {
	struct backend *b;
	size_t pos;
};
bool table_next(void *arg, bool first, struct nft_elem *);
/* Make the table anew. 0 or an error, which was logged. */
int table_build(struct backend *);

/* ---- again.c ---- */
/* Remember it; its answer comes at the end of the batch. BACKEND_QUEUED or ERR_NOMEM. */
int again_add(struct backend *, const struct policy *);
/* That node and channel gets another policy, or none. */
void again_forget(struct backend *, const struct policy *like);
/* The batch is over: try them. */
void again_run(struct backend *);
void again_drop(struct backend *);

/* ---- reconcile.c ---- */
/* Compare all that is ours with what is there, and repair. first: nothing is known yet. 0 or an error. */
int reconcile(struct backend *, bool first);
/* What reconcile() does first for the table: made anew, with what it has now. 0 or an error, which was logged. */
int table_adopt(struct backend *);
/* A foreign policy: does it go before one of ours? Told once. */
void shadow_check(struct backend *, const struct xpol *);
void shadows_forget(struct backend *);
/* Delete what a former process left and nobody wanted. */
void former_drop(struct backend *);
/* The target has a new pair of SAs: those of a former process are superseded. */
void former_replaced(struct backend *, const struct target *);

/* ---- watch.c ---- */
/* What IPsec tells; then nf_tables and addresses. 0, or an error and *why. */
int watch_open(struct backend *, char why[static 256]);
int watch_open_others(struct backend *, char why[static 256]);
void watch_close(struct backend *);
/* Notifications that have come. */
void watch_run(struct backend *);

/* ---- counters.c ---- */
int op_counters(struct backend *, void (*emit)(void *, const struct backend_counter *), void *);
/* Before a table is made anew its figures are added to what was there before. */
void figures_keep(struct backend *);

/* ---- ops.c ---- */
/* As spd_policy_add(), and what goes with it in the other layers. */
int policy_install(struct backend *, const struct policy *);
extern const struct backend_ops xfrm_ops;
/* Our own objects' first two layers and nothing else: for the boot unit. 0 or an error and *why. */
int backend_block(const struct options *, char why[static 256]);
/* Remove all that is ours. */
int backend_remove(const struct options *, char why[static 256]);

#endif
