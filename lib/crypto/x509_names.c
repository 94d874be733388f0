/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "base/addr.h"
#include "crypto/x509_int.h"

struct id_list {
	char (*out)[X509_IDENTITY_MAX];
	size_t n, max;
};

const char *
x509_subject(const struct x509 *x, char *buf, size_t cap)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	if (cap == 0)
		return buf;
	buf[0] = '\0';
	if (bio != NULL &&
	    X509_NAME_print_ex(bio, x->subject_name, 0, XN_FLAG_RFC2253) >= 0 &&
	    (n = BIO_read(bio, buf, (int)(cap > 4096 ? 4096 : cap) - 1)) > 0)
		buf[n] = '\0';
	BIO_free(bio);
	errors_drop();
	return buf;
}

/* What could be read as another name, or not at all, is left out. */
static void
add(struct id_list *l, const char *kind, struct bytes text, bool lower)
{
	size_t i, at = strlen(kind);
	char *to;

	if (l->n == l->max || text.n == 0 || at + text.n >= X509_IDENTITY_MAX)
		return;
	to = l->out[l->n];
	memcpy(to, kind, at);
	for (i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c < 0x20 || c > 0x7e)
			return;
		to[at + i] = (char)(lower && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	to[at + text.n] = '\0';
	l->n++;
}

static struct bytes
asn1_view(const ASN1_STRING *s)
{
	return bytes_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static void
add_general_name(struct id_list *l, const GENERAL_NAME *name)
{
	char text[ADDR_STRLEN];
	struct addr addr;
	int type;
	const void *value = GENERAL_NAME_get0_value(name, &type);

	switch (type) {
	case GEN_DNS:
		add(l, "dns:", asn1_view(value), true);
		break;
	case GEN_URI:
		add(l, "uri:", asn1_view(value), false);
		break;
	case GEN_EMAIL:
		add(l, "email:", asn1_view(value), false);
		break;
	case GEN_IPADD:
		if (addr_from_bytes(&addr, asn1_view(value)) == 0)
			add(l, "ip:", bytes_str(addr_str(&addr, text)), false);
		break;
	default:
		break;
	}
}

int
x509_identities(const struct x509 *x, char (*out)[X509_IDENTITY_MAX], size_t max, size_t *n)
{
	struct id_list l = { out, 0, max };
	char subject[X509_IDENTITY_MAX + 1];
	int i;

	*n = 0;
	if (x->bad_extension)
		return ERR_SYNTAX;
	for (i = 0; i < sk_GENERAL_NAME_num(x->alt_names); i++)
		add_general_name(&l, sk_GENERAL_NAME_value(x->alt_names, i));
	add(&l, "dn:", bytes_str(x509_subject(x, subject, sizeof(subject))), false);
	*n = l.n;
	errors_drop();
	return 0;
}
