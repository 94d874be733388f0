/* SPDX-License-Identifier: ISC */
#include "ike/out.h"
#include "ike/payload.h"

void
ke_payload_write(struct ike_out *o, uint16_t group, struct bytes data)
{
	payload_open(o, PL_KE);
	wr_u16(&o->wr, group);
	wr_zero(&o->wr, 2);
	wr_put(&o->wr, data);
	payload_close(o);
}

void
id_payload_write(struct ike_out *o, uint8_t payload, uint8_t id_type, struct bytes data)
{
	payload_open(o, payload);
	wr_u8(&o->wr, id_type);
	wr_zero(&o->wr, 3);
	wr_put(&o->wr, data);
	payload_close(o);
}

static void
cert_write(struct ike_out *o, uint8_t payload, struct bytes data)
{
	payload_open(o, payload);
	wr_u8(&o->wr, CE_X509_SIGNATURE);
	wr_put(&o->wr, data);
	payload_close(o);
}

void
cert_payload_write(struct ike_out *o, struct bytes der)
{
	cert_write(o, PL_CERT, der);
}

void
certreq_payload_write(struct ike_out *o, struct bytes hashes)
{
	cert_write(o, PL_CERTREQ, hashes);
}

void
auth_payload_write(struct ike_out *o, uint8_t method, struct bytes data)
{
	payload_open(o, PL_AUTH);
	wr_u8(&o->wr, method);
	wr_zero(&o->wr, 3);
	wr_put(&o->wr, data);
	payload_close(o);
}

void
nonce_payload_write(struct ike_out *o, struct bytes nonce)
{
	payload_put(o, PL_NONCE, nonce);
}

void
notify_payload_write(struct ike_out *o, uint16_t type, struct bytes data)
{
	payload_open(o, PL_N);
	wr_zero(&o->wr, 2);
	wr_u16(&o->wr, type);
	wr_put(&o->wr, data);
	payload_close(o);
}

void
notify_payload_write_esp(struct ike_out *o, uint16_t type, uint32_t spi, struct bytes data)
{
	payload_open(o, PL_N);
	wr_u8(&o->wr, SP_ESP);
	wr_u8(&o->wr, 4);
	wr_u16(&o->wr, type);
	wr_u32(&o->wr, spi);
	wr_put(&o->wr, data);
	payload_close(o);
}

void
delete_payload_write_ike(struct ike_out *o)
{
	payload_open(o, PL_D);
	wr_u8(&o->wr, SP_IKE);
	wr_zero(&o->wr, 3);
	payload_close(o);
}

void
delete_payload_write_esp(struct ike_out *o, const uint32_t *spis, size_t n)
{
	size_t i;

	payload_open(o, PL_D);
	wr_u8(&o->wr, SP_ESP);
	wr_u8(&o->wr, 4);
	wr_u16(&o->wr, (uint16_t)n);
	for (i = 0; i < n; i++)
		wr_u32(&o->wr, spis[i]);
	payload_close(o);
}

void
vendor_payload_write(struct ike_out *o, struct bytes id)
{
	payload_put(o, PL_V, id);
}
