/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--version") == 0)
		return printf("xfrm-backend %s\n", OVERLOCK_VERSION) < 0;
	return 2;
}
