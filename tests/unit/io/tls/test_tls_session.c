/* Goal: a TLS stream is a stream: what is sent arrives, whole and in order, however the wire cuts
 * it; its end, its faults and its refusals are told; nothing is lost, leaked or called in vain.
 * Method: both ends in one reactor with the wire between them in the test's hand. */
#include "io/tls/tls_private.h"
#include "unit/io/tls/tls_rig.h"

static void test_a_handshake_and_a_word_each_way(void)
{
	open_usual();
	open_connection();
	end_say(&rig.a, "ping", 4);
	run(EVERYTHING, NULL);
	check_got(&rig.b, "ping", 4);
	end_say(&rig.b, "pong!", 5);
	run(EVERYTHING, NULL);
	check_got(&rig.a, "pong!", 5);
	CHECK(wr_stream_fault(&rig.a.stream) == NULL && wr_stream_fault(&rig.b.stream) == NULL);
	close_rig();
}

static bool all_arrived(void)
{
	return rig.b.got_bytes == rig.a.out_bytes && rig.a.got_bytes == rig.b.out_bytes;
}

static void test_both_ways_at_once_and_in_pieces(void)
{
	static const struct {
		size_t bytes, piece, room;
	} cases[] = {
		{1 << 20, EVERYTHING, WIRE_BYTES},
		{1 << 20, EVERYTHING, 1000},
		{300000, 4099, 16384},
		{40000, 7, 16384},
		{20000, 1, 16384},
		{20000, EVERYTHING, 1},
	};

	open_usual();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		rig.a.room = rig.b.room = cases[i].room;
		rig.a.out = rig.b.out = NULL;
		rig.a.out_bytes = rig.b.out_bytes = 0;
		open_ends("localhost");
		end_say(&rig.a, pattern(), cases[i].bytes);
		end_say(&rig.b, pattern() + 1000, cases[i].bytes);
		run(cases[i].piece, all_arrived);
		check_got(&rig.b, pattern(), cases[i].bytes);
		check_got(&rig.a, pattern() + 1000, cases[i].bytes);
		close_connection();
		turn();
	}
	CHECK_U64(wr_tls_server_counts(rig.server)->opened_count, WR_COUNT(cases));
	CHECK_U64(wr_tls_server_counts(rig.server)->failed_count, 0);
	close_rig();
}

/* ---- ends ---- */

static void test_an_end_is_told_behind_the_last_byte(void)
{
	open_usual();
	open_connection();
	rig.b.room = 10000;
	end_say(&rig.a, pattern(), 100000);
	for (unsigned i = 0; i < 1000 && rig.a.sent_bytes < 100000; i++) {
		turn();
		carry(&rig.wire_a, &rig.wire_b, EVERYTHING);
	}
	end_close(&rig.a, 0);
	run(EVERYTHING, NULL);
	check_got(&rig.b, pattern(), 100000);
	CHECK(rig.b.is_ended && rig.b.is_orderly && wr_stream_fault(&rig.b.stream) == NULL);
	CHECK_U64(wr_tls_client_counts(rig.client)->connection_count, 0);
	close_rig();
}

static void test_an_end_without_close_notify_is_a_fault(void)
{
	open_usual();
	open_connection();
	end_say(&rig.a, "all but the end", 15);
	run(EVERYTHING, NULL);
	close_wire();
	run(EVERYTHING, NULL);
	check_got(&rig.b, "all but the end", 15);
	CHECK(rig.b.is_ended && !rig.b.is_orderly);
	CHECK(strstr(wr_stream_fault(&rig.b.stream), "without close_notify") != NULL);
	close_rig();
}

static void test_a_record_that_is_cut_is_not_half_a_message(void)
{
	open_usual();
	open_connection();
	end_say(&rig.a, pattern(), 4096);
	turn();
	CHECK(carry(&rig.wire_a, &rig.wire_b, 4000) == 4000);
	close_wire();
	run(EVERYTHING, NULL);
	CHECK(rig.b.got_bytes == 0 && rig.b.is_ended && !rig.b.is_orderly);
	close_rig();
}

static void test_a_byte_that_was_changed_ends_it(void)
{
	char byte;

	open_usual();
	open_connection();
	end_say(&rig.a, pattern(), 100);
	turn();
	CHECK(carry(&rig.wire_a, &rig.wire_b, 50) == 50);
	CHECK(recv(rig.wire_a, &byte, 1, 0) == 1);
	byte = (char)(byte ^ 1);
	CHECK(send(rig.wire_b, &byte, 1, 0) == 1);
	run(EVERYTHING, NULL);
	CHECK(rig.b.got_bytes == 0 && rig.b.is_ended && !rig.b.is_orderly);
	CHECK(strstr(wr_stream_fault(&rig.b.stream), "BAD_MAC (7)") != NULL);
	close_rig();
}

static void test_a_shutdown_ends_one_way_and_drops_the_other(void)
{
	open_usual();
	open_connection();
	end_say(&rig.b, pattern(), 50000);
	while (rig.b.sent_bytes < 50000) {
		turn();
		carry(&rig.wire_b, &rig.wire_a, EVERYTHING);
	}
	wr_stream_shutdown(&rig.b.stream);
	end_say(&rig.a, pattern(), 20000);
	run(EVERYTHING, NULL);
	check_got(&rig.a, pattern(), 50000);
	CHECK(rig.a.is_ended && rig.a.is_orderly);
	CHECK(rig.b.got_bytes == 0 && !rig.b.is_ended);
	/* Nothing more can be sent; the end of the other side is told. */
	end_say(&rig.b, "x", 1);
	end_close(&rig.a, 0);
	run(EVERYTHING, NULL);
	CHECK(rig.b.is_refused && rig.b.is_ended && rig.b.is_orderly && rig.b.got_bytes == 0);
	close_rig();
}

static void test_a_reset_is_no_orderly_end(void)
{
	int fds[2];

	open_usual();
	open_tcp_pair(fds);
	end_open(&rig.a, fds[0]);
	end_open(&rig.b, fds[1]);
	CHECK_STATUS(wr_tls_accept(rig.server, &rig.b.stream), WR_OK);
	CHECK_STATUS(wr_tls_connect(rig.client, &rig.a.stream, "localhost"), WR_OK);
	end_watch(&rig.a);
	end_watch(&rig.b);
	while (!is_open())
		turn();
	end_close(&rig.a, 1);
	while (!rig.b.is_ended)
		turn();
	CHECK(!rig.b.is_orderly && wr_stream_fault(&rig.b.stream) != NULL);
	CHECK_U64(wr_tls_client_counts(rig.client)->connection_count, 0);
	close_rig();
}

/* Sends until nothing goes any more. */
static void fill(struct end *self)
{
	size_t before;

	end_say(self, pattern(), STORE_BYTES / 2);
	do {
		before = self->sent_bytes;
		end_send(self);
	} while (self->sent_bytes != before);
	CHECK(self->sent_bytes > 0 && self->sent_bytes < self->out_bytes);
}

static void test_what_was_taken_leaves_without_the_user(void)
{
	size_t taken;

	open_usual();
	open_connection();
	fill(&rig.b);
	taken = rig.b.sent_bytes;
	end_close(&rig.b, 0);
	CHECK(rig.b.stream.fd == -1 && !wr_stream_is_tls(&rig.b.stream));
	CHECK_U64(wr_tls_server_counts(rig.server)->lingered_count, 1);
	CHECK_U64(wr_tls_server_counts(rig.server)->connection_count, 1);
	run(EVERYTHING, NULL);
	check_got(&rig.a, pattern(), taken);
	CHECK(rig.a.is_ended && rig.a.is_orderly);
	CHECK_U64(wr_tls_server_counts(rig.server)->connection_count, 0);
	close_rig();
}

static void test_records_leave_although_the_user_wants_nothing(void)
{
	size_t taken;

	open_usual();
	open_connection();
	fill(&rig.b);
	taken = rig.b.sent_bytes;
	wr_stream_want(&rig.b.stream, &rig.reactor, &rig.b.watch, 0);
	rig.b.call_count = 0;
	run(EVERYTHING, NULL);
	check_got(&rig.a, pattern(), taken);
	CHECK_U64(rig.b.call_count, 0);
	close_rig();
}

/* Makes the first of a list due now. */
static void make_due(struct wr_tls_hub *hub, struct wr_list *list)
{
	CHECK(!wr_list_is_empty(list));
	wr_list_entry(list->next, struct wr_tls, place)->due_ms = rig.reactor.now_ms;
	CHECK_STATUS(wr_timer_set(&rig.reactor, &hub->timer, 0), WR_OK);
	turn();
}

static void test_a_peer_that_takes_nothing_is_cut_off_in_time(void)
{
	struct wr_tls_hub *hub;

	open_usual();
	open_connection();
	fill(&rig.b);
	hub = rig.b.stream.tls->hub;
	end_close(&rig.b, 0);
	make_due(hub, &hub->lingering);
	CHECK_U64(hub->counts.cut_count, 1);
	CHECK_U64(hub->counts.connection_count, 0);
	close_rig();
}

static void test_who_lingers_is_cut_off_by_the_end_of_its_side(void)
{
	open_usual();
	open_connection();
	fill(&rig.b);
	end_close(&rig.b, 0);
	close_rig(); /* the allocator of the test would see a leak */
}

/* The answer to a close_notify cannot leave: the peer takes nothing any more. */
static void test_an_end_that_cannot_be_answered_is_told_all_the_same(void)
{
	static const bool has_records[] = {false, true};

	for (size_t i = 0; i < WR_COUNT(has_records); i++) {
		memset(&rig, 0, sizeof rig);
		open_usual();
		open_connection();
		if (has_records[i]) {
			fill(&rig.b);
			end_say(&rig.b, "", 0);
		}
		CHECK(shutdown(rig.wire_b, SHUT_RD) == 0);
		end_say(&rig.a, "the last word", 13);
		turns(2);
		end_close(&rig.a, 0);
		run(EVERYTHING, NULL);
		check_got(&rig.b, "the last word", 13);
		CHECK(rig.b.is_ended && rig.b.is_orderly);
		CHECK(wr_stream_fault(&rig.b.stream) == NULL);
		close_rig();
		remove_folder();
	}
}

/* ---- the handshake ---- */

static void test_a_handshake_that_is_cut_anywhere_is_told_as_such(void)
{
	/* The server's ECDSA signature has no fixed length (RFC 3279 2.2.3): another handshake may
	 * be shorter than the one that is measured. */
	enum { SIGNATURE_SLACK = 8 };
	size_t total[2] = {0, 0};

	open_usual();
	open_ends("localhost");
	for (unsigned i = 0; i < 50 && !is_open(); i++) {
		turn();
		total[0] += carry(&rig.wire_a, &rig.wire_b, EVERYTHING);
		total[1] += carry(&rig.wire_b, &rig.wire_a, EVERYTHING);
	}
	CHECK(is_open() && total[0] > 200 && total[1] > 600);
	close_connection();
	total[1] -= SIGNATURE_SLACK;
	for (unsigned way = 0; way < 2; way++)
		for (size_t cut = 0; cut < total[way]; cut++) {
			size_t left[2] = {EVERYTHING, EVERYTHING};
			left[way] = cut;
			open_ends("localhost");
			for (unsigned i = 0; i < 12; i++) {
				turn();
				left[0] -= carry(&rig.wire_a, &rig.wire_b, left[0]);
				left[1] -= carry(&rig.wire_b, &rig.wire_a, left[1]);
			}
			CHECK(wr_tls_client_counts(rig.client)->opened_count == 1 || way == 0);
			close_wire();
			turns(3);
			CHECK(rig.a.is_ended && !rig.a.is_orderly);
			CHECK(rig.b.is_ended && !rig.b.is_orderly);
			CHECK(wr_stream_fault(&rig.a.stream) != NULL);
			CHECK(wr_stream_fault(&rig.b.stream) != NULL);
			CHECK(rig.a.got_bytes == 0 && rig.b.got_bytes == 0);
			close_connection();
		}
	turn();
	CHECK_U64(wr_tls_server_counts(rig.server)->handshake_count, 0);
	CHECK_U64(wr_tls_server_counts(rig.server)->connection_count, 0);
	CHECK_U64(wr_tls_client_counts(rig.client)->connection_count, 0);
	close_rig();
}

/* A bit of every byte changed on its way: nobody takes another connection for this one. */
static uint64_t opened(void)
{
	return wr_tls_server_counts(rig.server)->opened_count +
	       wr_tls_client_counts(rig.client)->opened_count;
}

/* Shakes hands with one bit changed; false when so many bytes never went that way. */
static bool shake_changed(int *from, int *to, size_t place)
{
	size_t left = place;
	bool is_changed = false;

	open_ends("localhost");
	for (unsigned i = 0; i < 10; i++) {
		char byte;
		turn();
		carry(to, from, EVERYTHING);
		left -= carry(from, to, left);
		if (left == 0 && !is_changed && recv(*from, &byte, 1, MSG_DONTWAIT) == 1) {
			byte = (char)(byte ^ 0x10);
			CHECK(send(*to, &byte, 1, 0) == 1);
			left = EVERYTHING;
			is_changed = true;
		}
	}
	return is_changed;
}

static void test_a_handshake_that_was_changed_opens_on_no_more_than_one_side(void)
{
	open_usual();
	for (unsigned way = 0; way < 2; way++)
		for (size_t place = 0;; place += 3) {
			uint64_t before = opened();
			bool is_changed = way == 0 ? shake_changed(&rig.wire_a, &rig.wire_b, place)
						   : shake_changed(&rig.wire_b, &rig.wire_a, place);
			CHECK(opened() == before + 2 || is_changed);
			CHECK(opened() < before + 2 || !is_changed);
			close_connection();
			if (!is_changed) {
				CHECK(place > 200);
				break;
			}
		}
	close_rig();
}

static void test_a_handshake_has_its_time(void)
{
	struct wr_tls_hub *hub;

	open_usual();
	open_ends("localhost");
	turn();
	hub = rig.b.stream.tls->hub;
	make_due(hub, &hub->shaking);
	CHECK(rig.b.is_ended && !rig.b.is_orderly && !rig.a.is_ended);
	CHECK(strstr(wr_stream_fault(&rig.b.stream), "in time") != NULL);
	CHECK_U64(hub->counts.late_count, 1);
	CHECK_U64(hub->counts.handshake_count, 0);
	close_rig();
}

static struct wr_timer hoard[256];

static void on_hoarded(struct wr_timer *timer)
{
	(void)timer;
}

/* Sets timers for as long as there is memory, of which there is none from here on. */
static void hoard_timers(struct end *self, unsigned ready)
{
	unsigned count = 0;

	(void)ready;
	self->is_ended = true;
	wr_stream_want(&self->stream, &rig.reactor, &self->watch, 0);
	wr_test_fail_allocation(1, true);
	do
		hoard[count].on_due = on_hoarded;
	while (wr_timer_set(&rig.reactor, &hoard[count], 1 << 20) == WR_OK &&
	       ++count < WR_COUNT(hoard));
	CHECK(wr_test_allocation_failed());
}

static void test_deadlines_last_where_memory_does_not(void)
{
	struct wr_tls_hub *hub;
	struct wr_stream other;
	int fds[2];

	open_usual();
	open_ends("localhost");
	open_pair(fds);
	wr_stream_open(&other, fds[0]);
	CHECK_STATUS(wr_tls_accept(rig.server, &other), WR_OK);
	hub = rig.b.stream.tls->hub;
	rig.b.on_call = hoard_timers;
	make_due(hub, &hub->shaking);
	wr_test_fail_allocation(0, false);
	CHECK(rig.b.is_ended);
	CHECK(wr_timer_is_set(&hub->timer));
	make_due(hub, &hub->shaking);
	CHECK(!wr_timer_is_set(&hub->timer));
	CHECK_U64(hub->counts.late_count, 2);
	for (size_t i = 0; i < WR_COUNT(hoard); i++)
		wr_timer_cancel(&rig.reactor, &hoard[i]);
	wr_stream_close(&other, 0);
	close(fds[1]);
	close_rig();
}

static void test_handshakes_at_once_are_bounded_and_the_slow_give_way(void)
{
	enum { COUNT = 3 };
	struct wr_stream streams[COUNT + 1];
	int fds[COUNT + 1][2];
	struct wr_tls_hub *hub;

	open_rig();
	rig.server_config.handshake_count_max = COUNT;
	open_server("ec");
	for (unsigned i = 0; i <= COUNT; i++) {
		open_pair(fds[i]);
		wr_stream_open(&streams[i], fds[i][0]);
	}
	for (unsigned i = 0; i < COUNT; i++)
		CHECK_STATUS(wr_tls_accept(rig.server, &streams[i]), WR_OK);
	CHECK_STATUS(wr_tls_accept(rig.server, &streams[COUNT]), WR_OVERLOAD);
	CHECK(streams[COUNT].fd == fds[COUNT][0] && !wr_stream_is_tls(&streams[COUNT]));
	CHECK_U64(wr_tls_server_counts(rig.server)->refused_count, 1);
	/* The first has had its second. */
	hub = streams[0].tls->hub;
	streams[0].tls->due_ms -= 1000;
	CHECK_STATUS(wr_tls_accept(rig.server, &streams[COUNT]), WR_OK);
	CHECK(strstr(wr_stream_fault(&streams[0]), "give way") != NULL);
	CHECK(wr_stream_fault(&streams[1]) == NULL);
	CHECK_U64(hub->counts.handshake_count, COUNT);
	for (unsigned i = 0; i <= COUNT; i++) {
		wr_stream_close(&streams[i], 0);
		close(fds[i][1]);
	}
	close_rig();
}

/* To connect costs nothing, so that it must not keep out those who speak. */
static void test_who_says_nothing_gives_way_soon(void)
{
	enum { COUNT = 2 };
	struct wr_stream streams[COUNT + 1];
	int fds[COUNT + 1][2];

	open_rig();
	rig.server_config.handshake_count_max = COUNT;
	open_server("ec");
	for (unsigned i = 0; i <= COUNT; i++) {
		open_pair(fds[i]);
		wr_stream_open(&streams[i], fds[i][0]);
	}
	for (unsigned i = 0; i < COUNT; i++)
		CHECK_STATUS(wr_tls_accept(rig.server, &streams[i]), WR_OK);
	CHECK(send(fds[0][1], "\x16", 1, 0) == 1);
	turns(2);
	for (unsigned i = 0; i < COUNT; i++)
		streams[i].tls->due_ms -= 99;
	rig.reactor.now_ms = streams[0].tls->due_ms + 99 - rig.server_config.handshake_ms_max;
	CHECK_STATUS(wr_tls_accept(rig.server, &streams[COUNT]), WR_OVERLOAD);
	/* The second has said nothing. Of what it says now nothing was read yet. */
	for (unsigned i = 0; i < COUNT; i++)
		streams[i].tls->due_ms -= 1;
	wr_tls_hub_shake(streams[1].tls->hub, streams[1].tls);
	CHECK_STATUS(wr_tls_accept(rig.server, &streams[COUNT]), WR_OVERLOAD);
	wr_list_remove(&streams[1].tls->work);
	CHECK_STATUS(wr_tls_accept(rig.server, &streams[COUNT]), WR_OK);
	CHECK(wr_stream_fault(&streams[0]) == NULL);
	CHECK(strstr(wr_stream_fault(&streams[1]), "give way") != NULL);
	for (unsigned i = 0; i <= COUNT; i++) {
		wr_stream_close(&streams[i], 0);
		close(fds[i][1]);
	}
	close_rig();
}

static void test_connections_are_bounded(void)
{
	struct wr_stream other;
	int fds[2];

	open_rig();
	rig.server_config.connection_count_max = 1;
	open_server("ec");
	open_client();
	open_connection();
	open_pair(fds);
	wr_stream_open(&other, fds[0]);
	CHECK(wr_tls_server_is_full(rig.server));
	CHECK_STATUS(wr_tls_accept(rig.server, &other), WR_OVERLOAD);
	end_close(&rig.b, 0);
	CHECK_STATUS(wr_tls_accept(rig.server, &other), WR_OK);
	wr_stream_close(&other, 0);
	close(fds[1]);
	close_rig();
}

static void test_something_else_than_tls_is_refused(void)
{
	static const char *const texts[] = {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "SSH-2.0-x\r\n",
					    "\x16\x03\x01\xff\xff", "\x80\x2e\x01\x03\x01"};

	open_usual();
	for (size_t i = 0; i < WR_COUNT(texts); i++) {
		int fds[2];
		open_pair(fds);
		rig.wire_b = fds[1];
		end_open(&rig.b, fds[0]);
		CHECK_STATUS(wr_tls_accept(rig.server, &rig.b.stream), WR_OK);
		end_watch(&rig.b);
		CHECK(write(rig.wire_b, texts[i], strlen(texts[i])) > 0);
		run(0, NULL);
		CHECK(rig.b.is_ended && !rig.b.is_orderly && rig.b.got_bytes == 0);
		CHECK(wr_stream_fault(&rig.b.stream) != NULL);
		close_connection();
	}
	close_rig();
}

static void test_a_renegotiation_is_declined(void)
{
	br_ssl_engine_context *engine;

	open_usual();
	open_connection();
	engine = rig.a.stream.tls->engine;
	br_ssl_engine_remove_flags(engine, BR_OPT_NO_RENEGOTIATION);
	CHECK(br_ssl_engine_renegotiate(engine) == 1);
	end_update(&rig.a);
	wr_stream_want(&rig.a.stream, &rig.reactor, &rig.a.watch, 0);
	wr_stream_want(&rig.a.stream, &rig.reactor, &rig.a.watch, WR_READABLE);
	run(EVERYTHING, NULL);
	/* The one that asked takes the warning as an end; the one that was asked lives. */
	CHECK(strstr(wr_stream_fault(&rig.a.stream), "no_renegotiation") != NULL);
	CHECK(!rig.b.is_ended && wr_stream_fault(&rig.b.stream) == NULL);
	close_rig();
}

/* ---- the user ---- */

static void test_large_records_of_a_peer_are_read(void)
{
	static unsigned char out[BR_SSL_BUFSIZE_OUTPUT];
	struct wr_tls *tls;
	void *context;

	open_usual();
	rig.b.room = 1000;
	open_ends("localhost");
	/* As others do it: its own records are as large as they may be. */
	tls = rig.a.stream.tls;
	context = tls->engine;
	br_ssl_engine_set_buffers_bidi(tls->engine, tls->in, WR_TLS_IN_BYTES, out, sizeof out);
	CHECK(br_ssl_client_reset(context, "localhost", 0) == 1);
	run(EVERYTHING, is_open);
	end_say(&rig.a, pattern(), 200000);
	run(EVERYTHING, NULL);
	check_got(&rig.b, pattern(), 200000);
	close_rig();
}

static void test_half_a_record_in_holds_nothing_up(void)
{
	open_usual();
	open_connection();
	end_say(&rig.a, pattern(), 4000);
	turn();
	CHECK(carry(&rig.wire_a, &rig.wire_b, 2000) == 2000);
	end_say(&rig.b, pattern(), 100000);
	for (unsigned i = 0; i < 200 && rig.a.got_bytes < 100000; i++) {
		turn();
		carry(&rig.wire_b, &rig.wire_a, EVERYTHING);
	}
	check_got(&rig.a, pattern(), 100000);
	CHECK_U64(rig.b.got_bytes, 0);
	run(EVERYTHING, NULL);
	check_got(&rig.b, pattern(), 4000);
	close_rig();
}

static void test_an_idle_connection_rests(void)
{
	open_usual();
	open_connection();
	run(EVERYTHING, NULL);
	rig.a.call_count = rig.b.call_count = 0;
	for (unsigned i = 0; i < 20; i++) {
		turn();
		CHECK(!rig.reactor.again);
	}
	CHECK(rig.a.call_count == 0 && rig.b.call_count == 0);
	close_rig();
}

static void test_plaintext_that_is_not_wanted_waits_and_is_told_once_it_is(void)
{
	open_usual();
	open_connection();
	wr_stream_want(&rig.b.stream, &rig.reactor, &rig.b.watch, 0);
	end_say(&rig.a, pattern(), 30000);
	run(EVERYTHING, NULL);
	CHECK_U64(rig.b.got_bytes, 0);
	CHECK(!rig.reactor.again);
	end_update(&rig.b);
	run(EVERYTHING, NULL);
	check_got(&rig.b, pattern(), 30000);
	close_rig();
}

/* A call of the watch that reads four bytes and leaves the rest where it is. */
static void read_four(struct end *self, unsigned ready)
{
	size_t got;

	CHECK(ready == WR_READABLE);
	CHECK_STATUS(wr_stream_receive(&self->stream, self->got, 4, &got), WR_OK);
	self->got_bytes = got;
	wr_stream_unwatch(&self->stream, &rig.reactor, &self->watch);
}

static void test_a_stream_may_be_moved_with_what_was_not_read_yet(void)
{
	static struct end moved;

	open_usual();
	open_connection();
	rig.b.on_call = read_four;
	end_say(&rig.a, "headrest", 8);
	run(EVERYTHING, NULL);
	check_got(&rig.b, "head", 4);
	moved = (struct end){.room = 100, .wants = WR_READABLE, .got = malloc(STORE_BYTES)};
	moved.stream = rig.b.stream;
	wr_stream_forget(&rig.b.stream);
	moved.watch.on_ready = end_on_ready;
	end_watch(&moved);
	run(0, NULL);
	check_got(&moved, "rest", 4);
	end_say(&moved, "answer", 6);
	run(EVERYTHING, NULL);
	check_got(&rig.a, "answer", 6);
	end_close(&moved, 0);
	free(moved.got);
	close_rig();
}

static unsigned closing_call; /* counts down to it */
static bool closes_by_reset, closes_both;

static void close_at_some_call(struct end *self, unsigned ready)
{
	if (closing_call == 0)
		return;
	if (--closing_call == 0) {
		end_close(self, closes_by_reset);
		if (closes_both)
			end_close(self == &rig.a ? &rig.b : &rig.a, closes_by_reset);
		return;
	}
	if (ready & WR_READABLE)
		end_receive(self);
	if ((ready & WR_WRITABLE) && self->sent_bytes < self->out_bytes)
		end_send(self);
	end_update(self);
}

static void test_a_stream_may_be_closed_from_within_any_call(void)
{
	open_usual();
	for (unsigned which = 0; which < 16; which++)
		for (unsigned call = 1; call < 30; call++) {
			bool by_wire_cut = (which & 8) != 0;
			closes_by_reset = (which & 1) != 0;
			closes_both = (which & 2) != 0;
			closing_call = call;
			rig.a.room = rig.b.room = 999;
			rig.a.out_bytes = rig.b.out_bytes = 0;
			rig.a.on_call = (which & 4) != 0 ? close_at_some_call : NULL;
			rig.b.on_call = (which & 4) != 0 ? NULL : close_at_some_call;
			open_ends("localhost");
			end_say(&rig.a, pattern(), 9000);
			end_say(&rig.b, pattern(), 9000);
			if (by_wire_cut) {
				for (unsigned i = 0; i < 6; i++) {
					turn();
					carry(&rig.wire_a, &rig.wire_b, EVERYTHING);
					carry(&rig.wire_b, &rig.wire_a, EVERYTHING);
				}
				close_wire();
			}
			run(EVERYTHING, NULL);
			close_connection();
			turn();
			CHECK_U64(wr_tls_server_counts(rig.server)->connection_count, 0);
			CHECK_U64(wr_tls_client_counts(rig.client)->connection_count, 0);
		}
	rig.a.on_call = rig.b.on_call = NULL;
	close_rig();
}

static void test_a_peer_that_says_goodbye_is_answered(void)
{
	unsigned char rest[64];
	ssize_t n;

	open_usual();
	open_connection();
	end_close(&rig.a, 0);
	carry(&rig.wire_a, &rig.wire_b, EVERYTHING);
	turns(2);
	CHECK(rig.b.is_ended && rig.b.is_orderly);
	/* An alert of its own, in a record. */
	n = recv(rig.wire_b, rest, sizeof rest, MSG_DONTWAIT);
	CHECK(n > 5 && rest[0] == 21);
	end_say(&rig.b, "too late", 8);
	turns(2);
	CHECK(rig.b.is_refused);
	close_rig();
}

static void test_a_connection_that_is_refused_is_told_with_its_errno(void)
{
	struct sockaddr_in nobody;
	struct wr_address address = {.bytes = sizeof nobody};
	int listener = open_tcp_listener(&nobody), os_error = 0;
	enum wr_status status;

	open_usual();
	close(listener);
	memcpy(&address.storage, &nobody, sizeof nobody);
	end_open(&rig.a, -1);
	status = wr_stream_connect(&rig.a.stream, &address, &os_error);
	if (status == WR_MORE) {
		CHECK_STATUS(wr_tls_connect(rig.client, &rig.a.stream, "localhost"), WR_OK);
		end_watch(&rig.a);
		for (unsigned i = 0; i < 200 && !rig.a.is_ended; i++)
			wr_reactor_turn(&rig.reactor, 10);
		CHECK(rig.a.is_ended && !rig.a.is_orderly);
		CHECK_STATUS(wr_stream_connected(&rig.a.stream, &os_error), WR_IO);
	}
	CHECK(os_error == ECONNREFUSED);
	close_rig();
}

/* ---- memory ---- */

static void test_any_allocation_may_fail(void)
{
	uint64_t n = 1;

	open_usual();
	for (bool is_complete = false; !is_complete; n++) {
		int fds[2];
		enum wr_status accepted, connected;
		open_wire(fds);
		end_open(&rig.a, fds[0]);
		end_open(&rig.b, fds[1]);
		wr_test_fail_allocation(n, false);
		accepted = wr_tls_accept(rig.server, &rig.b.stream);
		connected = wr_tls_connect(rig.client, &rig.a.stream, "localhost");
		is_complete = !wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		CHECK((accepted == WR_OK && connected == WR_OK) == is_complete);
		CHECK(accepted == WR_OK || accepted == WR_NO_MEMORY);
		CHECK(connected == WR_OK || connected == WR_NO_MEMORY);
		CHECK(wr_stream_is_tls(&rig.b.stream) == (accepted == WR_OK));
		CHECK(rig.a.stream.fd == fds[0] && rig.b.stream.fd == fds[1]);
		close_connection();
	}
	CHECK(n > 3);
	CHECK_U64(wr_tls_server_counts(rig.server)->connection_count, 0);
	close_rig();
}

static struct {
	void *(*resize)(struct wr_allocator *self, void *old, size_t old_bytes, size_t new_bytes);
	unsigned char secret[48]; /* RFC 5246 8.1 */
	unsigned freed_count, found_count;
} spy;

static void *spying_resize(struct wr_allocator *self, void *old, size_t old_bytes, size_t new_bytes)
{
	if (old != NULL && new_bytes == 0) {
		spy.freed_count++;
		if (memmem(old, old_bytes, spy.secret, sizeof spy.secret) != NULL ||
		    memmem(old, old_bytes, "between us", 10) != NULL)
			spy.found_count++;
	}
	return spy.resize(self, old, old_bytes, new_bytes);
}

static void test_memory_is_given_back_without_keys_and_words(void)
{
	br_ssl_session_parameters session;

	open_usual();
	open_connection();
	end_say(&rig.a, "between us", 10);
	end_say(&rig.b, "between us", 10);
	run(EVERYTHING, NULL);
	br_ssl_engine_get_session_parameters(rig.b.stream.tls->engine, &session);
	memcpy(spy.secret, session.master_secret, sizeof spy.secret);
	spy.resize = wr_test_allocator()->resize;
	wr_test_allocator()->resize = spying_resize;
	close_rig();
	CHECK(spy.freed_count >= 4);
	CHECK_U64(spy.found_count, 0);
}

static void test_a_connection_has_the_memory_that_is_published(void)
{
	size_t before, server;

	open_usual();
	open_ends("localhost");
	run(EVERYTHING, is_open);
	close_connection();
	turn();
	before = wr_test_allocator()->used;
	open_ends("localhost");
	for (unsigned i = 0; i < 20; i++)
		run(EVERYTHING, NULL);
	end_close(&rig.a, 0);
	turn();
	server = wr_test_allocator()->used - before;
	/* README.md and reliability 11: 25,018 bytes of BearSSL's, and what we keep beside it. */
	CHECK(server >= 25018 && server <= 25018 + 256);
	close_rig();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_handshake_and_a_word_each_way),
	WR_TEST_LIMIT(test_both_ways_at_once_and_in_pieces, 60),
	WR_TEST(test_an_end_is_told_behind_the_last_byte),
	WR_TEST(test_an_end_without_close_notify_is_a_fault),
	WR_TEST(test_a_record_that_is_cut_is_not_half_a_message),
	WR_TEST(test_a_byte_that_was_changed_ends_it),
	WR_TEST(test_a_shutdown_ends_one_way_and_drops_the_other),
	WR_TEST(test_a_reset_is_no_orderly_end),
	WR_TEST(test_what_was_taken_leaves_without_the_user),
	WR_TEST(test_records_leave_although_the_user_wants_nothing),
	WR_TEST(test_a_peer_that_takes_nothing_is_cut_off_in_time),
	WR_TEST(test_who_lingers_is_cut_off_by_the_end_of_its_side),
	WR_TEST_LIMIT(test_a_handshake_that_is_cut_anywhere_is_told_as_such, 60),
	WR_TEST_LIMIT(test_a_handshake_that_was_changed_opens_on_no_more_than_one_side, 60),
	WR_TEST(test_a_handshake_has_its_time),
	WR_TEST(test_handshakes_at_once_are_bounded_and_the_slow_give_way),
	WR_TEST(test_who_says_nothing_gives_way_soon),
	WR_TEST(test_connections_are_bounded),
	WR_TEST(test_something_else_than_tls_is_refused),
	WR_TEST(test_a_renegotiation_is_declined),
	WR_TEST(test_large_records_of_a_peer_are_read),
	WR_TEST(test_half_a_record_in_holds_nothing_up),
	WR_TEST(test_an_idle_connection_rests),
	WR_TEST(test_plaintext_that_is_not_wanted_waits_and_is_told_once_it_is),
	WR_TEST(test_a_stream_may_be_moved_with_what_was_not_read_yet),
	WR_TEST_LIMIT(test_a_stream_may_be_closed_from_within_any_call, 60),
	WR_TEST(test_a_peer_that_says_goodbye_is_answered),
	WR_TEST(test_a_connection_that_is_refused_is_told_with_its_errno),
	WR_TEST(test_an_end_that_cannot_be_answered_is_told_all_the_same),
	WR_TEST(test_deadlines_last_where_memory_does_not),
	WR_TEST(test_any_allocation_may_fail),
	WR_TEST(test_memory_is_given_back_without_keys_and_words),
	WR_TEST(test_a_connection_has_the_memory_that_is_published),
	WR_TEST_END,
};
