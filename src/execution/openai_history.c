/* What a model is told: the profile's prompt, the conversation so far as far as its budget goes,
 * and the input.
 *
 * Of the transcript everything counts but what `error` events said: a model has nothing to do with
 * them, and there are chat templates that refuse a system message in the middle. Inputs that were
 * accepted behind this one and wait for their turn are not yet part of it. */
#include "execution/openai_private.h"

#include "check.h"

/* The transcript of a Worker while one request is made from it. */
struct history {
	struct wr_runtime *runtime;
	const struct wr_worker *worker;
	uint64_t sequence; /* of the input */
	struct wr_store_place place;
};

enum { ROOM_BYTES = 65536 };

static bool is_told(const struct history *self, const struct wr_item *item)
{
	bool is_answer = item->role == WR_ROLE_ASSISTANT;

	return !item->is_error && (is_answer || item->event_id < self->sequence);
}

static enum wr_status read_item(struct history *self, uint64_t number, struct wr_item *out)
{
	return wr_runtime_item(self->runtime, self->worker, number, &self->place, out);
}

/* Number of the first item that is told, and how many before it are not: as many of the newest are
 * as fit. What cannot be read ends it, as if it were too long ago. A conversation does not begin
 * with an answer. */
static enum wr_status find_first(struct history *self, uint64_t *first, uint64_t *left_out,
				 uint64_t bytes_max)
{
	uint64_t kept = wr_runtime_first_item(self->runtime, self->worker);
	uint64_t number = self->worker->shown.item_count, bytes = 0;
	bool is_answer = false; /* the oldest that fits */
	unsigned count = 0;

	*first = number + 1;
	for (; number >= kept && number != 0 && count < WR_OPENAI_HISTORY_COUNT_MAX; number--) {
		struct wr_item item;
		enum wr_status status = read_item(self, number, &item);

		if (status == WR_NO_MEMORY)
			return status;
		if (status != WR_OK)
			break;
		if (item.event_id == self->sequence)
			*first = number; /* the input itself, which comes last */
		if (!is_told(self, &item))
			continue;
		if (item.content.bytes > bytes_max - bytes)
			break;
		bytes += item.content.bytes;
		count++;
		is_answer = item.role == WR_ROLE_ASSISTANT;
		if (!is_answer)
			*first = number;
	}
	*left_out = number != 0 || is_answer ? *first - 1 : 0;
	return WR_OK;
}

static enum wr_chat_role role_of(enum wr_role role)
{
	switch (role) {
	case WR_ROLE_USER:
		return WR_CHAT_USER;
	case WR_ROLE_SYSTEM:
		return WR_CHAT_SYSTEM;
	case WR_ROLE_ASSISTANT:
		return WR_CHAT_ASSISTANT;
	}
	wr_unreachable();
}

static void write_marker(struct wr_chat_request *request, uint64_t count)
{
	char storage[128];
	struct wr_buf text;

	wr_buf_init_fixed(&text, storage, sizeof storage);
	wr_buf_append_view(&text, WR_VIEW("[The first "));
	wr_buf_append_u64(&text, count);
	wr_buf_append_view(&text, WR_VIEW(" messages of this conversation are left out here.]"));
	wr_chat_request_message(request, WR_CHAT_SYSTEM, wr_buf_view(&text));
}

static enum wr_status write_items(struct history *self, struct wr_chat_request *request,
				  uint64_t first)
{
	for (uint64_t number = first; number <= self->worker->shown.item_count; number++) {
		struct wr_item item;
		enum wr_status status = read_item(self, number, &item);

		if (status != WR_OK)
			return status;
		if (is_told(self, &item))
			wr_chat_request_message(request, role_of(item.role), item.content);
	}
	return WR_OK;
}

static struct wr_chat_options options_of(const struct wr_openai_profile *profile)
{
	return (struct wr_chat_options){
		.model = wr_view_of_string(profile->model),
		.output_tokens_max = profile->output_tokens_max,
		.temperature = wr_view_of_string(profile->temperature),
	};
}

/* A control character takes six bytes in JSON; a prompt is UTF-8 text of the operator. */
static size_t room_for(const struct wr_openai_profile *profile, const struct wr_input *input)
{
	uint64_t bytes = profile->history_bytes_max + input->content.bytes +
			 wr_view_of_string(profile->system_prompt).bytes +
			 64 * (uint64_t)WR_OPENAI_HISTORY_COUNT_MAX / 6;

	bytes = bytes * 6 + ROOM_BYTES;
	return bytes < SIZE_MAX / 2 ? (size_t)bytes : SIZE_MAX / 2;
}

enum wr_status wr_openai_write_request(struct wr_buf *out, uint64_t *left_out,
				       const struct wr_openai_worker *worker,
				       const struct wr_input *input, uint64_t sequence)
{
	const struct wr_openai_profile *profile = worker->profile;
	const struct wr_chat_options options = options_of(profile);
	struct history history = {
		.runtime = worker->set->crew.reports.runtime,
		.worker = wr_crew_worker(&worker->member),
		.sequence = sequence,
	};
	struct wr_chat_request request;
	uint64_t first;
	enum wr_status status = find_first(&history, &first, left_out, profile->history_bytes_max);

	if (status != WR_OK)
		return status;
	wr_buf_init(out, worker->set->allocator, room_for(profile, input));
	wr_chat_request_begin(&request, out, &options);
	if (profile->system_prompt != NULL)
		wr_chat_request_message(&request, WR_CHAT_SYSTEM,
					wr_view_of_string(profile->system_prompt));
	if (*left_out != 0)
		write_marker(&request, *left_out);
	status = write_items(&history, &request, first);
	wr_chat_request_message(&request,
				input->kind == WR_INPUT_USER ? WR_CHAT_USER : WR_CHAT_SYSTEM,
				input->content);
	wr_chat_request_end(&request);
	if (status == WR_OK)
		status = wr_buf_status(out);
	if (status != WR_OK)
		wr_buf_deinit(out);
	return status;
}
