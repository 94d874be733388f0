/* SPDX-License-Identifier: ISC */
/* A folder for one test program, with keys and certificates made by lib/crypto. */
#ifndef UNIT_NVO3_PKI_H
#define UNIT_NVO3_PKI_H

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "crypto/labpki.h"
#include "nvo3/fetch.h"
#include "nvo3_doc.h"

static char work[64];

static inline void
work_make(void)
{
	snprintf(work, sizeof work, "/tmp/overlock-test-XXXXXX");
	assert_non_null(mkdtemp(work));
}

static inline int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void
work_remove(const char *dir)
{
	(void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void
issue(const char *name, const char *issuer, enum pki_kind kind, const char *san, int64_t until)
{
	char key[300], cert[300], ca_key[300], ca_cert[300];
	const char *sans[] = { san, NULL }, *why = "";
	struct pki_request req = {
		.kind = kind, .type = KEY_EC_P256, .cn = name, .sans = sans,
		.not_before = DOC_ISSUED - 400 * 86400, .not_after = until,
		.issuer_cert = issuer != NULL ? ca_cert : NULL,
		.issuer_key = issuer != NULL ? ca_key : NULL,
	};

	snprintf(key, sizeof key, "%s/%s.key", work, name);
	snprintf(cert, sizeof cert, "%s/%s.crt", work, name);
	snprintf(ca_key, sizeof ca_key, "%s/%s.key", work, issuer != NULL ? issuer : "");
	snprintf(ca_cert, sizeof ca_cert, "%s/%s.crt", work, issuer != NULL ? issuer : "");
	if (pki_issue(&req, key, cert, &why) != 0)
		fail_msg("%s: %s", name, why);
}

#endif
