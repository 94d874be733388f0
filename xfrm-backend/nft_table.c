/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/nft_table.h"

/* Before linux/netfilter.h, which brings the kernel's version of it else. */
#include <netinet/in.h>

#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

const char *const nt_counters[NT_COUNTERS] = {
	[NT_IN_PLAINTEXT] = "in-plaintext",
	[NT_IN_GRANTED] = "in-granted",
	[NT_IN_DENIED] = "in-denied",
	[NT_OUT_PLAINTEXT] = "out-plaintext",
	[NT_OUT_NO_SA] = "out-no-sa",
};

const struct nt_chain_def nt_chains[NT_CHAINS] = {
	[NT_IN] = { "in", NF_INET_LOCAL_IN },
	[NT_OUT] = { "out", NF_INET_LOCAL_OUT },
};

/* nft(8)'s numbers of types. */
enum { INTEGER = 4, IPADDR = 7, IP6ADDR = 8, INET_PROTOCOL = 12, INET_SERVICE = 13 };
#define TYPES2(a, b)    ((a) << 6 | (b))
#define TYPES3(a, b, c) ((a) << 12 | (b) << 6 | (c))

const struct nt_set_def nt_sets[NT_SETS] = {
	[NFT_SET_VXLAN] = { "vxlan", "port", INET_SERVICE, 2, 0, 0, { 0 } },
	[NFT_SET_VNI4] = { "vni4", "VNI of a sender", TYPES3(INTEGER, IPADDR, INTEGER), 12, 0, 0,
	    { NT_REQID, NT_SADDR4, NT_VNI } },
	[NFT_SET_VNI6] = { "vni6", "VNI of a sender", TYPES3(INTEGER, IP6ADDR, INTEGER), 24, 0, 0,
	    { NT_REQID, NT_SADDR6, NT_VNI } },
	[NFT_SET_CONTROL4] = { "control4", "control channel",
	    TYPES3(IPADDR, INET_PROTOCOL, INET_SERVICE), 12, 0, 0, { 0 } },
	[NFT_SET_CONTROL6] = { "control6", "control channel",
	    TYPES3(IP6ADDR, INET_PROTOCOL, INET_SERVICE), 24, 0, 0, { 0 } },
	[NT_DENIED] = { "denied", "who tried what", TYPES2(INTEGER, INTEGER), 8, NFT_SET_EVAL,
	    NT_DENIED_MAX, { NT_REQID, NT_VNI } },
};

/* The register 4 * n octets into a key, by the number that the kernel tells: of 16 octets where it can be. */
#define R(n) ((n) % 4 == 0 ? (uint8_t)(NFT_REG_1 + (n) / 4) : (uint8_t)(NFT_REG32_00 + (n)))

#define META(n, key)          { NT_META, R(n), NFT_META_##key, 0, 0 }
#define IS(v)                 { NT_IS, R(0), v, 0, 0 }
#define LOAD(n, from, at, len) { NT_LOAD, R(n), NFT_PAYLOAD_##from##_HEADER, at, len }
#define IN_SET(set)           { NT_LOOKUP, R(0), set, 0, 0 }
#define COUNT(counter)        { NT_COUNT, 0, counter, 0, 0 }
#define VERDICT(v)            { NT_VERDICT, NFT_REG_VERDICT, v, 0, 0 }

#define UDP_DPORT_VXLAN META(0, L4PROTO), IS(IPPROTO_UDP), LOAD(0, TRANSPORT, 2, 2), IN_SET(NFT_SET_VXLAN)
#define IPV4            META(0, NFPROTO), IS(NFPROTO_IPV4)
#define IPV6            META(0, NFPROTO), IS(NFPROTO_IPV6)
#define REQID           { NT_LOAD_REQID, R(0), 0, 0, 0 }
#define SADDR4(n)       LOAD(n, NETWORK, 12, 4)
#define DADDR4(n)       LOAD(n, NETWORK, 16, 4)
#define SADDR6(n)       LOAD(n, NETWORK, 8, 16)
#define DADDR6(n)       LOAD(n, NETWORK, 24, 16)
#define SPORT(n)        LOAD(n, TRANSPORT, 0, 2)
#define DPORT(n)        LOAD(n, TRANSPORT, 2, 2)
#define VNI(n)          LOAD(n, TRANSPORT, 12, 3)    /* @th,96,24 */
#define CAME_CLEAR      META(0, SECPATH), IS(0)
#define GOES_CLEAR      { NT_RT, R(0), NFT_RT_XFRM, 0, 0 }, IS(0)
#define GOES_NOWHERE    GOES_CLEAR, META(0, OIFTYPE), { NT_IS_U16, R(0), ARPHRD_LOOPBACK, 0, 0 }

#define CONTROL4(addr, port) IPV4, addr(0), META(1, L4PROTO), port(2), IN_SET(NFT_SET_CONTROL4)
#define CONTROL6(addr, port) IPV6, addr(0), META(4, L4PROTO), port(5), IN_SET(NFT_SET_CONTROL6)

#define DROP_IN         COUNT(NT_IN_PLAINTEXT), VERDICT(NF_DROP)
#define DROP_OUT        COUNT(NT_OUT_PLAINTEXT), VERDICT(NF_DROP)
#define DROP_NO_SA      COUNT(NT_OUT_NO_SA), VERDICT(NF_DROP)
#define GRANTED         COUNT(NT_IN_GRANTED), VERDICT(NF_ACCEPT)

/*
 * Fragments of IPv6 come by here one by one, the whole never does. What begins with UDP or TCP has its ports
 * in the first one; extension headers may push them into another, where nobody looks.
 */
#define FRAGMENT_OF(header) IPV6, { NT_LOAD_EXT, R(0), IPPROTO_FRAGMENT, 0, 1 }, IS(header), DROP_IN

const struct nt_rule nt_rules[NT_RULES] = {
	{ NT_IN, "VXLAN in the clear", { UDP_DPORT_VXLAN, CAME_CLEAR, DROP_IN } },
	{ NT_IN, "VXLAN, VNI granted to this sender (IPv4)",
	    { UDP_DPORT_VXLAN, IPV4, REQID, SADDR4(1), VNI(2), IN_SET(NFT_SET_VNI4), GRANTED } },
	{ NT_IN, "VXLAN, VNI granted to this sender (IPv6)",
	    { UDP_DPORT_VXLAN, IPV6, REQID, SADDR6(1), VNI(5), IN_SET(NFT_SET_VNI6), GRANTED } },
	{ NT_IN, "VXLAN: note who tried which VNI",
	    { UDP_DPORT_VXLAN, REQID, VNI(1), { NT_NOTE, R(0), NT_DENIED, 0, 0 } } },
	{ NT_IN, "VXLAN, VNI not granted to this sender",
	    { UDP_DPORT_VXLAN, COUNT(NT_IN_DENIED), VERDICT(NF_DROP) } },
	{ NT_IN, "control channel in the clear, to its port (IPv4)",
	    { CONTROL4(SADDR4, DPORT), CAME_CLEAR, DROP_IN } },
	{ NT_IN, "control channel in the clear, from its port (IPv4)",
	    { CONTROL4(SADDR4, SPORT), CAME_CLEAR, DROP_IN } },
	{ NT_IN, "control channel in the clear, to its port (IPv6)",
	    { CONTROL6(SADDR6, DPORT), CAME_CLEAR, DROP_IN } },
	{ NT_IN, "control channel in the clear, from its port (IPv6)",
	    { CONTROL6(SADDR6, SPORT), CAME_CLEAR, DROP_IN } },
	{ NT_IN, "IPv6 fragments of destination options", { FRAGMENT_OF(IPPROTO_DSTOPTS) } },
	{ NT_IN, "IPv6 fragments of a routing header", { FRAGMENT_OF(IPPROTO_ROUTING) } },
	{ NT_IN, "IPv6 fragments of fragments", { FRAGMENT_OF(IPPROTO_FRAGMENT) } },

	{ NT_OUT, "VXLAN without an SA", { UDP_DPORT_VXLAN, GOES_NOWHERE, DROP_NO_SA } },
	{ NT_OUT, "control channel without an SA, to its port (IPv4)",
	    { CONTROL4(DADDR4, DPORT), GOES_NOWHERE, DROP_NO_SA } },
	{ NT_OUT, "control channel without an SA, from its port (IPv4)",
	    { CONTROL4(DADDR4, SPORT), GOES_NOWHERE, DROP_NO_SA } },
	{ NT_OUT, "control channel without an SA, to its port (IPv6)",
	    { CONTROL6(DADDR6, DPORT), GOES_NOWHERE, DROP_NO_SA } },
	{ NT_OUT, "control channel without an SA, from its port (IPv6)",
	    { CONTROL6(DADDR6, SPORT), GOES_NOWHERE, DROP_NO_SA } },
	{ NT_OUT, "VXLAN would leave in the clear", { UDP_DPORT_VXLAN, GOES_CLEAR, DROP_OUT } },
	{ NT_OUT, "control channel would leave in the clear, to its port (IPv4)",
	    { CONTROL4(DADDR4, DPORT), GOES_CLEAR, DROP_OUT } },
	{ NT_OUT, "control channel would leave in the clear, from its port (IPv4)",
	    { CONTROL4(DADDR4, SPORT), GOES_CLEAR, DROP_OUT } },
	{ NT_OUT, "control channel would leave in the clear, to its port (IPv6)",
	    { CONTROL6(DADDR6, DPORT), GOES_CLEAR, DROP_OUT } },
	{ NT_OUT, "control channel would leave in the clear, from its port (IPv6)",
	    { CONTROL6(DADDR6, SPORT), GOES_CLEAR, DROP_OUT } },
};
