/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/sad.h"

#include <stdlib.h>

#define KEY_OCTETS 24

int
sad_init(struct sad *s, const uint8_t seed[static 16])
{
	memset(s, 0, sizeof *s);
	s->sas = hash_new(seed);
	s->former = hash_new(seed);
	if (s->sas != NULL && s->former != NULL)
		return OK;
	sad_free(s);
	return ERR_NOMEM;
}

void
sad_free(struct sad *s)
{
	void *p;
	size_t pos;

	sad_sweep(s);
	for (pos = 0; s->sas != NULL && (p = hash_next(s->sas, &pos)) != NULL;)
		free(p);
	for (pos = 0; s->former != NULL && (p = hash_next(s->former, &pos)) != NULL;)
		free(p);
	hash_free(s->sas);
	hash_free(s->former);
	memset(s, 0, sizeof *s);
}

static struct bytes
key(uint8_t buf[static KEY_OCTETS], uint32_t spi, const struct addr *dst)
{
	struct wr w = wr_fixed(buf, KEY_OCTETS);

	wr_u32(&w, spi);
	wr_addr(&w, dst);
	return wr_view(&w);
}

static int
as_kernel(struct xsa *x, const struct sa_params *p, uint32_t reqid)
{
	memset(x, 0, sizeof *x);
	x->spi = p->spi;
	x->src = p->src;
	x->dst = p->dst;
	x->reqid = reqid;
	x->mode = p->mode;
	x->dir = p->dir;
	x->encap_sport = p->encap_sport;
	x->encap_dport = p->encap_dport;
	x->transform = p->transform;
	x->replay_window = p->replay_window;
	x->life = p->life;
	return xsel_of_sa(&x->sel, p);
}

int
sad_add(struct sad *s, const struct sa_params *p, struct target *t, struct sad_entry **out)
{
	struct sad_entry *e;
	struct xsa *former;
	uint8_t buf[KEY_OCTETS];
	int r;

	if ((e = calloc(1, sizeof *e)) == NULL)
		return ERR_NOMEM;
	e->p = *p;
	sa_wipe(&e->p);
	e->target = t;
	if ((r = as_kernel(&e->x, p, t->reqid)) != OK ||
	    (r = hash_add(s->sas, key(buf, p->spi, &p->dst), e)) != OK) {
		free(e);
		return r;
	}
	if ((former = sad_former(s, p->spi, &p->dst)) != NULL)
		sad_former_del(s, former);
	*out = e;
	return OK;
}

struct sad_entry *
sad_find(const struct sad *s, uint32_t spi, const struct addr *dst)
{
	uint8_t buf[KEY_OCTETS];

	return hash_get(s->sas, key(buf, spi, dst));
}

struct sad_entry *
sad_next(const struct sad *s, size_t *pos)
{
	return hash_next(s->sas, pos);
}

void
sad_del(struct sad *s, struct sad_entry *e)
{
	uint8_t buf[KEY_OCTETS];

	if (e->dead)
		return;
	(void)hash_del(s->sas, key(buf, e->p.spi, &e->p.dst));
	e->dead = true;
	e->next_dead = s->dead;
	s->dead = e;
}

void
sad_sweep(struct sad *s)
{
	struct sad_entry *e;

	while ((e = s->dead) != NULL) {
		s->dead = e->next_dead;
		free(e);
	}
}

int
sad_inherit(struct sad *s, const struct xsa *x)
{
	uint8_t buf[KEY_OCTETS];
	struct xsa *copy;
	int r;

	if (sad_former(s, x->spi, &x->dst) != NULL)
		return OK;
	if ((copy = malloc(sizeof *copy)) == NULL)
		return ERR_NOMEM;
	*copy = *x;
	if ((r = hash_add(s->former, key(buf, x->spi, &x->dst), copy)) != OK)
		free(copy);
	return r;
}

struct xsa *
sad_former(const struct sad *s, uint32_t spi, const struct addr *dst)
{
	uint8_t buf[KEY_OCTETS];

	return hash_get(s->former, key(buf, spi, dst));
}

struct xsa *
sad_former_next(const struct sad *s, size_t *pos)
{
	return hash_next(s->former, pos);
}

void
sad_former_del(struct sad *s, struct xsa *x)
{
	uint8_t buf[KEY_OCTETS];

	(void)hash_del(s->former, key(buf, x->spi, &x->dst));
	free(x);
}
