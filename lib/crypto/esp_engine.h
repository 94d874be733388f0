/* SPDX-License-Identifier: ISC */
/* Inside lib/crypto only: the engine with libipsec_mb. Without it every function says no. */
#ifndef CRYPTO_ESP_ENGINE_H
#define CRYPTO_ESP_ENGINE_H

#include "base/bytes.h"

/* Makes the process's manager if the processor has AES instructions; name for crypto_version(). */
void esp_imb_init(char *name, size_t cap);
void esp_imb_cleanup(void);

#endif
