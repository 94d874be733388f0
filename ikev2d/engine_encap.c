/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "base/err.h"
#include "ikev2d/engine_int.h"

/* Again for sockets that have it already: harmless. */
void
engine_encap(struct engine *e)
{
	char text[ENDPOINT_STRLEN];
	struct endpoint at;
	int r;

	if (!e->kernel_encap || (r = udp_kernel_encap(e->udp, &at)) == OK)
		return;
	(void)endpoint_str(&at, text);
	log_error("UDP %s: the kernel does not take ESP off this socket (%s): peers behind a NAT get no "
	    "traffic; use a kernel with CONFIG_XFRM and ESP, or pcap-backend", text,
	    r == ERR_UNSUPPORTED ? err_str(r) : strerror(errno));
}

void
engine_hello(struct engine *e, const struct bk_event *hello)
{
	e->kernel_encap = (hello->u.hello.features & BACKEND_KERNEL_ENCAP) != 0;
	engine_encap(e);
}
