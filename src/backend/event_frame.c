#include "backend/event_frame.h"

#include "check.h"
#include "codec/json/reader.h"
#include "wire/append.h"
#include "wire/snapshot_json.h"
#include "wire/text_frame.h"

/* ---- the policy ---- */

enum {
	/* Levels around a payload: frame and envelope. */
	LEVELS_AROUND = 2
};

/* What a denied snapshot is shown as: a Worker of which nothing is said. */
static const struct wr_view empty_snapshot = WR_VIEW_INIT(
	"{\"event\":\"snapshot\",\"data\":{\"entries\":[],\"greeting\":{\"worker_name\":\"\","
	"\"cwd\":\"\",\"provider\":\"\",\"model\":\"\",\"scope_summary\":\"\",\"tools\":[],"
	"\"context_window\":0,\"context_tokens\":0},\"status\":\"idle\"}}");

/* Whether a rule's text can stand in a frame: one JSON object, and none that the frame makes too
 * deep for a decoder with our own limit. */
static bool is_object(struct wr_view json)
{
	struct wr_json_reader reader;
	enum wr_status status;

	wr_json_reader_init(&reader, json, true);
	status = wr_json_reader_next(&reader);
	if (status == WR_OK && reader.token != WR_JSON_TOKEN_OBJECT_BEGIN)
		return false;
	while (status == WR_OK && reader.token != WR_JSON_TOKEN_END) {
		if (reader.depth > WR_JSON_DEPTH_MAX - LEVELS_AROUND)
			return false;
		status = wr_json_reader_next(&reader);
	}
	return status == WR_OK;
}

/* What is shown in place of `payload`; absent: nothing. What a rule gets wrong is denied. */
static struct wr_view ask(struct wr_buf *scratch, const struct wr_policy *policy,
			  const struct wr_policy_event *event)
{
	enum wr_policy_verdict verdict;

	wr_buf_reset(scratch);
	verdict = policy->on_event(policy->context, event, scratch);
	if (verdict == WR_POLICY_PASS)
		return event->payload;
	if (verdict == WR_POLICY_REPLACE && wr_buf_status(scratch) == WR_OK &&
	    is_object(wr_buf_view(scratch)))
		return wr_buf_view(scratch);
	return wr_view_equal(event->name, WR_VIEW("snapshot")) ? empty_snapshot : WR_VIEW_NULL;
}

/* ---- events ---- */

#define CURSOR "{\"kind\":\"event\",\"envelope\":{\"cursor\":\""
#define EVENT_ID "\",\"event_id\":\""
#define RUNTIME_ID "\",\"runtime_id\":\""
#define WORKER_ID "\",\"worker_id\":\""
#define PAYLOAD "\",\"payload\":"

static void append_front(struct wr_buf *out, const struct wr_envelope *envelope)
{
	enum { BYTES = sizeof CURSOR EVENT_ID RUNTIME_ID - 1 + 2 * WR_CURSOR_BYTES };
	char *to = wr_append_room(out, BYTES);

	if (to == NULL)
		return;
	to = WR_PUT(to, CURSOR);
	to = wr_put(to, wr_view_of(envelope->cursor, WR_CURSOR_BYTES));
	to = WR_PUT(to, EVENT_ID);
	to = wr_put(to, wr_view_of(envelope->cursor, WR_CURSOR_BYTES));
	WR_PUT(to, RUNTIME_ID);
	wr_buf_commit(out, BYTES);
}

enum wr_status wr_backend_event_frame(struct wr_buf *out, struct wr_buf *scratch,
				      const struct wr_policy *policy,
				      const struct wr_envelope *envelope, struct wr_view name,
				      struct wr_view payload, bool *is_shown)
{
	bool has_rule = policy != NULL && policy->on_event != NULL;
	enum wr_status status = WR_OK;
	size_t start;

	if (has_rule) {
		struct wr_policy_event event = {envelope->runtime_id, envelope->worker_id, name,
						payload};

		payload = ask(scratch, policy, &event);
		/* Too large a text is the rule's fault, and denied. */
		if (wr_buf_status(scratch) == WR_NO_MEMORY)
			status = WR_NO_MEMORY;
	}
	if (status == WR_OK && payload.data != NULL) {
		start = wr_text_frame_begin(out);
		append_front(out, envelope);
		wr_append_string(out, envelope->runtime_id);
		wr_append(out, WR_VIEW(WORKER_ID));
		wr_append_string(out, envelope->worker_id);
		wr_append(out, WR_VIEW(PAYLOAD));
		wr_append(out, payload);
		wr_append(out, WR_VIEW("}}"));
		status = wr_text_frame_end(out, start);
	}
	if (is_shown != NULL)
		*is_shown = status == WR_OK && payload.data != NULL;
	return status;
}

/* ---- diagnostics ---- */

struct news {
	struct wr_view code, message;
};

#define NEWS(name, code, message) \
	[WR_BACKEND_NEWS_##name] = {WR_VIEW_INIT(code), WR_VIEW_INIT(message)},
static const struct news all_news[] = {WR_BACKEND_NEWS_LIST(NEWS)};
#undef NEWS

enum wr_status wr_backend_diagnostic_frame(struct wr_buf *out, enum wr_backend_news news,
					   struct wr_view reason)
{
	wr_assert((unsigned)news < WR_COUNT(all_news));
	return wr_diagnostic_frame(out, all_news[news].code, all_news[news].message, reason,
				   WR_VIEW_NULL);
}

struct refusal {
	enum wr_status status;
	enum wr_backend_news news;
	struct wr_view reason;
};

static const struct refusal refusals[] = {
	{WR_MALFORMED, WR_BACKEND_NEWS_CURSOR_MALFORMED, WR_VIEW_INIT("malformed")},
	{WR_SCOPE_MISMATCH, WR_BACKEND_NEWS_CURSOR_UNKNOWN, WR_VIEW_INIT("scope_mismatch")},
	{WR_UNKNOWN, WR_BACKEND_NEWS_CURSOR_UNKNOWN, WR_VIEW_INIT("unknown")},
	{WR_AHEAD, WR_BACKEND_NEWS_CURSOR_UNKNOWN, WR_VIEW_INIT("ahead")},
	{WR_LOST_TAIL, WR_BACKEND_NEWS_CURSOR_UNKNOWN, WR_VIEW_INIT("lost_tail")},
	{WR_EXPIRED, WR_BACKEND_NEWS_CURSOR_UNKNOWN, WR_VIEW_INIT("expired")},
	{WR_NOT_FOUND, WR_BACKEND_NEWS_WORKER_NOT_FOUND, {NULL, 0}},
};

enum wr_backend_news wr_backend_news_of(enum wr_status status, struct wr_view *reason)
{
	for (unsigned i = 0; i < WR_COUNT(refusals); i++) {
		if (refusals[i].status == status) {
			*reason = refusals[i].reason;
			return refusals[i].news;
		}
	}
	*reason = WR_VIEW_NULL;
	return WR_BACKEND_NEWS_RUNTIME_UNAVAILABLE;
}
