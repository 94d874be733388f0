/* SPDX-License-Identifier: ISC */
#include "ikev2d/identity.h"

#include <stdio.h>
#include <strings.h>

#include "base/addr.h"
#include "base/log.h"
#include "ike/params.h"
#include "shell/msg.h"

static const char *
after(const char *identity, const char *kind)
{
	size_t n = strlen(kind);

	return strncmp(identity, kind, n) == 0 ? identity + n : NULL;
}

static int
from_address(const char *text, uint8_t *id_type, struct blob *id_data)
{
	struct addr a;

	if (addr_parse(&a, text) != OK)
		return ERR_VALUE;
	*id_type = a.family == ADDR_V4 ? IDT_IPV4_ADDR : IDT_IPV6_ADDR;
	return blob_copy(id_data, addr_bytes(&a));
}

int
identity_of(const struct x509 *x, uint8_t *id_type, struct blob *id_data)
{
	static const char *const kinds[] = { "dns:", "ip:", "email:" };
	char ids[MSG_IDENTITIES_MAX][X509_IDENTITY_MAX];
	const char *value;
	size_t n = 0, i, k;
	int r;

	if ((r = x509_identities(x, ids, MSG_IDENTITIES_MAX, &n)) != OK)
		return r;
	for (k = 0; k < 3; k++)
		for (i = 0; i < n; i++) {
			if ((value = after(ids[i], kinds[k])) == NULL)
				continue;
			if (k == 1)
				return from_address(value, id_type, id_data);
			*id_type = k == 0 ? IDT_FQDN : IDT_RFC822_ADDR;
			return blob_copy(id_data, bytes_str(value));
		}
	*id_type = IDT_DER_ASN1_DN;
	return x509_subject_der(x).n == 0 ? ERR_VALUE : blob_copy(id_data, x509_subject_der(x));
}

/* The ID as text; false for kinds that a certificate does not vouch for (key ids and the like). */
static bool
id_text(uint8_t id_type, struct bytes data, char text[static X509_IDENTITY_MAX])
{
	char value[X509_IDENTITY_MAX];
	struct addr a;

	if (data.n == 0 || data.n > 255 || memchr(data.p, '\0', data.n) != NULL) {
		if (id_type != IDT_IPV4_ADDR && id_type != IDT_IPV6_ADDR)
			return false;
	}
	switch (id_type) {
	case IDT_FQDN:
	case IDT_RFC822_ADDR:
		(void)log_safe(value, sizeof value, data);
		(void)snprintf(text, X509_IDENTITY_MAX, "%s:%.280s",
		    id_type == IDT_FQDN ? "dns" : "email", value);
		return true;
	case IDT_IPV4_ADDR:
	case IDT_IPV6_ADDR:
		if (addr_from_bytes(&a, data) != OK ||
		    (a.family == ADDR_V4) != (id_type == IDT_IPV4_ADDR))
			return false;
		(void)snprintf(text, X509_IDENTITY_MAX, "ip:%s", addr_str(&a, value));
		return true;
	default:
		return false;
	}
}

int
identity_fits(const struct x509 *x, char (*ids)[X509_IDENTITY_MAX], size_t n_ids, uint8_t id_type,
    struct bytes id_data, char text[static X509_IDENTITY_MAX])
{
	size_t i;

	text[0] = '\0';
	if (id_type == IDT_DER_ASN1_DN) {
		if (n_ids > 0)
			memcpy(text, ids[0], sizeof ids[0]);
		return bytes_equal(id_data, x509_subject_der(x)) ? OK : ERR_AUTH;
	}
	if (!id_text(id_type, id_data, text))
		return ERR_AUTH;
	for (i = 0; i < n_ids; i++)
		if (strcasecmp(ids[i], text) == 0)
			return OK;
	return ERR_AUTH;
}
