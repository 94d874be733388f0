/* SPDX-License-Identifier: ISC */
/* A whole datagram, as it comes in from anybody. */
/* reads: lib/ike/msg.c lib/ike/msg_text.c lib/ike/payload.c lib/ike/payload_sa.c */
/* fuzz: -max_len=4096 */
#include <stdlib.h>

#include "crypto/crypto.h"
#include "ike/msg.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerInitialize(int *argc __attribute__((unused)), char ***argv __attribute__((unused)))
{
	return crypto_init() == 0 ? 0 : 1;
}

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static bool
within(struct bytes part, struct bytes whole)
{
	return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void
check_views(const struct ike_msg *m)
{
	size_t i;

	require(within(m->nonce, m->raw) && within(m->ke.data, m->raw));
	require(within(m->idi.data, m->raw) && within(m->idr.data, m->raw));
	require(within(m->auth.data, m->raw) && within(m->sa.body, m->raw));
	require(within(m->sk.body, m->raw) && within(m->sk.aad, m->raw));
	for (i = 0; i < m->n_notifies; i++)
		require(within(m->notifies[i].data, m->raw) && within(m->notifies[i].spi, m->raw));
	for (i = 0; i < m->n_certs; i++)
		require(within(m->certs[i].data, m->raw));
	for (i = 0; i < m->n_deletes; i++)
		(void)delete_spi(&m->deletes[i], m->deletes[i].n_spis);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes datagram = bytes_of(data, len);
	char text[512], small[20];
	struct ike_msg m;
	int rc = msg_read(&m, datagram);

	require((rc == 0) == (m.why == NULL));
	require(rc == 0 || rc == ERR_SYNTAX || rc == ERR_SPACE || rc == ERR_UNSUPPORTED);
	msg_text(&m, text, sizeof text);
	msg_text(&m, small, sizeof small);
	(void)msg_notify(&m, N_COOKIE);
	(void)msg_error(&m);
	(void)msg_vendor(&m, bytes_str("vendor"));
	if (rc == 0)
		check_views(&m);
	return 0;
}
