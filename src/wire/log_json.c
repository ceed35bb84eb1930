#include "wire/log_json.h"

#include "bytes/hex.h"
#include "check.h"
#include "codec/json/writer.h"
#include "wire/bundle_json.h"
#include "wire/dropped_json.h"
#include "wire/event_json.h"
#include "wire/request_json.h"

static const char *kind_name(enum wr_event_kind kind)
{
	const char *name = wr_event_runtime_name(kind);

	if (name != NULL)
		return name;
	if (kind == WR_EVENT_PHASE_CHANGED)
		return "phase_changed";
	if (kind == WR_EVENT_BUNDLE_STORED)
		return "config_bundle_stored";
	return kind == WR_EVENT_OUTPUT ? "output" : "key_used";
}

static const char *operation_name(enum wr_operation operation)
{
	switch (operation) {
	case WR_OPERATION_CREATE:
		return "create";
	case WR_OPERATION_INPUT:
		return "input";
	case WR_OPERATION_STOP:
		return "stop";
	case WR_OPERATION_CANCEL:
		return "cancel";
	case WR_OPERATION_INTERRUPT:
		return "interrupt";
	case WR_OPERATION_STORE_BUNDLE:
		return "store_config_bundle";
	}
	wr_unreachable(); /* decoding lets no other pass */
}

static void write_text(struct wr_json_writer *writer, struct wr_view name, const char *text)
{
	wr_json_member_string(writer, name, wr_view_of_string(text));
}

static void write_optional(struct wr_json_writer *writer, struct wr_view name, struct wr_view text)
{
	wr_json_name(writer, name);
	if (text.data != NULL)
		wr_json_string(writer, text);
	else
		wr_json_null(writer);
}

static void write_key(struct wr_json_writer *writer, const struct wr_key *key)
{
	char digits[2 * WR_KEY_BYTES];

	wr_hex_write(digits, key->id, WR_KEY_BYTES);
	wr_json_member_string(writer, WR_VIEW("key"), wr_view_of(digits, sizeof digits));
}

static void write_input(struct wr_json_writer *writer, const struct wr_event *event)
{
	wr_json_member_u64(writer, WR_VIEW("transcript_sequence"),
			   event->as.input.transcript_sequence);
	wr_json_name(writer, WR_VIEW("input"));
	wr_json_object_begin(writer);
	write_text(writer, WR_VIEW("kind"),
		   event->as.input.input.kind == WR_INPUT_USER ? "user" : "system");
	wr_json_member_string(writer, WR_VIEW("content"), event->as.input.input.content);
	wr_json_object_end(writer);
	if (event->as.input.waits_for_turn)
		wr_json_member_bool(writer, WR_VIEW("waits_for_turn"), true);
}

static void write_request(struct wr_buf *out, const struct wr_create *request)
{
	wr_request_append_intent(out, request);
	wr_request_append_profile(out, request);
	wr_request_append_details(out, request);
}

static void write_bundle(struct wr_json_writer *writer, const struct wr_config_bundle *bundle)
{
	struct wr_bundle_summary summary = wr_bundle_summary_of(bundle);

	wr_json_name(writer, WR_VIEW("config_bundle"));
	wr_bundle_summary_json(writer, &summary);
}

static void write_members(struct wr_json_writer *writer, const struct wr_event *event)
{
	switch (event->kind) {
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
		return;
	case WR_EVENT_WORKER_CREATED:
		write_request(writer->out, &event->as.created.request);
		return;
	case WR_EVENT_INPUT_ACCEPTED:
		write_input(writer, event);
		return;
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		write_optional(writer, WR_VIEW("reason"), event->as.ended.reason);
		return;
	case WR_EVENT_PHASE_CHANGED:
		write_text(writer, WR_VIEW("from"),
			   wr_phase_name((enum wr_phase)event->as.phase.from));
		write_text(writer, WR_VIEW("to"), wr_phase_name((enum wr_phase)event->as.phase.to));
		wr_json_member_string(writer, WR_VIEW("cause"), event->as.phase.cause);
		return;
	case WR_EVENT_OUTPUT:
		wr_json_name(writer, WR_VIEW("event"));
		wr_protocol_event_json(writer, event);
		return;
	case WR_EVENT_REPEATABLE:
		write_text(writer, WR_VIEW("operation"),
			   operation_name((enum wr_operation)event->as.repeatable.operation));
		if (event->worker != 0)
			write_text(writer, WR_VIEW("status"),
				   wr_worker_status_name(
					   (enum wr_worker_status)event->as.repeatable.status));
		wr_json_member_u64(writer, WR_VIEW("event_id"), event->as.repeatable.event_id);
		return;
	case WR_EVENT_BUNDLE_STORED:
		write_bundle(writer, &event->as.bundle);
		return;
	}
	wr_unreachable();
}

void wr_log_event_json(struct wr_buf *out, const struct wr_event *event, struct wr_view worker_id)
{
	struct wr_json_writer writer;

	wr_json_writer_init(&writer, out);
	wr_json_object_begin(&writer);
	wr_json_member_u64(&writer, WR_VIEW("sequence"), event->sequence);
	if (event->kind == WR_EVENT_WORKER_CREATED)
		worker_id = event->as.created.worker_id;
	write_optional(&writer, WR_VIEW("worker"), worker_id);
	if (worker_id.data == NULL && event->worker != 0)
		wr_json_member_u64(&writer, WR_VIEW("worker_number"), event->worker);
	wr_json_name(&writer, WR_VIEW("time"));
	wr_json_i64(&writer, event->wall_ms);
	write_text(&writer, WR_VIEW("kind"), kind_name(event->kind));
	if (event->has_key)
		write_key(&writer, &event->key);
	if (event->delivered != 0)
		wr_json_member_u64(&writer, WR_VIEW("delivered"), event->delivered);
	write_members(&writer, event);
	if (wr_event_dropped(event).data != NULL)
		wr_append_dropped(out, wr_event_dropped(event));
	wr_json_object_end(&writer);
}
