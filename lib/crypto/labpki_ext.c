/* SPDX-License-Identifier: ISC */
/* What stands in the certificates of a lab, by kind: RFC 5280 section 4.2.1, RFC 4945 section
 * 5.1. */
#include "base/addr.h"
#include "crypto/labpki_int.h"

#define KU_CA   (KU_KEY_CERT_SIGN | KU_CRL_SIGN)
#define KU_LEAF KU_DIGITAL_SIGNATURE

static const struct {
	bool ca;
	int path_len;                /* -1: none */
	uint32_t usage;
	const char *eku;
} kinds[] = {
	[PKI_ROOT] = { true, -1, KU_CA, NULL },
	[PKI_INTERMEDIATE] = { true, 0, KU_CA, NULL },
	[PKI_DEVICE] = { false, -1, KU_LEAF, EKU_IPSEC_IKE },
	[PKI_NVA_SIGNER] = { false, -1, KU_LEAF, NVA_EKU_OID },
	[PKI_TLS_SERVER] = { false, -1, KU_LEAF, EKU_SERVER_AUTH },
	[PKI_TLS_CLIENT] = { false, -1, KU_LEAF, EKU_CLIENT_AUTH },
};

static bool
put(X509 *cert, int nid, void *value, bool critical)
{
	return value != NULL &&
	    X509_add1_ext_i2d(cert, nid, value, critical ? 1 : 0, X509V3_ADD_APPEND) == 1;
}

static bool
put_basic_constraints(X509 *cert, enum pki_kind kind)
{
	BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();
	bool ok = bc != NULL;

	if (ok) {
		bc->ca = kinds[kind].ca ? 0xff : 0;
		if (kinds[kind].path_len >= 0)
			ok = (bc->pathlen = ASN1_INTEGER_new()) != NULL &&
			    ASN1_INTEGER_set(bc->pathlen, kinds[kind].path_len) == 1;
	}
	ok = ok && put(cert, NID_basic_constraints, bc, true);
	BASIC_CONSTRAINTS_free(bc);
	return ok;
}

static bool
put_key_usage(X509 *cert, enum pki_kind kind)
{
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	bool ok = bits != NULL;
	int i;

	/* KU_... counts from the most significant bit of an octet, as the BIT STRING does. */
	for (i = 0; i < 8 && ok; i++)
		if ((kinds[kind].usage & (0x80u >> i)) != 0)
			ok = ASN1_BIT_STRING_set_bit(bits, i, 1) == 1;
	ok = ok && put(cert, NID_key_usage, bits, true);
	ASN1_BIT_STRING_free(bits);
	return ok;
}

static bool
put_extended_key_usage(X509 *cert, enum pki_kind kind)
{
	EXTENDED_KEY_USAGE *eku;
	ASN1_OBJECT *oid;
	bool ok;

	if (kinds[kind].eku == NULL)
		return true;
	eku = EXTENDED_KEY_USAGE_new();
	oid = OBJ_txt2obj(kinds[kind].eku, 1);
	ok = eku != NULL && oid != NULL && sk_ASN1_OBJECT_push(eku, oid) > 0;
	if (ok)
		oid = NULL;
	ok = ok && put(cert, NID_ext_key_usage, eku, false);
	ASN1_OBJECT_free(oid);
	EXTENDED_KEY_USAGE_free(eku);
	return ok;
}

static bool
put_key_ids(X509 *cert, X509 *issuer)
{
	unsigned char hash[SHA1_LEN];
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	AUTHORITY_KEYID *akid = AUTHORITY_KEYID_new();
	unsigned int n = 0;
	bool ok;

	ok = id != NULL && akid != NULL &&
	    X509_pubkey_digest(cert, algs.md[MD_SHA1], hash, &n) == 1 &&
	    ASN1_OCTET_STRING_set(id, hash, (int)n) == 1 &&
	    put(cert, NID_subject_key_identifier, id, false);
	if (ok && issuer != NULL) {
		const ASN1_OCTET_STRING *of_issuer = X509_get0_subject_key_id(issuer);

		if (of_issuer != NULL)
			ok = (akid->keyid = ASN1_OCTET_STRING_dup(of_issuer)) != NULL &&
			    put(cert, NID_authority_key_identifier, akid, false);
	}
	ASN1_OCTET_STRING_free(id);
	AUTHORITY_KEYID_free(akid);
	return ok;
}

static bool
set_name(GENERAL_NAME *name, int type, struct bytes value)
{
	ASN1_STRING *s = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();

	if (s == NULL || ASN1_STRING_set(s, value.p, (int)value.n) != 1) {
		ASN1_STRING_free(s);
		return false;
	}
	GENERAL_NAME_set0_value(name, type, s);
	return true;
}

/* "dns:..", "uri:..", "ip:..", "email:..". */
static int
parse_name(GENERAL_NAME *name, const char *text)
{
	static const struct {
		const char *prefix;
		int type;
	} types[] = {
		{ "dns:", GEN_DNS },
		{ "uri:", GEN_URI },
		{ "ip:", GEN_IPADD },
		{ "email:", GEN_EMAIL },
	};
	struct addr addr;
	struct bytes value;
	const char *p;
	size_t i, n;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		n = strlen(types[i].prefix);
		if (strncmp(text, types[i].prefix, n) != 0)
			continue;
		value = bytes_str(text + n);
		if (value.n == 0 || value.n + n >= X509_IDENTITY_MAX)
			return ERR_VALUE;
		for (p = text; *p != '\0'; p++)
			if (*p <= 0x20 || *p > 0x7e)
				return ERR_VALUE;
		if (types[i].type == GEN_IPADD) {
			if (addr_parse(&addr, text + n) != 0)
				return ERR_VALUE;
			value = addr_bytes(&addr);
		}
		return set_name(name, types[i].type, value) ? 0 : ERR_NOMEM;
	}
	return ERR_VALUE;
}

static int
put_alt_names(X509 *cert, const char *const *sans)
{
	GENERAL_NAMES *names;
	GENERAL_NAME *name;
	int r = 0;

	if (sans == NULL || sans[0] == NULL)
		return 0;
	if ((names = GENERAL_NAMES_new()) == NULL)
		return ERR_NOMEM;
	for (; *sans != NULL && r == 0; sans++) {
		if ((name = GENERAL_NAME_new()) == NULL)
			r = ERR_NOMEM;
		else if ((r = parse_name(name, *sans)) != 0 ||
		    sk_GENERAL_NAME_push(names, name) <= 0) {
			GENERAL_NAME_free(name);
			r = r != 0 ? r : ERR_NOMEM;
		}
	}
	if (r == 0 && !put(cert, NID_subject_alt_name, names, false))
		r = ERR_CRYPTO;
	GENERAL_NAMES_free(names);
	return r;
}

int
pki_put_extensions(X509 *cert, const struct pki_request *req, X509 *issuer)
{
	if (!put_basic_constraints(cert, req->kind) || !put_key_usage(cert, req->kind) ||
	    !put_extended_key_usage(cert, req->kind) || !put_key_ids(cert, issuer))
		return ERR_CRYPTO;
	return put_alt_names(cert, req->sans);
}
