/*
 * openai — Workers that are conversations with a model: the execution port over streaming chat
 * completions of an OpenAI-compatible server (llama.cpp, Ollama, vLLM, a cloud).
 *
 * Each input is a turn: the Worker's transcript, as far as its budget goes, is sent as messages to
 * `POST {base_url}/chat/completions` with `"stream":true`, and what comes back is told as it comes:
 * turn_start, llm_call_start, text_delta..., thinking_*..., tool calls, text_done, usage,
 * llm_call_end, turn_end, run_end. A try that failed before the first delta is made again with a
 * growing pause (llm_retry); a later failure ends the turn as an error, with what was said so far.
 * Cancel and interrupt close the connection at once. README.md beside this file has all of it.
 *
 * The server is not trusted: the limits of the HTTP client and of every other text apply, redirects
 * are not followed, and none of its words but the model's reaches anybody but in an `error` or
 *`llm_retry` event. While the Runtime has no room for what it says it is not read.
 *
 *	init -> attach -> (operations of the Runtime)* -> drain -> deinit
 */
#ifndef WR_EXECUTION_OPENAI_H
#define WR_EXECUTION_OPENAI_H

#include "execution/crew.h"
#include "io/reactor/reactor.h"

struct wr_resolver;
struct wr_tls_client;
struct wr_openai_origin;

/* Set with wr_openai_profile_init, then change what differs. Borrowed, as is all it points to,
 * until deinit. Texts are NULL when not given. */
struct wr_openai_profile {
	const char *base_url;	     /* "http://127.0.0.1:8080/v1"; wr_url_parse takes it */
	const char *model;	     /* NULL: the member is left out */
	const char *api_key;	     /* the secret itself, without "Bearer" */
	const char *system_prompt;   /* the first message, of role system */
	const char *temperature;     /* a JSON number, sent as it stands */
	uint64_t output_tokens_max;  /* max_tokens; 0: not sent */
	uint64_t history_bytes_max;  /* of content sent; the oldest is left out first, and said */
	uint64_t answer_bytes_max;   /* of all text of one answer: at most WR_EVENT_BYTES_MAX */
	uint64_t first_token_ms_max; /* of silence before the first delta */
	uint64_t silence_ms_max;     /* of silence after it */
	uint64_t mute_ms_max;	     /* of sending without a word, beyond either */
	uint64_t retry_count_max;
	uint64_t retry_ms_min, retry_ms_max; /* between tries: doubling from one to the other */
	uint64_t retry_after_ms_max;	     /* the longest that a Retry-After is followed */
	struct wr_tls_client *tls;	     /* for https; NULL: none */
	const char *tls_name;		     /* NULL: the host of base_url */
	struct wr_resolver *resolver;	     /* for host names; NULL: numbers and localhost only */
	struct wr_openai_origin *origin;     /* private, as is what follows */
	struct wr_crew_port port;
};

void wr_openai_profile_init(struct wr_openai_profile *self);

/* Whether it could be used: URL, lengths, a temperature that is a number, TLS where it is needed.
 * NULL, or what is wrong, in static words that begin with the name of the member. */
const char *wr_openai_profile_fault(const struct wr_openai_profile *self);

/* Placed by the caller; must not move. Fields are private. */
struct wr_openai {
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	struct wr_openai_origin *origins;
	uint32_t turn_count; /* under way */
	struct wr_crew crew;
};

void wr_openai_init(struct wr_openai *self, struct wr_reactor *reactor,
		    struct wr_allocator *allocator);
/* The Runtime whose Workers they are; before its first input. */
static inline void wr_openai_attach(struct wr_openai *self, struct wr_runtime *runtime)
{
	wr_crew_attach(&self->crew, runtime);
}
/* What runs a Worker of this profile. WR_OK, WR_NO_MEMORY, WR_INVALID (see profile_fault). */
enum wr_status wr_openai_execution(struct wr_openai *self, struct wr_openai_profile *profile,
				   struct wr_execution *out);
/* Turns under way, and reports that are not recorded yet. */
static inline uint32_t wr_openai_live_count(const struct wr_openai *self)
{
	return wr_crew_live_count(&self->crew);
}
/* The Runtime goes away: as wr_processes_drain. Open turns end at once, as `interrupted`. */
static inline uint32_t wr_openai_drain(struct wr_openai *self, wr_drained_fn *on_drained,
				       void *context)
{
	return wr_crew_drain(&self->crew, on_drained, context);
}
/* Closes everything without a word. The Runtime is not called. */
void wr_openai_deinit(struct wr_openai *self);

#endif
