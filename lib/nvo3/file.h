/* SPDX-License-Identifier: ISC */
/* Reading whole files of a bounded size. */
#ifndef NVO3_FILE_H
#define NVO3_FILE_H

#include <sys/stat.h>

#include "base/bytes.h"

/*
 * Read a regular file, relative to the directory dirfd (AT_FDCWD: the current one). st, if not
 * NULL, is filled in. 0; ERR_NOTFOUND; ERR_SPACE when it has more than max octets; ERR_VALUE when
 * it is no regular file; ERR_IO (errno says why); ERR_NOMEM.
 */
int file_read(int dirfd, const char *path, size_t max, struct blob *out, struct stat *st);

#endif
