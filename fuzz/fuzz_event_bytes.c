/*
 * Events as bytes. Options: which allocation fails.
 *
 * One event has one spelling: what decodes encodes to the same bytes; texts and lists lie in the
 * input; with a byte more or less it is none; as a frame it is found again, without its key and
 * delivery.
 */
#include "core/event_bytes.h"
#include "fuzz.h"

enum { ROOM = 1 << 20 };

static void check_lists(const struct wr_create *request)
{
	const struct wr_pairs *lists[] = {&request->capabilities, &request->workspace_refs,
					  &request->mount_refs};

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		struct wr_view rest = lists[i]->packed, name, text;
		uint32_t count = 0;

		CHECK(wr_pairs_are_whole(lists[i]));
		while (wr_pairs_next(&rest, &name, &text)) {
			CHECK(fuzz_lies_in(name, lists[i]->packed));
			CHECK(fuzz_lies_in(text, lists[i]->packed));
			count++;
		}
		CHECK_U64(count, lists[i]->count);
		CHECK_U64(rest.bytes, 0);
	}
}

/* Whatever was stored: its digest can be asked for. */
static void check_bundle(const struct wr_config_bundle *bundle)
{
	char digest[WR_CONFIG_DIGEST_BYTES];

	CHECK(wr_config_bundle_is_sound(bundle));
	wr_config_bundle_digest(bundle, digest);
	CHECK(wr_config_digest_is_valid(wr_view_of(digest, sizeof digest)));
}

/* Whole sequences that ascend. */
static void check_sequences(struct wr_view packed)
{
	uint64_t sequence, before = 0;

	CHECK(packed.data == NULL || packed.bytes != 0);
	for (; wr_sequences_next(&packed, &sequence); before = sequence)
		CHECK(sequence > before);
	CHECK_U64(packed.bytes, 0);
}

static void check_views(const struct wr_event *event, struct wr_view input)
{
	CHECK(fuzz_lies_in(wr_event_dropped(event), input));
	check_sequences(wr_event_dropped(event));
	switch (event->kind) {
	case WR_EVENT_WORKER_CREATED:
		CHECK(fuzz_lies_in(event->as.created.worker_id, input));
		CHECK(fuzz_lies_in(event->as.created.request.capabilities.packed, input));
		check_lists(&event->as.created.request);
		break;
	case WR_EVENT_INPUT_ACCEPTED:
		CHECK(fuzz_lies_in(event->as.input.input.content, input));
		break;
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		CHECK(fuzz_lies_in(event->as.ended.reason, input));
		break;
	case WR_EVENT_PHASE_CHANGED:
		CHECK(fuzz_lies_in(event->as.phase.cause, input));
		break;
	case WR_EVENT_OUTPUT:
		CHECK(fuzz_lies_in(event->as.output.id, input));
		CHECK(fuzz_lies_in(event->as.output.name, input));
		CHECK(fuzz_lies_in(event->as.output.text, input));
		break;
	case WR_EVENT_BUNDLE_STORED:
		CHECK(fuzz_lies_in(event->as.bundle.id, input));
		CHECK(fuzz_lies_in(event->as.bundle.detail, input));
		CHECK(fuzz_lies_in(event->as.bundle.profiles.packed, input));
		check_bundle(&event->as.bundle);
		break;
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
	case WR_EVENT_REPEATABLE:
		break;
	}
}

static void check_frames(const struct wr_event *event)
{
	const struct wr_identity identity = {.runtime_id = WR_VIEW("r"), .worker_id = WR_VIEW("w")};
	const struct wr_encoding *encoding = &wr_event_bytes_encoding;
	struct wr_event shown = *event, again;
	struct wr_view stream, bytes = WR_VIEW_NULL;
	struct wr_buf frame, plain;

	shown.has_key = false;
	shown.delivered = 0;
	wr_buf_init(&frame, wr_test_allocator(), ROOM);
	wr_buf_init(&plain, wr_test_allocator(), ROOM);
	CHECK_STATUS(
		encoding->encode(encoding->context, &frame, event, &identity, WR_SCOPE_RUNTIME),
		WR_OK);
	stream = wr_buf_view(&frame);
	if (wr_event_frame_next(&stream, &bytes)) {
		CHECK_U64(stream.bytes, 0);
		CHECK_STATUS(wr_event_encode(&plain, &shown), WR_OK);
		CHECK_VIEW(bytes, wr_buf_view(&plain));
		CHECK_STATUS(wr_event_decode(&again, bytes), WR_OK);
	} else {
		CHECK(event->kind == WR_EVENT_REPEATABLE || event->kind == WR_EVENT_BUNDLE_STORED);
		CHECK_U64(stream.bytes, 0);
	}
	wr_buf_deinit(&frame);
	wr_buf_deinit(&plain);
}

static void check_encoded(const struct wr_event *event, struct wr_view input, uint8_t failing)
{
	struct wr_event other;
	enum wr_status status;
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), ROOM);
	CHECK_STATUS(wr_event_encode(&out, event), WR_OK);
	CHECK_VIEW(wr_buf_view(&out), input);
	wr_buf_deinit(&out);
	wr_test_fail_allocation(failing, true);
	status = wr_event_encode(&out, event);
	CHECK_STATUS(status, wr_test_allocation_failed() ? WR_NO_MEMORY : WR_OK);
	wr_buf_deinit(&out);
	wr_test_fail_allocation(0, false);
	CHECK_STATUS(wr_event_decode(&other, fuzz_join(1, input, WR_VIEW("\0"))), WR_CORRUPT);
	CHECK_STATUS(wr_event_decode(&other, wr_view_of(input.data, input.bytes - 1)), WR_CORRUPT);
}

void fuzz_one(struct wr_view input)
{
	uint8_t failing = fuzz_u8(&input);
	struct wr_view stream, bytes;
	struct wr_event event;
	enum wr_status status;

	if (input.bytes > ROOM / 8)
		return;
	input = wr_test_guarded(0, input);
	for (stream = input; wr_event_frame_next(&stream, &bytes);)
		CHECK(fuzz_lies_in(bytes, input) && fuzz_lies_in(stream, input));
	status = wr_event_decode(&event, input);
	CHECK(status == WR_OK || status == WR_CORRUPT || status == WR_UNSUPPORTED);
	CHECK((status == WR_UNSUPPORTED) ==
	      (input.bytes != 0 && (unsigned char)*input.data > WR_EVENT_BYTES_VERSION));
	if (status != WR_OK)
		return;
	check_views(&event, input);
	check_encoded(&event, input, failing);
	check_frames(&event);
}
