/* SPDX-License-Identifier: ISC */
/*
 * Octet strings, three types by ownership: `struct bytes` borrows and dies with what it points
 * into, `struct blob` owns, `struct secret` owns, is locked in memory and wiped.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *p;
	size_t n;
};

struct blob {
	uint8_t *p;
	size_t n;
};

struct secret {
	uint8_t *p;
	size_t n;
};

static inline struct bytes
bytes_of(const void *p, size_t n)
{
	struct bytes b = { (const uint8_t *)p, n };
	return b;
}

static inline struct bytes
bytes_str(const char *s)
{
	return bytes_of(s, strlen(s));
}

static inline struct bytes
blob_view(const struct blob *b)
{
	return bytes_of(b->p, b->n);
}

static inline struct bytes
secret_view(const struct secret *s)
{
	return bytes_of(s->p, s->n);
}

/* Equal length and content. Not constant time: for public data only. */
bool bytes_equal(struct bytes, struct bytes);

/* Constant time in the content (not in the lengths): for ICVs, cookies and other authenticators. */
bool ct_equal(struct bytes, struct bytes);

/* Overwrite n octets in a way that the compiler may not drop. p may be NULL when n is 0. */
void wipe(void *p, size_t n);

/* Copy into a fresh blob; what `to` held before is freed. 0 or ERR_NOMEM (`to` is then empty). */
int blob_copy(struct blob *to, struct bytes from);
/* Free; the blob is empty afterwards. Fine on an empty one. */
void blob_free(struct blob *);
/* Hand over: `to` (freed first) takes what `from` held; `from` is empty afterwards. */
void blob_move(struct blob *to, struct blob *from);

/*
 * Secrets. Memory comes from a pool of locked pages (mlock, MADV_DONTDUMP where there); when the
 * lock limit is reached the memory is unlocked but still wiped, and secret_unlocked() counts it.
 */
/* n zero octets, or an empty one; what `s` held before is wiped and freed. 0 or ERR_NOMEM. */
int secret_new(struct secret *s, size_t n);
/* `from` may be a view of `to`. 0 or ERR_NOMEM (`to` is then empty). */
int secret_copy(struct secret *to, struct bytes from);
/* Hand over: `to` (freed first) takes what `from` held; `from` is empty afterwards. */
void secret_move(struct secret *to, struct secret *from);
/* Wipe and free; fine on an empty one. */
void secret_free(struct secret *);
/* How many live secrets could not be locked in memory. */
size_t secret_unlocked(void);
/* How many secrets are live: none is left when a test or a process has cleaned up. */
size_t secret_live(void);

#endif
