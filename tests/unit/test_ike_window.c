/* SPDX-License-Identifier: ISC */
/* Message IDs and the table of exchanges, without an engine around them. RFC 7296
 * sections 2.1, 2.2. */
#include "ike_support.h"

#include "ike/exchange.h"
#include "ike/window.h"

static struct ike_header
request(uint32_t id)
{
	return (struct ike_header){ .exchange = EX_INFORMATIONAL, .message_id = id };
}

static struct ike_header
response(uint32_t id)
{
	return (struct ike_header){ .exchange = EX_INFORMATIONAL,
		.message_id = id,
		.flags = HF_RESPONSE };
}

static enum window_verdict
judge(const struct window *w, struct ike_header h, uint64_t mark)
{
	return window_judge(w, &h, mark);
}

static struct blob
message(void)
{
	struct blob b = { 0 };

	assert_int_equal(blob_copy(&b, bytes_of("message", 7)), OK);
	return b;
}

static void
only_the_next_request_is_new(void **state)
{
	struct window w = { .next_in = 5 };

	(void)state;
	assert_int_equal(judge(&w, request(5), 1), WINDOW_NEW);
	assert_int_equal(judge(&w, request(4), 1), WINDOW_OUTSIDE);
	assert_int_equal(judge(&w, request(6), 1), WINDOW_OUTSIDE);
	assert_int_equal(judge(&w, request(UINT32_MAX), 1), WINDOW_OUTSIDE);
}

static void
repeat_is_told_by_its_octets(void **state)
{
	struct window w = { .next_in = 5 };
	struct ike_header h = request(5);
	struct blob b = message();

	(void)state;
	window_accept_request(&w, &h, 77);
	assert_int_equal(judge(&w, request(5), 77), WINDOW_REPEAT);
	assert_int_equal(judge(&w, request(5), 78), WINDOW_OUTSIDE);
	/* One at a time: the next is not taken before this one has its response. */
	assert_int_equal(judge(&w, request(6), 1), WINDOW_OUTSIDE);
	window_sent_response(&w, &b);
	assert_null(b.p);
	assert_int_equal(judge(&w, request(6), 1), WINDOW_NEW);
	assert_int_equal(judge(&w, request(5), 77), WINDOW_REPEAT);
	window_free(&w);
}

static void
first_message_id_has_no_one_before(void **state)
{
	struct window w = { 0 };

	(void)state;
	assert_int_equal(judge(&w, request(0), 0), WINDOW_NEW);
	assert_int_equal(judge(&w, request(UINT32_MAX), 0), WINDOW_OUTSIDE);
}

static void
last_message_id_is_never_taken(void **state)
{
	struct window w = { .next_in = UINT32_MAX };

	(void)state;
	assert_int_equal(judge(&w, request(UINT32_MAX), 1), WINDOW_OUTSIDE);
	assert_int_equal(judge(&w, request(0), 1), WINDOW_OUTSIDE);
}

static void
response_is_taken_once_and_only_when_asked_for(void **state)
{
	struct window w = { .next_out = 3 };
	struct blob b = message();

	(void)state;
	assert_int_equal(judge(&w, response(2), 1), WINDOW_OUTSIDE);
	assert_int_equal(judge(&w, response(3), 1), WINDOW_OUTSIDE);
	window_sent_request(&w, &b);
	assert_true(window_busy(&w));
	assert_int_equal(judge(&w, response(3), 1), WINDOW_NEW);
	assert_int_equal(judge(&w, response(2), 1), WINDOW_OUTSIDE);
	assert_int_equal(judge(&w, response(4), 1), WINDOW_OUTSIDE);
	window_accept_response(&w);
	assert_false(window_busy(&w));
	assert_int_equal(judge(&w, response(3), 1), WINDOW_OUTSIDE);
	window_free(&w);
}

static void
mark_depends_on_seed_and_every_octet(void **state)
{
	static const uint8_t one[16] = { 1 }, two[16] = { 2 };
	uint64_t mark = window_mark(one, bytes_of("datagram", 8));

	(void)state;
	assert_true(mark == window_mark(one, bytes_of("datagram", 8)));
	assert_true(mark != window_mark(two, bytes_of("datagram", 8)));
	assert_true(mark != window_mark(one, bytes_of("datagraM", 8)));
	assert_true(mark != window_mark(one, bytes_of("datagram", 7)));
}

static void
row_wants_what_it_must_have_and_nothing_else(void **state)
{
	struct ike_row row = { .must = PL_BIT(PL_SA) | PL_BIT(PL_KE), .may = PL_BIT(PL_N) };
	struct ike_msg m = { .present = PL_BIT(PL_SA) | PL_BIT(PL_KE) };
	uint8_t bad;

	(void)state;
	assert_true(row_fits(&row, &m, &bad));
	assert_int_equal(bad, 0);
	m.present |= PL_BIT(PL_N);
	assert_true(row_fits(&row, &m, &bad));
	m.present |= PL_BIT(PL_AUTH);
	assert_false(row_fits(&row, &m, &bad));
	assert_int_equal(bad, PL_AUTH);
	m.present = PL_BIT(PL_SA);
	assert_false(row_fits(&row, &m, &bad));
	assert_int_equal(bad, PL_KE);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_next_request_is_new),
		cmocka_unit_test(repeat_is_told_by_its_octets),
		cmocka_unit_test(first_message_id_has_no_one_before),
		cmocka_unit_test(last_message_id_is_never_taken),
		cmocka_unit_test(response_is_taken_once_and_only_when_asked_for),
		cmocka_unit_test(mark_depends_on_seed_and_every_octet),
		cmocka_unit_test(row_wants_what_it_must_have_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
