/* SPDX-License-Identifier: ISC */
/*
 * What our nf_tables table is, as data: counters, sets, chains and rules in order. nft_msg.h makes
 * messages of it, nft_same.h compares with it what the kernel has. Numbers of the kernel's are those
 * of linux/netfilter/nf_tables.h.
 */
#ifndef XFRM_NFT_TABLE_H
#define XFRM_NFT_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "xfrm-backend/nft.h"

#define NT_PRIORITY (-10)            /* of both chains: before the administrator's filters (0) */
#define NT_DENIED_MAX 4096u          /* entries of @denied */

enum nt_counter { NT_IN_PLAINTEXT = 0, NT_IN_GRANTED, NT_IN_DENIED, NT_OUT_PLAINTEXT, NT_OUT_NO_SA, NT_COUNTERS };
extern const char *const nt_counters[NT_COUNTERS];

enum nt_chain { NT_IN = 0, NT_OUT, NT_CHAINS };
struct nt_chain_def {
	const char *name;
	uint32_t hook;               /* NF_INET_LOCAL_IN, NF_INET_LOCAL_OUT */
};
extern const struct nt_chain_def nt_chains[NT_CHAINS];

/* The sets of enum nft_set, and @denied, which the kernel fills. */
#define NT_DENIED NFT_SETS
#define NT_SETS   (NFT_SETS + 1)
#define NT_PARTS  3
/* What a part of a key is made of, in the words of nft(8)'s own notes ("typeof"). 0: no part. */
enum nt_part { NT_NO_PART = 0, NT_REQID, NT_SADDR4, NT_SADDR6, NT_VNI };
struct nt_set_def {
	const char *name;
	const char *what;            /* for people: what an element allows */
	uint32_t type;               /* nft(8)'s number of the key's type: six bits per part */
	uint32_t key_len;            /* octets; each part of a key begins at a multiple of 4 */
	uint32_t flags;              /* enum nft_set_flags */
	uint32_t size;               /* elements; 0 = no bound */
	uint8_t parts[NT_PARTS];     /* enum nt_part, where type alone does not say it */
};
extern const struct nt_set_def nt_sets[NT_SETS];

/* One expression of a rule. Registers are enum nft_registers. */
enum nt_what {
	NT_END = 0,
	NT_META,                     /* reg = meta key a */
	NT_RT,                       /* reg = rt key a */
	NT_LOAD_REQID,               /* reg = reqid of the SA that decrypted the packet; no SA: no match */
	NT_LOAD,                     /* reg = c octets at b of header a (enum nft_payload_bases) */
	NT_LOAD_EXT,                 /* the same of IPv6 extension header a; none of that number: no match */
	NT_IS,                       /* one octet in reg equals a */
	NT_IS_U16,                   /* two octets, in the order of this machine */
	NT_LOOKUP,                   /* the key from reg on is in set a */
	NT_NOTE,                     /* adds the key from reg on to set a, or counts there */
	NT_COUNT,                    /* counter a */
	NT_VERDICT,                  /* a: NF_DROP, NF_ACCEPT */
};
struct nt_op {
	uint8_t what;
	uint8_t reg;
	uint32_t a, b, c;
};
#define NT_OPS 16
struct nt_rule {
	uint8_t chain;               /* enum nt_chain */
	const char *comment;         /* shown by nft(8) */
	struct nt_op ops[NT_OPS];    /* up to NT_END */
};
#define NT_RULES 22
extern const struct nt_rule nt_rules[NT_RULES];   /* those of a chain in their order there */

#endif
