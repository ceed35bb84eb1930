/*
 * request_json — what a Worker was asked to be (contract 2.5), as members of an object that has
 * some already. In a header, so that each of its few users has it in line: summaries and details of
 * Workers are answered often.
 */
#ifndef WR_WIRE_REQUEST_JSON_H
#define WR_WIRE_REQUEST_JSON_H

#include "core/command.h"
#include "wire/append.h"

/* `"name":"` before the text; nothing of an absent one. */
static inline void wr_request_append_optional(struct wr_buf *out, struct wr_view before,
					      struct wr_view text)
{
	if (text.data == NULL)
		return;
	wr_append(out, before);
	wr_append_string(out, text);
	wr_append(out, WR_VIEW("\""));
}

static inline void wr_request_append_intent(struct wr_buf *out, const struct wr_create *request)
{
	switch (request->intent) {
	case WR_INTENT_ASSISTANT:
		wr_append(out, WR_VIEW(",\"intent\":{\"kind\":\"assistant\""));
		wr_request_append_optional(out, WR_VIEW(",\"purpose\":\""), request->purpose);
		break;
	case WR_INTENT_TASK:
		wr_append(out, WR_VIEW(",\"intent\":{\"kind\":\"task\",\"objective\":\""));
		wr_append_string(out, request->objective);
		wr_append(out, WR_VIEW("\""));
		break;
	case WR_INTENT_ROLE:
		wr_append(out, WR_VIEW(",\"intent\":{\"kind\":\"role\",\"role\":\""));
		wr_append_string(out, request->role);
		wr_append(out, WR_VIEW("\""));
		wr_request_append_optional(out, WR_VIEW(",\"purpose\":\""), request->purpose);
		break;
	}
}

/* Ends the intent, too. */
static inline void wr_request_append_profile(struct wr_buf *out, const struct wr_create *request)
{
	switch (request->profile) {
	case WR_PROFILE_RUNTIME_DEFAULT:
		wr_append(out, WR_VIEW("},\"profile\":{\"kind\":\"runtime_default\"}"));
		return;
	case WR_PROFILE_BUILTIN:
		wr_append(out, WR_VIEW("},\"profile\":{\"kind\":\"builtin\",\"value\":\""));
		break;
	case WR_PROFILE_NAMED:
		wr_append(out, WR_VIEW("},\"profile\":{\"kind\":\"named\",\"value\":\""));
		break;
	}
	wr_append_string(out, request->profile_value);
	wr_append(out, WR_VIEW("\"}"));
}

/* `before` begins the member, `second` the second text of a pair. */
static inline void wr_request_append_pairs(struct wr_buf *out, struct wr_view before,
					   const struct wr_pairs *pairs, struct wr_view second)
{
	struct wr_view rest = pairs->packed, first_text, second_text;

	wr_append(out, before);
	for (const char *comma = ""; wr_pairs_next(&rest, &first_text, &second_text); comma = ",") {
		wr_append(out, wr_view_of_string(comma));
		wr_append(out, WR_VIEW("{\"name\":\""));
		wr_append_string(out, first_text);
		wr_append(out, WR_VIEW("\""));
		wr_request_append_optional(out, second, second_text);
		wr_append(out, WR_VIEW("}"));
	}
	wr_append(out, WR_VIEW("]"));
}

static inline void wr_request_append_busy(struct wr_buf *out, const struct wr_busy_policy *busy)
{
	if (busy->kind == WR_BUSY_REJECT)
		wr_append(out, WR_VIEW(",\"busy_policy\":{\"kind\":\"reject\"}"));
	if (busy->kind == WR_BUSY_QUEUE) {
		wr_append(out, WR_VIEW(",\"busy_policy\":{\"kind\":\"queue\",\"max_inputs\":"));
		wr_append_number(out, busy->inputs_max);
		wr_append(out, WR_VIEW("}"));
	}
}

static inline void wr_request_append_bundle(struct wr_buf *out, const struct wr_create *request)
{
	if (request->config_bundle_id.data == NULL)
		return;
	wr_append(out, WR_VIEW(",\"config_bundle\":{\"id\":\""));
	wr_append_string(out, request->config_bundle_id);
	wr_append(out, WR_VIEW("\""));
	wr_request_append_optional(out, WR_VIEW(",\"digest\":\""), request->config_bundle_digest);
	wr_append(out, WR_VIEW("}"));
}

static inline void wr_request_append_details(struct wr_buf *out, const struct wr_create *request)
{
	struct wr_view reference = WR_VIEW(",\"reference\":\"");

	wr_request_append_bundle(out, request);
	if (request->capabilities.count != 0)
		wr_request_append_pairs(out, WR_VIEW(",\"requested_capabilities\":["),
					&request->capabilities, WR_VIEW(",\"reason\":\""));
	if (request->workspace_refs.count != 0)
		wr_request_append_pairs(out, WR_VIEW(",\"workspace_refs\":["),
					&request->workspace_refs, reference);
	if (request->mount_refs.count != 0)
		wr_request_append_pairs(out, WR_VIEW(",\"mount_refs\":["), &request->mount_refs,
					reference);
	wr_request_append_busy(out, &request->busy);
}

#endif
