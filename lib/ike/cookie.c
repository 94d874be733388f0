/* SPDX-License-Identifier: ISC */
#include "ike/cookie.h"

#include "crypto/crypto.h"
#include "ike/engine.h"

void
cookies_free(struct cookies *c)
{
	secret_free(&c->current);
	secret_free(&c->previous);
}

/* Rotation happens when a cookie is asked for: an engine without callers needs no timer. */
static int
rotate(struct ike *e)
{
	struct cookies *c = &e->cookies;
	int64_t age = e->now - c->since_ms;
	int r;

	if (c->current.n != 0 && age < e->cfg.cookie_rotate_ms)
		return OK;
	if (c->current.n != 0 && age < 2 * (int64_t)e->cfg.cookie_rotate_ms)
		secret_move(&c->previous, &c->current);
	else
		secret_free(&c->previous);
	if ((r = secret_new(&c->current, COOKIE_SECRET_LEN)) != OK)
		return r;
	if ((r = ike_random(e, c->current.p, c->current.n)) != OK) {
		secret_free(&c->current);
		return r;
	}
	c->version++;
	c->since_ms = e->now;
	return OK;
}

static int
compute(const struct secret *secret, uint8_t version, const struct endpoint *from, uint64_t spi_i,
    struct bytes ni, uint8_t out[static COOKIE_LEN])
{
	uint8_t tail[32];
	struct wr w = wr_fixed(tail, sizeof tail);
	struct bytes parts[2];

	wr_endpoint(&w, from);
	wr_u64(&w, spi_i);
	parts[0] = ni;
	parts[1] = wr_view(&w);
	out[0] = version;
	return prf_compute(PRF_HMAC_SHA2_256, secret_view(secret), parts, 2, out + 1);
}

int
cookie_make(struct ike *e, const struct endpoint *from, uint64_t spi_i, struct bytes ni,
    uint8_t out[static COOKIE_LEN])
{
	int r = rotate(e);

	return r != OK ? r : compute(&e->cookies.current, e->cookies.version, from, spi_i, ni, out);
}

bool
cookie_valid(struct ike *e, const struct endpoint *from, uint64_t spi_i, struct bytes ni,
    struct bytes cookie)
{
	struct cookies *c = &e->cookies;
	const struct secret *secret;
	uint8_t expected[COOKIE_LEN];

	if (cookie.n != COOKIE_LEN || rotate(e) != OK)
		return false;
	if (cookie.p[0] == c->version)
		secret = &c->current;
	else if (cookie.p[0] == (uint8_t)(c->version - 1) && c->previous.n != 0)
		secret = &c->previous;
	else
		return false;
	return compute(secret, cookie.p[0], from, spi_i, ni, expected) == OK &&
	    ct_equal(cookie, bytes_of(expected, sizeof expected));
}
