/* SPDX-License-Identifier: ISC */
#include "ike/msg.h"

#include <stdarg.h>
#include <stdio.h>

struct text {
	char *buf;
	size_t cap, n;
};

/* What does not fit is cut off; the text stays terminated. */
static void __attribute__((format(printf, 2, 3)))
add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->n + 1 >= t->cap)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->n, t->cap - t->n, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->n = (size_t)n < t->cap - t->n ? t->n + (size_t)n : t->cap - 1;
}

static void
add_notifies(struct text *t, const struct ike_msg *m)
{
	size_t i;

	for (i = 0; i < m->n_notifies; i++)
		add(t, " N(%s)", ike_name_notify(m->notifies[i].type));
}

static void
add_times(struct text *t, uint8_t type, size_t n)
{
	if (n == 1)
		add(t, " %s", ike_name_payload(type));
	else if (n > 1)
		add(t, " %zu*%s", n, ike_name_payload(type));
}

const char *
msg_text(const struct ike_msg *m, char *buf, size_t cap)
{
	struct text t = { buf, cap, 0 };
	uint8_t type;

	if (cap == 0)
		return "";
	buf[0] = '\0';
	add(&t, "%s %s #%u {", ike_name_exchange(m->hdr.exchange),
	    header_is_response(&m->hdr) ? "rsp" : "req", m->hdr.message_id);
	for (type = PL_SA; type <= PL_SKF; type++) {
		if (!msg_has(m, type))
			continue;
		switch (type) {
		case PL_CERT:
			add_times(&t, type, m->n_certs);
			break;
		case PL_CERTREQ:
			add_times(&t, type, m->n_certreqs);
			break;
		case PL_N:
			add_notifies(&t, m);
			break;
		case PL_D:
			add_times(&t, type, m->n_deletes);
			break;
		case PL_V:
			add_times(&t, type, m->n_vendors);
			break;
		case PL_SKF:
			add(&t, " SKF(%u/%u)", m->sk.fragment, m->sk.fragments);
			break;
		default:
			add_times(&t, type, 1);
		}
	}
	add(&t, " }");
	return buf;
}
