/* SPDX-License-Identifier: ISC */
/* reads: lib/base/sa_wire.c lib/base/rd.c */
/* fuzz: -max_len=16384 */
/*
 * The structs that processes send each other: the first octet chooses one, the rest is its wire
 * form. What is accepted must be written again octet by octet, and be sound: backends rely on that.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/sa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

union any {
	struct sa_params sa;
	struct sa_stats stats;
	struct grant grant;
	struct policy policy;
};

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
check_selectors(const struct selector *s, uint8_t n)
{
	char text[SELECTOR_STRLEN];
	struct selector out;
	uint8_t i, j;

	must(n <= SELECTORS_MAX);
	for (i = 0; i < n; i++) {
		must(selector_valid(&s[i]));
		must(strlen(selector_str(&s[i], text)) < SELECTOR_STRLEN);
		must(selector_contains(&s[i], &s[i]));
		for (j = 0; j < n; j++)
			if (selector_narrow(&out, &s[i], &s[j]))
				must(selector_contains(&s[i], &out) && selector_contains(&s[j], &out));
	}
}

static void
check_transform(const struct esp_transform *t)
{
	struct esp_transform again;
	char name[48];

	if (t->encr == ESP_ENCR_NONE)
		return;
	must(esp_transform_name(t, name) != NULL);
	must(esp_transform_parse(&again, name) == OK);
	must(again.encr == t->encr && again.key_bits == t->key_bits && again.integ == t->integ &&
	    again.esn == t->esn);
}

static void
check_sa(struct sa_params *sa)
{
	check_selectors(sa->src_sel, sa->n_src_sel);
	check_selectors(sa->dst_sel, sa->n_dst_sel);
	check_transform(&sa->transform);
	must(strnlen(sa->channel, sizeof sa->channel) < sizeof sa->channel);
	must(sa->key_len <= SA_KEY_MAX && sa->vni <= VNI_MAX);
	sa_wipe(sa);
}

static void
check_vnis(const uint32_t *vnis, uint32_t n)
{
	uint32_t i;

	must(n <= SA_VNIS_MAX && (n == 0) == (vnis == NULL));
	for (i = 0; i < n; i++)
		must(vnis[i] <= VNI_MAX && (i == 0 || vnis[i - 1] < vnis[i]));
}

static void
check_grant(const struct grant *g)
{
	struct grant copy;
	uint8_t i;

	must(g->n_peer <= ADDRS_MAX && g->n_local <= ADDRS_MAX && g->n_channels <= CHANNELS_MAX);
	check_vnis(g->vnis, g->n_vnis);
	for (i = 0; i < g->n_channels; i++)
		check_transform(&g->channels[i].esp);
	must(g->n_vnis == 0 || grant_has_vni(g, g->vnis[g->n_vnis / 2]));
	if (grant_copy(&copy, g) == OK)
		grant_free(&copy);
}

static void
check_policy(const struct policy *p)
{
	struct policy copy;

	check_vnis(p->vnis, p->n_vnis);
	check_transform(&p->channel.esp);
	if (policy_copy(&copy, p) == OK)
		policy_free(&copy);
}

static int
read_one(int kind, struct rd *r, union any *a)
{
	switch (kind) {
	case 0:
		return rd_sa(r, &a->sa);
	case 1:
		return rd_sa_stats(r, &a->stats);
	case 2:
		return rd_grant(r, &a->grant);
	default:
		return rd_policy(r, &a->policy);
	}
}

static void
write_one(int kind, struct wr *w, const union any *a)
{
	switch (kind) {
	case 0:
		wr_sa(w, &a->sa);
		break;
	case 1:
		wr_sa_stats(w, &a->stats);
		break;
	case 2:
		wr_grant(w, &a->grant);
		break;
	default:
		wr_policy(w, &a->policy);
	}
}

static void
check_one(int kind, union any *a)
{
	switch (kind) {
	case 0:
		check_sa(&a->sa);
		break;
	case 2:
		check_grant(&a->grant);
		grant_free(&a->grant);
		break;
	case 3:
		check_policy(&a->policy);
		policy_free(&a->policy);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wr w = wr_grow(65536);
	struct rd r = rd_open(bytes_of(data, len));
	int kind = rd_u8(&r) % 4, err;
	size_t before = rd_left(&r);
	union any a;

	err = read_one(kind, &r, &a);
	must(err == OK || err == ERR_SYNTAX || err == ERR_VALUE || err == ERR_NOMEM);
	if (err == OK) {
		write_one(kind, &w, &a);
		must(!w.bad);
		must(bytes_equal(wr_view(&w), bytes_of(data + 1, before - rd_left(&r))));
		check_one(kind, &a);
	}
	wr_free(&w);
	return 0;
}
