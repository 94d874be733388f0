/* SPDX-License-Identifier: ISC */
/*
 * Receiving: RFC 4303 section 3.4, RFC 4301 section 5.2. In this order: SA by (SPI, destination),
 * replay check, ICV, window update, selectors on what was decrypted, VXLAN header, VNI against the
 * sender's grant. Nothing of an SA changes before its ICV was verified.
 */
#ifndef PCAP_ESP_RX_H
#define PCAP_ESP_RX_H

#include "pcap-backend/dp.h"

/* Open all that waits and hand the frames to io.tenant(). dp_wire_packet() queues. */
void esp_rx_flush(struct dp *);

#endif
