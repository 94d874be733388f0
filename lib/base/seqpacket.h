/* SPDX-License-Identifier: ISC */
/*
 * Messages between our own processes: SOCK_SEQPACKET pairs, one message a packet: type (16 bit),
 * then the body. Used by lib/shell and by lib/backend, which may not know each other.
 */
#ifndef BASE_SEQPACKET_H
#define BASE_SEQPACKET_H

#include "base/rd.h"
#include "base/wr.h"

#define SEQ_MAX (192u * 1024)   /* octets of one message, header included */

/* A connected pair, close-on-exec, non-blocking, buffers sized for SEQ_MAX. 0 or ERR_IO. */
int seq_pair(int fd[2]);
/*
 * Send one message; pass a descriptor with it unless fd is -1 (it stays open here).
 * 0; ERR_AGAIN when the socket is full; ERR_GONE; ERR_SPACE when too long; ERR_IO.
 */
int seq_send(int sock, uint16_t type, struct bytes body, int fd);
/*
 * Receive one message into buf (SEQ_MAX octets). *body points into buf. *fd is a received
 * descriptor (close-on-exec, the caller's to close) or -1; fd may be NULL: any received one is
 * closed. 0; ERR_AGAIN when there is none; ERR_GONE when the other end is closed; ERR_SYNTAX.
 */
int seq_recv(int sock, uint8_t *buf, uint16_t *type, struct bytes *body, int *fd);

/*
 * Several messages in one packet, whose type is SEQ_SEVERAL: who receives it is woken once for all
 * of them. No descriptor comes with it, and none of them is such a packet itself.
 */
#define SEQ_SEVERAL 0
#define SEQ_SEVERAL_HEAD 6      /* octets that each takes beside its body */
/* Appends one to a packet's body; marks the writer bad when it does not fit. */
void seq_pack(struct wr *, uint16_t type, struct bytes body);
/* Takes the next one out: 1, 0 when there is none left, or ERR_SYNTAX. */
int seq_unpack(struct rd *, uint16_t *type, struct bytes *body);

#endif
