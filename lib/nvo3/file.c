/* SPDX-License-Identifier: ISC */
#include "nvo3/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"

/* The size may change while we read: only what read() gives counts. */
static int
read_all(int fd, size_t max, size_t hint, struct blob *out)
{
	size_t cap = (hint < max ? hint : max) + 1;
	uint8_t *more;
	ssize_t n;

	if ((out->p = malloc(cap)) == NULL)
		return ERR_NOMEM;
	for (;;) {
		n = read(fd, out->p + out->n, cap - out->n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_IO;
		if (n == 0)
			return 0;
		out->n += (size_t)n;
		if (out->n > max)
			return ERR_SPACE;
		if (out->n < cap)
			continue;
		cap = cap <= max / 2 ? cap * 2 : max + 1;
		if ((more = realloc(out->p, cap)) == NULL)
			return ERR_NOMEM;
		out->p = more;
	}
}

int
file_read(int dirfd, const char *path, size_t max, struct blob *out, struct stat *st)
{
	struct stat own;
	int fd, r = ERR_IO, saved;

	blob_free(out);
	if (st == NULL)
		st = &own;
	/* Non-blocking, so that a FIFO in the file's place can't hold us. */
	if ((fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) == -1)
		return errno == ENOENT ? ERR_NOTFOUND : ERR_IO;
	if (fstat(fd, st) == 0)
		r = S_ISREG(st->st_mode) ? read_all(fd, max, (size_t)st->st_size, out) : ERR_VALUE;
	saved = errno;
	close(fd);
	if (r != 0 || out->n == 0)
		blob_free(out);
	errno = saved;
	return r;
}
