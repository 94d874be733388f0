/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "crypto/algs.h"
#include "crypto/esp_engine.h"

#if HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>

void
esp_imb_init(char *name, size_t cap)
{
	IMB_ARCH arch;

	if ((algs.imb = alloc_mb_mgr(0)) == NULL) {
		snprintf(name, cap, "no libipsec_mb (out of memory)");
		return;
	}
	init_mb_mgr_auto(algs.imb, &arch);
	/* Its emulation of the AES instructions is slower than OpenSSL. */
	if (imb_get_errno(algs.imb) != 0 || (algs.imb->features & IMB_FEATURE_AESNI) == 0) {
		esp_imb_cleanup();
		snprintf(name, cap, "no libipsec_mb (processor)");
		return;
	}
	snprintf(name, cap, "libipsec_mb %s", imb_get_version_str());
}

void
esp_imb_cleanup(void)
{
	if (algs.imb != NULL)
		free_mb_mgr(algs.imb);
	algs.imb = NULL;
}

#else

void
esp_imb_init(char *name, size_t cap)
{
	snprintf(name, cap, "no libipsec_mb");
}

void
esp_imb_cleanup(void)
{
}
#endif
