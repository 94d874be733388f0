/* SPDX-License-Identifier: ISC */
/*
 * nf_tables requests, pure: the objects of nft_table.h as messages (by libnftnl), and questions about
 * them. Each is written into buf (NMSG_MAX octets, aligned for nlmsghdr) and returned; NULL when out
 * of memory. Sequence number and port are the sender's (netlink.h). Elements: nft_elem.h.
 */
#ifndef XFRM_NFT_MSG_H
#define XFRM_NFT_MSG_H

#include <linux/netlink.h>

#include "xfrm-backend/nft_table.h"

#define NMSG_MAX 8192

/*
 * Around a batch: the kernel does all between them, or nothing. They carry no NLM_F_ACK; an error of
 * the batch as a whole is told with the sequence number of the first.
 */
struct nlmsghdr *nmsg_batch_begin(void *buf);
struct nlmsghdr *nmsg_batch_end(void *buf);

/* In a batch, with NLM_F_ACK. What is there already, and the same, is no error. */
struct nlmsghdr *nmsg_table_add(void *buf, const char *table);
/* With all that is in it; ENOENT when there is none. */
struct nlmsghdr *nmsg_table_del(void *buf, const char *table);
struct nlmsghdr *nmsg_counter_add(void *buf, const char *table, unsigned counter);
struct nlmsghdr *nmsg_set_add(void *buf, const char *table, unsigned set);
struct nlmsghdr *nmsg_chain_add(void *buf, const char *table, unsigned chain);
/* At the end of its chain. Counters and sets that it names come before it. */
struct nlmsghdr *nmsg_rule_add(void *buf, const char *table, unsigned rule);

/* Questions, no batch around them. One object: */
struct nlmsghdr *nmsg_table_get(void *buf, const char *table);
struct nlmsghdr *nmsg_set_get(void *buf, const char *table, unsigned set);
/*
 * Dumps: type is NFT_MSG_GETCHAIN, GETRULE, GETSET or GETOBJ. Of this table, but the kernel tells the
 * chains of other ones too. ENOENT, or nothing, when there is no such table.
 */
struct nlmsghdr *nmsg_dump(void *buf, uint16_t type, const char *table);

#endif
