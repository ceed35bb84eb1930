/* One turn: its request, its tries, its end; and the door through which all that it says goes. */
#include "execution/openai_private.h"

#include "check.h"

static const struct wr_view fields = WR_VIEW_INIT("Content-Type: application/json\r\n"
						  "Accept: text/event-stream, application/json\r\n"
						  "Accept-Encoding: identity\r\n"
						  "User-Agent: worker-runtime\r\n");

/* ---- saying ---- */

struct wr_output *wr_openai_say(struct wr_openai_turn *self, enum wr_output_kind kind)
{
	struct wr_output *output;

	wr_assert(self->outbox_count < WR_OPENAI_OUTBOX_COUNT);
	output = &self->outbox[self->outbox_count++];
	*output = (struct wr_output){.kind = kind};
	return output;
}

size_t wr_openai_note_begin(struct wr_openai_turn *self, struct wr_json_writer *json)
{
	wr_json_writer_init(json, &self->notes);
	wr_json_object_begin(json);
	return self->notes.bytes - 1;
}

void wr_openai_note_end(struct wr_openai_turn *self, struct wr_json_writer *json, size_t begin,
			struct wr_view name)
{
	struct wr_output *output;

	wr_json_object_end(json);
	wr_assert(wr_buf_status(&self->notes) == WR_OK);
	output = wr_openai_say(self, WR_OUTPUT_OPAQUE);
	output->name = name;
	output->text = wr_view_of(self->notes.data + begin, self->notes.bytes - begin);
}

void wr_openai_say_call(struct wr_openai_turn *self, struct wr_view name)
{
	struct wr_json_writer json;
	size_t begin = wr_openai_note_begin(self, &json);

	wr_json_member_u64(&json, WR_VIEW("llm_call"), self->number);
	wr_openai_note_end(self, &json, begin, name);
}

/* False: something was refused for now, and the Worker is held. */
static bool flush_outbox(struct wr_openai_turn *self)
{
	struct wr_reports *reports = &self->worker->member.reports;

	if (wr_reports_are_waiting(reports))
		return false;
	for (; self->outbox_at < self->outbox_count; self->outbox_at++)
		if (!wr_reports_output(reports, &self->outbox[self->outbox_at]))
			return false;
	self->outbox_at = self->outbox_count = 0;
	wr_buf_reset(&self->notes);
	return true;
}

/* What was not read yet stays, wherever it was lent from. */
static void keep_unread(struct wr_openai_turn *self)
{
	if (!self->is_fed)
		return;
	wr_buf_consume(&self->held,
		       self->held.bytes - wr_sse_reader_take_rest(&self->reader).bytes);
	self->is_fed = false;
}

bool wr_openai_turn_go_on(struct wr_openai_turn *self)
{
	bool goes_on = true;

	while (goes_on) {
		if (!flush_outbox(self)) {
			self->heard_ms = self->worker->set->reactor->now_ms;
			keep_unread(self);
			wr_http_call_pause(&self->call);
			return false;
		}
		if (self->state == WR_OPENAI_CALLING) {
			goes_on = wr_openai_answer_next(self);
		} else if (self->state == WR_OPENAI_ENDING) {
			if (!wr_openai_words_rest(self))
				return true;
		} else {
			goes_on = false;
		}
	}
	keep_unread(self);
	wr_http_call_resume(&self->call);
	return false;
}

/* ---- the call ---- */

static struct wr_openai_turn *turn_of(struct wr_http_call *call)
{
	return wr_container_of(call, struct wr_openai_turn, call);
}

static bool on_head(struct wr_http_call *call, const struct wr_http_head *head)
{
	return wr_openai_answer_head(turn_of(call), head);
}

/* It sends, and says nothing: what stands before a model that is gone may do that for ever. */
static void end_mute(struct wr_openai_turn *self)
{
	uint64_t passed_ms = self->worker->set->reactor->now_ms - self->heard_ms;

	if (self->state != WR_OPENAI_CALLING || self->has_done || self->is_call_over ||
	    passed_ms < wr_openai_silence_ms_max(self) + self->worker->profile->mute_ms_max)
		return;
	self->is_mute = true;
	wr_openai_turn_close(self, WR_TIMEOUT);
}

static void on_data(struct wr_http_call *call, struct wr_view data)
{
	struct wr_openai_turn *self = turn_of(call);

	wr_openai_answer_data(self, data);
	end_mute(self);
	wr_openai_go_on(self->worker);
}

static void end_call(struct wr_openai_turn *self, enum wr_status status, int os_error)
{
	self->is_call_over = true;
	self->call_status = status;
	self->os_error = os_error;
}

static void on_done(struct wr_http_call *call, const struct wr_http_outcome *outcome)
{
	struct wr_openai_turn *self = turn_of(call);

	end_call(self, outcome->status, outcome->os_error);
	self->tls_fault = outcome->fault;
	wr_openai_go_on(self->worker);
}

void wr_openai_turn_close(struct wr_openai_turn *self, enum wr_status status)
{
	wr_http_call_cancel(&self->call);
	if (!self->is_call_over)
		end_call(self, status, 0);
}

void wr_openai_turn_call(struct wr_openai_turn *self)
{
	const struct wr_openai_profile *profile = self->worker->profile;
	enum wr_status status;

	wr_openai_answer_begin(self);
	self->state = WR_OPENAI_CALLING;
	self->call.ms_max = (uint32_t)profile->first_token_ms_max;
	self->call.target = wr_buf_view(&self->target);
	self->call.body = wr_buf_view(&self->body);
	status = wr_http_call_begin(&self->call, profile->origin->client);
	if (status != WR_OK)
		end_call(self, status, 0);
}

/* ---- its end ---- */

void wr_openai_turn_end(struct wr_openai_turn *self, enum wr_openai_end end,
			enum wr_run_result result)
{
	wr_assert(self->state != WR_OPENAI_ENDING);
	wr_timer_cancel(self->worker->set->reactor, &self->timer);
	wr_openai_turn_close(self, WR_CLOSED);
	self->state = WR_OPENAI_ENDING;
	self->end = end;
	self->result = result;
	self->rest = WR_OPENAI_REST_THINKING;
}

/* It is time for another try; or the stream has ended, and its connection stays open. */
static void on_timer(struct wr_timer *timer)
{
	struct wr_openai_turn *self = wr_container_of(timer, struct wr_openai_turn, timer);

	if (self->state == WR_OPENAI_WAITING)
		wr_openai_turn_call(self);
	else
		wr_openai_turn_close(self, WR_OK);
	wr_openai_go_on(self->worker);
}

/* ---- life ---- */

struct wr_openai_turn *wr_openai_turn_new(struct wr_openai_worker *worker)
{
	struct wr_allocator *allocator = worker->set->allocator;
	struct wr_openai_turn *self = wr_allocator_take_zeroed(allocator, sizeof *self);

	if (self == NULL)
		return NULL;
	self->worker = worker;
	self->began_ms = worker->set->reactor->now_ms;
	self->timer.on_due = on_timer;
	self->call = (struct wr_http_call){
		.method = WR_VIEW("POST"),
		.fields = fields,
		.on_head = on_head,
		.on_data = on_data,
		.on_done = on_done,
	};
	wr_buf_init(&self->body, allocator, 1);
	wr_buf_init(&self->target, allocator, WR_HTTP_TARGET_BYTES_MAX);
	wr_buf_init(&self->held, allocator, 4 * WR_TURN_READ_BYTES_MAX);
	wr_buf_init(&self->gathered, allocator, WR_OPENAI_BODY_BYTES_MAX);
	wr_buf_init(&self->stream, allocator, 2 * WR_OPENAI_STREAM_BYTES_MAX);
	wr_buf_init(&self->valid, allocator, 3 * WR_OPENAI_BODY_BYTES_MAX);
	wr_buf_init(&self->texts, allocator, 3 * WR_OPENAI_BODY_BYTES_MAX);
	wr_buf_init(&self->text, allocator, WR_EVENT_BYTES_MAX);
	wr_buf_init(&self->thinking, allocator, WR_EVENT_BYTES_MAX);
	wr_buf_init_fixed(&self->notes, self->notes_room, sizeof self->notes_room);
	wr_buf_init_fixed(&self->failure, self->failure_room, sizeof self->failure_room);
	return self;
}

static void free_calls(struct wr_openai_turn *self)
{
	for (uint32_t i = 0; i < self->call_count; i++) {
		struct wr_openai_call *call = self->calls[i];

		wr_buf_deinit(&call->id);
		wr_buf_deinit(&call->name);
		wr_buf_deinit(&call->arguments);
		wr_allocator_free(self->worker->set->allocator, call, sizeof *call);
	}
}

void wr_openai_turn_free(struct wr_openai_turn *self)
{
	struct wr_buf *bufs[] = {&self->body,	&self->target,	 &self->held,
				 &self->stream, &self->valid,	 &self->texts,
				 &self->text,	&self->thinking, &self->gathered};

	wr_timer_cancel(self->worker->set->reactor, &self->timer);
	wr_http_call_cancel(&self->call);
	for (unsigned i = 0; i < WR_COUNT(bufs); i++)
		wr_buf_deinit(bufs[i]);
	free_calls(self);
	wr_allocator_free(self->worker->set->allocator, self, sizeof *self);
}
