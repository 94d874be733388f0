/* SPDX-License-Identifier: ISC */
/*
 * Plays files back to a fuzz target where there is no libFuzzer: every compiler
 * and valgrind can then run the corpus, and a finding can be debugged with gdb.
 */
#include <sys/stat.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static unsigned long played;

static int
play_file(const char *path)
{
	uint8_t *data = NULL;
	size_t len = 0, got;
	FILE *f;
	int r = -1;

	if ((f = fopen(path, "rb")) == NULL) {
		perror(path);
		return -1;
	}
	for (;;) {
		uint8_t *more = realloc(data, len + 65536);

		if (more == NULL)
			goto out;
		data = more;
		if ((got = fread(data + len, 1, 65536, f)) == 0)
			break;
		len += got;
	}
	/* An exact allocation lets the sanitizers and valgrind see one octet too many. */
	if (len > 0 && (data = realloc(data, len)) == NULL)
		goto out;
	(void)LLVMFuzzerTestOneInput(data, len);
	played++;
	r = 0;
out:
	free(data);
	fclose(f);
	return r;
}

static int
play_dir(const char *path)
{
	struct dirent *e;
	char name[4096];
	DIR *d;
	int r = 0;

	if ((d = opendir(path)) == NULL) {
		perror(path);
		return -1;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (play_file(name) != 0)
			r = -1;
	}
	closedir(d);
	return r;
}

int
main(int argc, char **argv)
{
	struct stat st;
	int i, r = 0;

	if (LLVMFuzzerInitialize != NULL && LLVMFuzzerInitialize(&argc, &argv) != 0)
		return 2;
	for (i = 1; i < argc; i++) {
		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			r |= play_dir(argv[i]);
		else
			r |= play_file(argv[i]);
	}
	printf("played %lu files\n", played);
	return r == 0 ? 0 : 1;
}
