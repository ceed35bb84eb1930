/* What went wrong, in words; and whether it is worth another try. Of the server's own words only
 * the message of an error is shown: a piece of it, printable, without the key; and none at all
 * where it speaks about the key. The log has none of them. */
#include "execution/openai_private.h"

#include "check.h"
#include "codec/json/writer.h"
#include "execution/lossy.h"
#include "io/entropy.h"
#include "io/log.h"

#include <errno.h>
#include <string.h>

/* ---- foreign words ---- */

static size_t find(struct wr_view text, struct wr_view what)
{
	size_t at = 0;

	while (what.bytes != 0 && at + what.bytes <= text.bytes) {
		if (memcmp(text.data + at, what.data, what.bytes) == 0)
			return at;
		at++;
	}
	return text.bytes;
}

void wr_openai_append_foreign(struct wr_buf *out, struct wr_view text, const char *key)
{
	struct wr_view secret = wr_view_of_string(key);
	char storage[WR_OPENAI_MESSAGE_BYTES_MAX];
	struct wr_buf message;

	wr_buf_init_fixed(&message, storage, sizeof storage);
	while (text.bytes != 0 && wr_buf_status(&message) == WR_OK) {
		size_t clean = find(text, secret);

		wr_lossy_append_message(&message, wr_view_of(text.data, clean));
		text = wr_view_skip(text, clean);
		if (text.bytes == 0)
			break;
		wr_buf_append_view(&message, WR_VIEW("***"));
		text = wr_view_skip(text, secret.bytes);
	}
	wr_buf_append_view(out, wr_buf_view(&message));
	if (wr_buf_status(&message) != WR_OK)
		wr_buf_append_view(out, WR_VIEW("..."));
}

/* ---- words of ours ---- */

static const struct {
	uint16_t status;
	const char *text;
} status_texts[] = {
	{400, "refused the request"},
	{401, "refused the key; check the profile's key_file or key_env"},
	{403, "does not allow this; check the profile's key and model"},
	{404, "does not know this path or model; check the profile's base_url and model"},
	{405, "does not take requests here; check the profile's base_url"},
	{413, "finds the conversation too large; lower the profile's history_bytes"},
	{429, "asks for fewer requests"},
};

static const char *text_of_status(uint16_t status)
{
	for (size_t i = 0; i < WR_COUNT(status_texts); i++)
		if (status_texts[i].status == status)
			return status_texts[i].text;
	if (status >= 300 && status < 400)
		return "answers with a redirect, which is not followed; give the final base_url";
	return status >= 500 ? "has failed" : "gave an unexpected answer";
}

static void add(struct wr_buf *out, const char *text)
{
	wr_buf_append_view(out, wr_view_of_string(text));
}

/* The message that an error came with, if it is for people. */
static void add_message(struct wr_openai_turn *self)
{
	struct wr_view message = self->chunk.error_message;

	if (message.bytes == 0 || self->http_status == 401 || self->http_status == 403)
		return;
	self->cause_bytes = self->failure.bytes;
	add(&self->failure, ": ");
	wr_openai_append_foreign(&self->failure, message, self->worker->profile->api_key);
}

static void describe_status(struct wr_openai_turn *self)
{
	struct wr_error error;

	self->chunk.error_message = WR_VIEW_NULL;
	add(&self->failure, "the model server ");
	add(&self->failure, text_of_status(self->http_status));
	add(&self->failure, " (");
	wr_buf_append_u64(&self->failure, self->http_status);
	add(&self->failure, ")");
	if (wr_chat_read(&self->chunk, &self->texts, wr_buf_view(&self->gathered), WR_CHAT_WHOLE,
			 &error) == WR_OK)
		add_message(self);
}

static void describe_silence(struct wr_openai_turn *self)
{
	uint64_t ms = wr_openai_silence_ms_max(self);

	if (self->is_mute)
		ms += self->worker->profile->mute_ms_max;
	add(&self->failure, "the model server said nothing for ");
	wr_buf_append_u64(&self->failure, ms < 1000 ? ms : ms / 1000);
	add(&self->failure, ms < 1000 ? " ms" : " s");
}

static const char *words_of_error(int number)
{
	static const struct {
		int number;
		const char *words;
	} errors[] = {
		{ECONNREFUSED, ": nothing listens there"}, {ECONNRESET, ": it was reset"},
		{EHOSTUNREACH, ": there is no way to it"}, {ENETUNREACH, ": there is no way to it"},
		{ETIMEDOUT, ": it does not answer"},	   {EMFILE, ": no descriptor is left"},
		{ENFILE, ": no descriptor is left"},	   {EACCES, ": the system forbids it"},
		{EPERM, ": the system forbids it"},	   {EADDRNOTAVAIL, ": no port is left"},
	};

	for (size_t i = 0; i < WR_COUNT(errors); i++)
		if (errors[i].number == number)
			return errors[i].words;
	return "";
}

static void describe_call(struct wr_openai_turn *self)
{
	struct wr_buf *out = &self->failure;

	if (self->call_status == WR_TIMEOUT) {
		describe_silence(self);
	} else if (self->call_status == WR_UNAVAILABLE) {
		add(out, "the model server cannot be reached");
		if (self->os_error == 0 && self->tls_fault == NULL)
			add(out, ": there is no such host");
		add(out, words_of_error(self->os_error));
	} else if (self->call_status == WR_CLOSED) {
		add(out, self->form == WR_OPENAI_NOTHING
				 ? "the model server ended the connection without an answer"
				 : "the model server ended the connection within its answer");
	} else if (self->call_status == WR_TOO_LARGE) {
		add(out, "the model server's answer is too large");
	} else {
		add(out, "the model server's answer is not proper HTTP: ");
		add(out, wr_status_text(self->call_status));
	}
	if (self->tls_fault != NULL) {
		add(out, ": ");
		add(out, self->tls_fault);
	}
}

static void describe(struct wr_openai_turn *self, enum wr_openai_fault fault)
{
	struct wr_buf *out = &self->failure;

	wr_buf_reset(out);
	self->cause_bytes = SIZE_MAX;
	switch (fault) {
	case WR_OPENAI_FAULT_CALL:
		describe_call(self);
		break;
	case WR_OPENAI_FAULT_STATUS:
		describe_status(self);
		break;
	case WR_OPENAI_FAULT_TYPE:
		add(out, "the model server's answer is neither an event stream nor JSON; check the "
			 "profile's base_url");
		break;
	case WR_OPENAI_FAULT_ENCODING:
		add(out, "the model server's answer is compressed, which was not asked for");
		break;
	case WR_OPENAI_FAULT_TRUNCATED:
		add(out, "the model server's stream ended before its end: the answer is cut off");
		break;
	case WR_OPENAI_FAULT_MALFORMED:
		add(out, "the model server's answer cannot be understood");
		break;
	case WR_OPENAI_FAULT_LARGE:
		add(out, "the model server's answer is too large");
		break;
	case WR_OPENAI_FAULT_SAID:
		add(out, "the model server reports an error");
		add_message(self);
		break;
	case WR_OPENAI_FAULT_MEMORY:
		add(out, "no memory is left for the conversation");
		break;
	}
	if (self->cause_bytes > out->bytes)
		self->cause_bytes = out->bytes;
}

/* ---- another try ---- */

static bool is_passing_status(uint64_t status)
{
	return status == 408 || status == 429 || (status >= 500 && status <= 599);
}

/* Whether it may be otherwise the next time. */
static bool may_pass(const struct wr_openai_turn *self, enum wr_openai_fault fault)
{
	switch (fault) {
	case WR_OPENAI_FAULT_CALL:
		return self->call_status == WR_TIMEOUT || self->call_status == WR_UNAVAILABLE ||
		       self->call_status == WR_CLOSED;
	case WR_OPENAI_FAULT_STATUS:
		return is_passing_status(self->http_status);
	case WR_OPENAI_FAULT_TRUNCATED:
		return true;
	case WR_OPENAI_FAULT_SAID:
		return is_passing_status(self->chunk.error_status);
	case WR_OPENAI_FAULT_TYPE:
	case WR_OPENAI_FAULT_ENCODING:
	case WR_OPENAI_FAULT_MALFORMED:
	case WR_OPENAI_FAULT_LARGE:
	case WR_OPENAI_FAULT_MEMORY:
		return false;
	}
	wr_unreachable();
}

/* A random part of `ms`: those that failed together must not come back together. */
static uint64_t jitter(uint64_t ms)
{
	uint32_t number = 0;

	if (wr_entropy_fill(&number, sizeof number) != WR_OK)
		return ms / 2;
	return ms * (number >> 8) >> 24;
}

/* Doubling, give or take a quarter; or what the server asks for, and up to a quarter more. */
static uint64_t choose_wait(const struct wr_openai_turn *self)
{
	const struct wr_openai_profile *profile = self->worker->profile;
	uint64_t wait_ms = profile->retry_ms_min;

	if (self->has_retry_after && self->retry_after_ms != 0) {
		wait_ms = self->retry_after_ms < profile->retry_after_ms_max
				  ? self->retry_after_ms
				  : profile->retry_after_ms_max;
		return wait_ms + jitter(wait_ms / 4);
	}
	for (uint32_t i = 1; i < self->failed_count && wait_ms < profile->retry_ms_max; i++)
		wait_ms *= 2;
	wait_ms = wait_ms - wait_ms / 4 + jitter(wait_ms / 2);
	return wait_ms < profile->retry_ms_max ? wait_ms : profile->retry_ms_max;
}

/* What it said in the head, or in an error within a stream; 0: nothing that is worth telling. */
static uint64_t status_of(const struct wr_openai_turn *self, enum wr_openai_fault fault)
{
	if (fault == WR_OPENAI_FAULT_SAID)
		return self->chunk.error_status;
	return fault == WR_OPENAI_FAULT_STATUS ? self->http_status : 0;
}

static void say_retry(struct wr_openai_turn *self, uint64_t wait_ms, uint64_t status)
{
	const struct wr_openai_worker *worker = self->worker;
	struct wr_json_writer json;
	size_t begin = wr_openai_note_begin(self, &json);

	wr_json_member_u64(&json, WR_VIEW("llm_call"), self->number);
	wr_json_member_u64(&json, WR_VIEW("failed_attempt"), self->failed_count);
	wr_json_member_u64(&json, WR_VIEW("max_attempts"), worker->profile->retry_count_max + 1);
	wr_json_member_u64(&json, WR_VIEW("wait_ms"), wait_ms);
	wr_json_member_u64(&json, WR_VIEW("elapsed_ms"),
			   worker->set->reactor->now_ms - self->began_ms);
	if (status != 0)
		wr_json_member_u64(&json, WR_VIEW("status"), status);
	wr_json_member_string(&json, WR_VIEW("error"), wr_buf_view(&self->failure));
	wr_openai_note_end(self, &json, begin, WR_VIEW("llm_retry"));
}

/* False: there is none. */
static bool try_again(struct wr_openai_turn *self, enum wr_openai_fault fault)
{
	const struct wr_openai_worker *worker = self->worker;
	uint64_t wait_ms;

	if (self->has_said || !may_pass(self, fault) ||
	    self->failed_count >= worker->profile->retry_count_max)
		return false;
	self->failed_count++;
	wait_ms = choose_wait(self);
	if (wr_timer_set(worker->set->reactor, &self->timer, wait_ms) != WR_OK)
		return false;
	wr_openai_turn_close(self, WR_CLOSED);
	self->state = WR_OPENAI_WAITING;
	say_retry(self, wait_ms, status_of(self, fault));
	return true;
}

bool wr_openai_fail(struct wr_openai_turn *self, enum wr_openai_fault fault)
{
	bool is_ours = fault == WR_OPENAI_FAULT_MEMORY ||
		       (fault == WR_OPENAI_FAULT_CALL && self->call_status == WR_NO_MEMORY);

	describe(self, is_ours ? WR_OPENAI_FAULT_MEMORY : fault);
	WR_LOG(WR_LOG_INFO, "model_call_failed",
	       WR_LOG_NUMBER("worker", self->worker->member.reports.worker),
	       WR_LOG_NUMBER("status", status_of(self, fault)),
	       WR_LOG_NUMBER("attempt", self->failed_count + 1),
	       WR_LOG_TEXT("why", wr_view_of(self->failure.data, self->cause_bytes)));
	self->has_chunk = false;
	if (!try_again(self, fault)) {
		self->failure_code = is_ours ? WR_ERROR_INTERNAL : WR_ERROR_PROVIDER;
		wr_openai_turn_end(self, WR_OPENAI_FAILED, WR_RUN_FINISHED);
	}
	return true;
}
