/* SPDX-License-Identifier: ISC */
#include "nvo3/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "nvo3/file.h"
#include "nvo3/value.h"

#define DOCUMENT "authorization.cms"
#define MARK     "authorization.serial"
#define MARK_MAX 160                     /* octets */

int
store_mark_cmp(const struct store_mark *a, const struct store_mark *b)
{
	if (a->epoch != b->epoch)
		return a->epoch < b->epoch ? -1 : 1;
	return a->serial < b->serial ? -1 : a->serial > b->serial;
}

static int
tell(char why[static 256], const char *dir, const char *name, int r)
{
	snprintf(why, 256, "state-dir %.120s: %s: %s", dir, name,
	    r == ERR_IO ? strerror(errno) : err_str(r));
	return r;
}

static int
open_dir(const char *dir, int *fd, char why[static 256])
{
	if ((*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) != -1)
		return 0;
	snprintf(why, 256, "state-dir %.120s: %s; make it, for the daemon's user", dir,
	    strerror(errno));
	return ERR_IO;
}

/* "epoch serial hash\n" */
static bool
mark_parse(const char *text, struct store_mark *m)
{
	static const char digits[] = "0123456789abcdef";
	char epoch[24], serial[24], hash[2 * SHA256_LEN + 1];
	const char *high, *low;
	uint64_t e;
	size_t i;
	int end = 0;

	if (sscanf(text, "%23s %23s %64s%n", epoch, serial, hash, &end) != 3 ||
	    strcmp(text + end, "\n") != 0 || strlen(hash) != sizeof hash - 1 ||
	    !value_number(epoch, 0, UINT32_MAX, &e) ||
	    !value_number(serial, 1, UINT64_MAX, &m->serial))
		return false;
	m->epoch = (uint32_t)e;
	for (i = 0; i < SHA256_LEN; i++) {
		high = strchr(digits, hash[2 * i]);
		low = strchr(digits, hash[2 * i + 1]);
		if (high == NULL || low == NULL)
			return false;
		m->content[i] = (uint8_t)((high - digits) << 4 | (low - digits));
	}
	return true;
}

static void
mark_format(const struct store_mark *m, char out[static MARK_MAX])
{
	int n = snprintf(out, MARK_MAX, "%u %llu ", m->epoch, (unsigned long long)m->serial);
	size_t i;

	for (i = 0; i < SHA256_LEN; i++)
		n += snprintf(out + n, MARK_MAX - (size_t)n, "%02x", m->content[i]);
	snprintf(out + n, MARK_MAX - (size_t)n, "\n");
}

int
store_mark_read(const char *dir, struct store_mark *m, char why[static 256])
{
	struct blob b = { NULL, 0 };
	char text[MARK_MAX];
	int fd, r;

	if ((r = open_dir(dir, &fd, why)) != 0)
		return r;
	r = file_read(fd, MARK, sizeof text - 1, &b, NULL);
	if (r != 0 && r != ERR_NOTFOUND)
		tell(why, dir, MARK, r);
	if (r == 0) {
		if (b.n != 0)
			memcpy(text, b.p, b.n);
		text[b.n] = '\0';
		if (strlen(text) != b.n || !mark_parse(text, m)) {
			snprintf(why, 256,
			    "state-dir %.120s: " MARK " is damaged; remove it only if no "
			    "older document can be replayed",
			    dir);
			r = ERR_SYNTAX;
		}
	}
	blob_free(&b);
	close(fd);
	return r;
}

int
store_document_read(const char *dir, size_t max, struct blob *out, char why[static 256])
{
	int fd, r;

	if ((r = open_dir(dir, &fd, why)) != 0)
		return r;
	if ((r = file_read(fd, DOCUMENT, max, out, NULL)) != 0)
		tell(why, dir, DOCUMENT, r);
	close(fd);
	return r;
}

static bool
same_file(int dirfd, const char *name, struct bytes content)
{
	struct blob b = { NULL, 0 };
	bool same = file_read(dirfd, name, content.n, &b, NULL) == 0 &&
	    bytes_equal(blob_view(&b), content);

	blob_free(&b);
	return same;
}

static int
write_all(int fd, struct bytes b)
{
	ssize_t n;
	size_t at = 0;

	while (at < b.n) {
		if ((n = write(fd, b.p + at, b.n - at)) > 0)
			at += (size_t)n;
		else if (n == 0 || errno != EINTR)
			return ERR_IO;
	}
	return fsync(fd) == 0 ? 0 : ERR_IO;
}

static int
replace(int dirfd, const char *name, struct bytes content)
{
	char tmp[64];
	int fd, r, saved;

	if (same_file(dirfd, name, content))
		return 0;
	snprintf(tmp, sizeof tmp, "%s.new", name);
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return ERR_IO;
	r = write_all(fd, content);
	saved = errno;
	close(fd);
	errno = saved;
	if (r == 0 && (renameat(dirfd, tmp, dirfd, name) != 0 || fsync(dirfd) != 0))
		r = ERR_IO;
	if (r != 0) {
		saved = errno;
		unlinkat(dirfd, tmp, 0);
		errno = saved;
	}
	return r;
}

int
store_write(
    const char *dir, const struct store_mark *m, struct bytes document, char why[static 256])
{
	char text[MARK_MAX];
	int fd, r;

	if ((r = open_dir(dir, &fd, why)) != 0)
		return r;
	mark_format(m, text);
	if ((r = replace(fd, DOCUMENT, document)) != 0)
		tell(why, dir, DOCUMENT, r);
	else if ((r = replace(fd, MARK, bytes_str(text))) != 0)
		tell(why, dir, MARK, r);
	close(fd);
	return r;
}
