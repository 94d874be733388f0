/* SPDX-License-Identifier: ISC */
#include "crypto/der.h"
#include "crypto/sigalg.h"

#define PKCS1(n) OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, n)
#define NIST_HASH(n) OID(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, n)

static const struct {
	struct bytes oid;
	enum sig_kind kind;
	unsigned hash;
} sig_oids[] = {
	{ OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02), SIG_ECDSA, HASH_SHA2_256 },
	{ OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03), SIG_ECDSA, HASH_SHA2_384 },
	{ OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04), SIG_ECDSA, HASH_SHA2_512 },
	{ OID(0x2b, 0x65, 0x70), SIG_ED25519, HASH_IDENTITY },
	{ PKCS1(10), SIG_RSA_PSS, 0 },
	{ PKCS1(11), SIG_RSA_PKCS1, HASH_SHA2_256 },
	{ PKCS1(12), SIG_RSA_PKCS1, HASH_SHA2_384 },
	{ PKCS1(13), SIG_RSA_PKCS1, HASH_SHA2_512 },
};

static const struct bytes oid_mgf1 = PKCS1(8);
static const struct {
	struct bytes oid;
	unsigned hash;
} hash_oids[] = {
	{ NIST_HASH(1), HASH_SHA2_256 },
	{ NIST_HASH(2), HASH_SHA2_384 },
	{ NIST_HASH(3), HASH_SHA2_512 },
};

#define ECDSA_ID(n) { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, n }
/* RFC 7427 appendix A.4.3, and the same for the other hashes. */
#define PSS_ID(hash, salt) { 0x30, 0x46, \
	0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x39, \
	0xa0, 0x0f, 0x30, 0x0d, \
	0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, hash, 0x05, 0x00, \
	0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, \
	0x30, 0x0d, \
	0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, hash, 0x05, 0x00, \
	0xa2, 0x03, 0x02, 0x01, salt, 0xa3, 0x03, 0x02, 0x01, 0x01 }

static const uint8_t ecdsa_ids[3][12] = { ECDSA_ID(2), ECDSA_ID(3), ECDSA_ID(4) };
static const uint8_t pss_ids[3][72] = { PSS_ID(1, 32), PSS_ID(2, 48), PSS_ID(3, 64) };
static const uint8_t ed25519_id[] = { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70 };

/* Parameters NULL or absent: RFC 4055 section 2.1 wants both taken. */
static bool
null_or_nothing(struct rd *r)
{
	if (rd_left(r) > 0 && der_take(r, DER_NULL).n != 0)
		rd_fail(r);
	return rd_end(r);
}

static int
read_hash(struct rd *r, unsigned *hash)
{
	struct rd alg = der_open(r, DER_SEQUENCE);
	struct bytes oid = der_take(&alg, DER_OID);
	size_t i;

	if (!rd_ok(r) || !null_or_nothing(&alg))
		return ERR_SYNTAX;
	for (i = 0; i < sizeof(hash_oids) / sizeof(hash_oids[0]); i++)
		if (bytes_equal(oid, hash_oids[i].oid)) {
			*hash = hash_oids[i].hash;
			return 0;
		}
	return ERR_UNSUPPORTED;
}

/* RSASSA-PSS-params, RFC 4055 section 3.1. All defaults mean SHA-1, so none of the first two may
 * be left out. */
static int
read_pss(struct rd *alg, struct sig_alg *out)
{
	struct rd params = der_open(alg, DER_SEQUENCE), field, mgf;
	unsigned mgf_hash;
	uint32_t trailer = 1;
	int r;

	if (!der_next_is(&params, DER_CONTEXT_0))
		return rd_ok(&params) ? ERR_UNSUPPORTED : ERR_SYNTAX;
	field = der_open(&params, DER_CONTEXT_0);
	if ((r = read_hash(&field, &out->hash)) != 0)
		return r;
	if (!rd_end(&field))
		return ERR_SYNTAX;
	if (!der_next_is(&params, DER_CONTEXT_0 + 1))
		return ERR_UNSUPPORTED;
	field = der_open(&params, DER_CONTEXT_0 + 1);
	mgf = der_open(&field, DER_SEQUENCE);
	if (!bytes_equal(der_take(&mgf, DER_OID), oid_mgf1))
		return ERR_UNSUPPORTED;
	if ((r = read_hash(&mgf, &mgf_hash)) != 0)
		return r;
	if (!rd_end(&mgf) || !rd_end(&field))
		return ERR_SYNTAX;
	out->salt = 20;
	if (der_next_is(&params, DER_CONTEXT_0 + 2)) {
		field = der_open(&params, DER_CONTEXT_0 + 2);
		out->salt = der_u16(&field);
		if (!rd_end(&field))
			return ERR_SYNTAX;
	}
	if (der_next_is(&params, DER_CONTEXT_0 + 3)) {
		field = der_open(&params, DER_CONTEXT_0 + 3);
		trailer = der_u16(&field);
		if (!rd_end(&field))
			return ERR_SYNTAX;
	}
	if (!rd_end(&params))
		return ERR_SYNTAX;
	return mgf_hash == out->hash && trailer == 1 ? 0 : ERR_UNSUPPORTED;
}

int
sig_alg_read(struct bytes der, struct sig_alg *out)
{
	struct rd r = rd_open(der), alg = der_open(&r, DER_SEQUENCE);
	struct bytes oid = der_oid(&alg);
	size_t i, n = sizeof(sig_oids) / sizeof(sig_oids[0]);
	int rc = 0;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < n && !bytes_equal(oid, sig_oids[i].oid); i++)
		;
	if (!rd_ok(&alg) || !rd_end(&r))
		return ERR_SYNTAX;
	if (i == n) {
		if (rd_left(&alg) > 0)
			der_skip(&alg);
		return rd_end(&alg) ? ERR_UNSUPPORTED : ERR_SYNTAX;
	}
	out->kind = sig_oids[i].kind;
	out->hash = sig_oids[i].hash;
	if (out->kind == SIG_RSA_PSS)
		rc = read_pss(&alg, out);
	else if (out->kind == SIG_RSA_PKCS1)
		null_or_nothing(&alg);
	if (rc == 0 && !rd_end(&alg))
		rc = ERR_SYNTAX;
	return rc;
}

struct bytes
sig_alg_der(const struct sig_alg *a)
{
	size_t i = a->hash - HASH_SHA2_256;

	if (a->kind == SIG_ED25519)
		return bytes_of(ed25519_id, sizeof(ed25519_id));
	if (a->hash < HASH_SHA2_256 || a->hash > HASH_SHA2_512)
		return bytes_of(NULL, 0);
	if (a->kind == SIG_ECDSA)
		return bytes_of(ecdsa_ids[i], sizeof(ecdsa_ids[i]));
	if (a->kind == SIG_RSA_PSS && a->salt == md_len(md_of_hash(a->hash)))
		return bytes_of(pss_ids[i], sizeof(pss_ids[i]));
	return bytes_of(NULL, 0);
}
