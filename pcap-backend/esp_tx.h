/* SPDX-License-Identifier: ISC */
/*
 * Sending: VXLAN, UDP and (in tunnel mode) IP in front of a frame, ESP around it, outer headers in
 * front. RFC 4303 section 3.3, RFC 7348 section 5, RFC 3948 section 2.1. Everything is built in
 * one buffer with head room; the frame is copied once and encrypted in place.
 */
#ifndef PCAP_ESP_TX_H
#define PCAP_ESP_TX_H

#include "pcap-backend/dp.h"
#include "pcap-backend/vxlan.h"

/* Queue a frame on this outbound SA; drops are counted. */
void esp_tx_frame(struct dp *, struct esp_sa *, uint32_t vni, const struct frame *);
/* Seal all that waits and hand it to io.wire(). */
void esp_tx_flush(struct dp *);
/*
 * The largest inner IP packet that an underlay of this MTU carries on the SA: 1416 for 1500 over
 * IPv4 with AES-GCM in transport mode, 1396 over IPv6, 8 less with UDP encapsulation.
 */
size_t esp_tx_inner_mtu(const struct esp_sa *, size_t underlay_mtu);

#endif
