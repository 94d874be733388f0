/* SPDX-License-Identifier: ISC */
#include "pcap-backend/offline.h"

#include <pcap/pcap.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "pcap-backend/esp_rx.h"
#include "pcap-backend/esp_tx.h"
#include "pcap-backend/iphdr.h"
#include "pcap-backend/vxlan.h"

#define SNAPLEN      65535
struct run {
	struct offline *o;
	struct dp *dp;
	const struct keysfile *keys;
	pcap_t *in, *dead;
	pcap_dumper_t *dump;
	struct pcap_pkthdr header;     /* of the packet in work: its time goes along */
	struct esp_sa *sa;             /* encapsulate: the one */
	uint32_t vni;
};

/* ---- what the data plane calls ---- */

static void
write_packet(struct run *run, struct bytes a, struct bytes b)
{
	uint8_t buf[ETH_LEN + DP_BUF];
	struct wr w = wr_fixed(buf, sizeof buf);

	wr_put(&w, a);
	wr_put(&w, b);
	if (w.bad)
		return;
	run->header.caplen = run->header.len = (bpf_u_int32)w.n;
	pcap_dump((u_char *)run->dump, &run->header, buf);
	run->o->packets_written++;
}

static void
out_wire(void *arg, const struct dp_out *out, size_t n)
{
	struct run *run = arg;
	uint8_t eth[ETH_LEN];
	struct wr w;
	size_t i;

	for (i = 0; i < n; i++) {
		w = wr_fixed(eth, sizeof eth);
		wr_put(&w, bytes_of(run->o->dst_mac, MAC_LEN));
		wr_put(&w, bytes_of(run->o->src_mac, MAC_LEN));
		wr_u16(&w, out[i].sa->outer.v6 ? ETHERTYPE_V6 : ETHERTYPE_V4);
		write_packet(run, wr_view(&w), out[i].packet);
	}
}

static void
out_tenant(void *arg, uint32_t vni, const struct bytes *frames, size_t n)
{
	size_t i;

	(void)vni;
	for (i = 0; i < n; i++)
		write_packet(arg, frames[i], bytes_of(NULL, 0));
}

static void
no_acquire(void *arg, const char *node, const char *channel, const struct addr *peer)
{
	(void)arg;
	(void)node;
	(void)channel;
	(void)peer;
}

static void
no_expire(void *arg, uint8_t dir, uint32_t spi, const struct addr *dst, bool hard)
{
	(void)arg;
	(void)dir;
	(void)spi;
	(void)dst;
	(void)hard;
}

static void
no_mapping(void *arg, uint32_t spi, const struct endpoint *peer)
{
	(void)arg;
	(void)spi;
	(void)peer;
}

/* ---- SAs ---- */

static int
add_sa(struct run *run, const struct keyed_sa *k, uint8_t dir)
{
	struct grant g = { .number = k->sa.grant, .expires = INT64_MAX };
	struct sa_params sa = k->sa;
	struct esp_sa *in;
	int r;

	memcpy(g.node, k->node, sizeof g.node);
	g.vnis = (uint32_t *)(uintptr_t)k->vnis;
	g.n_vnis = k->n_vnis;
	sa.dir = dir;
	if ((r = dp_grant_set(run->dp, &g)) == OK)
		r = dp_sa_add(run->dp, &sa);
	sa_wipe(&sa);
	if (r != OK)
		return r;
	in = sad_find(&run->dp->sad, dir, k->sa.spi, &k->sa.dst);
	in->seq = k->seq - 1;
	if (dir == SA_IN && k->seq > 1)
		in->replay.top = k->seq - 1;
	return OK;
}

static int
choose_out(struct run *run, char why[static OFFLINE_WHY])
{
	const struct keyed_sa *chosen = NULL, *k;
	int r;

	for (k = run->keys->sas; k < run->keys->sas + run->keys->n; k++) {
		if (addr_len(&run->o->peer) != 0 && !addr_equal(&k->sa.dst, &run->o->peer))
			continue;
		if (chosen != NULL) {
			(void)snprintf(why, OFFLINE_WHY, "several SAs could be meant: say --peer "
			    "ADDRESS of one that is there once");
			return ERR_VALUE;
		}
		chosen = k;
	}
	if (chosen == NULL) {
		(void)snprintf(why, OFFLINE_WHY, "no SA has this --peer as its dst");
		return ERR_VALUE;
	}
	run->vni = run->o->vni != 0 ? run->o->vni : chosen->n_vnis == 1 ? chosen->vnis[0] : 0;
	if (run->vni == 0) {
		(void)snprintf(why, OFFLINE_WHY, "the SA has several vnis: say --vni N");
		return ERR_VALUE;
	}
	if ((r = add_sa(run, chosen, SA_OUT)) != OK) {
		(void)snprintf(why, OFFLINE_WHY, "SA 0x%08x: %s", chosen->sa.spi, err_str(r));
		return r;
	}
	run->sa = sad_find(&run->dp->sad, SA_OUT, chosen->sa.spi, &chosen->sa.dst);
	return OK;
}

static int
add_inbound(struct run *run, char why[static OFFLINE_WHY])
{
	const struct keyed_sa *k;
	uint32_t i;
	int r;

	for (k = run->keys->sas; k < run->keys->sas + run->keys->n; k++) {
		if ((r = add_sa(run, k, SA_IN)) != OK) {
			(void)snprintf(why, OFFLINE_WHY, "SA 0x%08x: %s", k->sa.spi, err_str(r));
			return r;
		}
		for (i = 0; i < k->n_vnis; i++) {
			if (run->o->vni != 0 && run->o->vni != k->vnis[i])
				continue;
			if ((r = dp_vn_add(run->dp, k->vnis[i])) != OK && r != ERR_EXISTS)
				return r;
		}
	}
	return OK;
}

/* ---- packets ---- */

/* The IP packet of a captured one; empty if it is none. */
static struct bytes
ip_of(int link, struct bytes b)
{
	struct rd r = rd_open(b);
	uint16_t type;

	if (link == DLT_RAW)
		return b;
	rd_skip(&r, ETH_LEN - sizeof type);
	type = rd_u16(&r);
	return type == ETHERTYPE_V4 || type == ETHERTYPE_V6 ? rd_rest(&r) : bytes_of(NULL, 0);
}

/* ESP for one of the SAs is to be decapsulated, everything else is a tenant's. */
static enum offline_what
guess(const struct run *run, struct bytes packet)
{
	const struct keyed_sa *k;
	struct ip_view ip;

	if (ip_read(ip_of(pcap_datalink(run->in), packet), &ip) != OK)
		return OFFLINE_ENCAPSULATE;
	for (k = run->keys->sas; k < run->keys->sas + run->keys->n; k++)
		if (addr_equal(&k->sa.dst, &ip.dst) && ip.proto == (k->sa.encap_dport != 0 ?
		    IP_PROTO_UDP : IP_PROTO_ESP))
			return OFFLINE_DECAPSULATE;
	return OFFLINE_ENCAPSULATE;
}

static int
begin(struct run *run, struct bytes first, char why[static OFFLINE_WHY])
{
	if (run->o->what == OFFLINE_GUESS)
		run->o->what = guess(run, first);
	if (run->o->what == OFFLINE_DECAPSULATE)
		return add_inbound(run, why);
	if (pcap_datalink(run->in) != DLT_EN10MB) {
		(void)snprintf(why, OFFLINE_WHY, "not a capture of Ethernet frames");
		return ERR_SYNTAX;
	}
	return choose_out(run, why);
}

static void
one_packet(struct run *run, struct bytes packet)
{
	struct frame f;

	if (run->header.caplen < run->header.len) {
		count(&run->dp->ctr, CTR_DROP_TOO_BIG);
	} else if (run->o->what == OFFLINE_DECAPSULATE) {
		dp_wire_packet(run->dp, ip_of(pcap_datalink(run->in), packet));
	} else {
		count(&run->dp->ctr, CTR_OUT_FRAMES);
		if (frame_read(packet, !run->dp->cfg.keep_vlan, &f) != OK)
			count(&run->dp->ctr, CTR_DROP_FRAME);
		else if (!grant_has_vni(run->sa->grant, run->vni))
			count(&run->dp->ctr, CTR_DROP_VNI_OUT);
		else
			esp_tx_frame(run->dp, run->sa, run->vni, &f);
	}
	/* Not dp_flush(): it would bury an SA that `run` points to. The next packet then gets no number. */
	esp_tx_flush(run->dp);
	esp_rx_flush(run->dp);
}

static int
loop(struct run *run, char why[static OFFLINE_WHY])
{
	struct pcap_pkthdr *h;
	const u_char *octets;
	int r, rc;

	while ((r = pcap_next_ex(run->in, &h, &octets)) == 1) {
		struct bytes packet = bytes_of(octets, h->caplen);

		run->header = *h;
		if (run->o->packets_read++ == 0 && (rc = begin(run, packet, why)) != OK)
			return rc;
		one_packet(run, packet);
	}
	if (r == PCAP_ERROR_BREAK)
		return OK;
	(void)snprintf(why, OFFLINE_WHY, "packet %llu: %.200s",
	    (unsigned long long)run->o->packets_read + 1, pcap_geterr(run->in));
	return ERR_SYNTAX;
}

static int
open_files(struct run *run, FILE **in, FILE **out, char why[static OFFLINE_WHY])
{
	char errbuf[PCAP_ERRBUF_SIZE] = "";

	if ((run->in = pcap_fopen_offline(*in, errbuf)) == NULL) {
		(void)snprintf(why, OFFLINE_WHY, "%.200s", errbuf);
		return ERR_SYNTAX;
	}
	*in = NULL;
	if (pcap_datalink(run->in) != DLT_EN10MB && pcap_datalink(run->in) != DLT_RAW) {
		(void)snprintf(why, OFFLINE_WHY, "link type %d: neither Ethernet nor raw IP",
		    pcap_datalink(run->in));
		return ERR_SYNTAX;
	}
	if ((run->dead = pcap_open_dead(DLT_EN10MB, SNAPLEN)) == NULL ||
	    (run->dump = pcap_dump_fopen(run->dead, *out)) == NULL) {
		(void)snprintf(why, OFFLINE_WHY, "the file to write: %.200s",
		    run->dead == NULL ? "out of memory" : pcap_geterr(run->dead));
		return ERR_IO;
	}
	*out = NULL;
	return OK;
}

int
offline_run(struct offline *o, struct dp *dp, const struct keysfile *keys, FILE *in, FILE *out,
    char why[static OFFLINE_WHY])
{
	struct run run = { .o = o, .dp = dp, .keys = keys };
	struct dp_io io = { .arg = &run, .wire = out_wire, .tenant = out_tenant,
	    .acquire = no_acquire, .expire = no_expire, .mapping = no_mapping };
	uint8_t seed[16];
	int r;

	memset(dp, 0, sizeof *dp);
	why[0] = '\0';
	if ((r = crypto_random(seed, sizeof seed)) == OK)
		r = dp_init(dp, &o->dp, &io, seed);
	if (r == OK && (r = open_files(&run, &in, &out, why)) == OK)
		r = loop(&run, why);
	if (run.dump != NULL && pcap_dump_flush(run.dump) != 0 && r == OK) {
		(void)snprintf(why, OFFLINE_WHY, "the file to write: disk full?");
		r = ERR_IO;
	}
	if (run.dump != NULL)
		pcap_dump_close(run.dump);
	if (run.dead != NULL)
		pcap_close(run.dead);
	if (run.in != NULL)
		pcap_close(run.in);
	if (in != NULL)
		(void)fclose(in);
	if (out != NULL)
		(void)fclose(out);
	if (r != OK && why[0] == '\0')
		(void)snprintf(why, OFFLINE_WHY, "%s", err_str(r));
	return r;
}
