/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/interface_sysctl.h"

#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static bool
is_set(const char *path)
{
	char c = '0';
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return false;
	if (read(fd, &c, 1) != 1)
		c = '0';
	(void)close(fd);
	return c != '0';
}

size_t
interface_sysctl(void (*each)(void *arg, const char *path), void *arg)
{
	static const char *const patterns[] = {
		"/proc/sys/net/ipv4/conf/*/disable_policy", "/proc/sys/net/ipv4/conf/*/disable_xfrm",
		"/proc/sys/net/ipv6/conf/*/disable_policy",
	};
	size_t i, k, n = 0;
	glob_t g;

	for (i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
		if (glob(patterns[i], 0, NULL, &g) != 0)
			continue;
		for (k = 0; k < g.gl_pathc; k++)
			if (strstr(g.gl_pathv[k], "/lo/") == NULL && is_set(g.gl_pathv[k])) {
				each(arg, g.gl_pathv[k]);
				n++;
			}
		globfree(&g);
	}
	return n;
}
