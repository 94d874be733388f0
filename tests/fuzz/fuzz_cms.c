/* SPDX-License-Identifier: ISC */
/* reads: lib/crypto/cms_verify.c */
/* fuzz: -max_len=16384 */
/*
 * A signed document, verified under a fixed anchor whose key nobody has: what is accepted can only
 * be one of the documents in the corpus, which all hold the same content.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/cms.h"
#include "crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define NOW INT64_C(1800000000)

static const char content_of_all[] = "<a/>";
static const char anchor[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBWjCCAQGgAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlmdXp6IHJv\n"
    "b3QwIBcNMDcwMTIwMDgwMDAwWhgPMjA5NjEyMjgwODAwMDBaMBQxEjAQBgNVBAMM\n"
    "CWZ1enogcm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMzlDA3Jw6ZNZTd2\n"
    "t9YPPeEcIYw9qJQOVq/DTrfZq6Nj/I6IISRs38gd3NE/j1mQSgVZAZgyR86SAyyr\n"
    "GsVqQB+jQjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMB0GA1Ud\n"
    "DgQWBBR9VqTw649wI8XBCcV7Q0Jx8jC4gzAKBggqhkjOPQQDAgNHADBEAiB7Cn1Q\n"
    "Yjze6Ij/hZ3bUT8x2KSdzhSY6rp4hx7SRhlDNAIgYJMkE/Ng5tifuUMdALbHYj45\n"
    "MfQua1w1ZYbBXivb9CM=\n"
    "-----END CERTIFICATE-----\n";
static char path[] = "/tmp/overlock-fuzz-XXXXXX";

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
clean_up(void)
{
	unlink(path);
	crypto_cleanup();
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int fd = mkstemp(path);

	(void)argc;
	(void)argv;
	must(fd != -1 && write(fd, anchor, strlen(anchor)) == (ssize_t)strlen(anchor));
	must(close(fd) == 0 && crypto_init() == 0);
	return atexit(clean_up);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cms_signer signers[CMS_SIGNERS_MAX];
	struct blob content = { NULL, 0 };
	const char *why = NULL;
	size_t i, n = 99;
	int r;

	r = cms_verify(bytes_of(data, len), path, NOW, &content, signers, &n, &why);
	must(why != NULL);
	if (r != 0) {
		must(n == 0 && content.p == NULL && why[0] != '\0');
		return 0;
	}
	must(n > 0 && n <= CMS_SIGNERS_MAX);
	must(bytes_equal(blob_view(&content), bytes_str(content_of_all)));
	for (i = 0; i < n; i++) {
		must(memchr(signers[i].identity, '\0', sizeof signers[i].identity) != NULL);
		must(signers[i].not_after >= NOW);
	}
	blob_free(&content);
	return 0;
}
