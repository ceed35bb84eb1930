/*
 * openai_private — what the files of openai share: a Worker, and its turn.
 *
 *	none -deliver-> CALLING -failed before a delta-> WAITING -it is time-> CALLING
 *			   \------ the end of any kind -----> ENDING -all is recorded-> none
 *
 * What a turn has to say goes through one door, wr_openai_go_on, which records what it can: first
 * the outbox (a few outputs, whose texts lie in the turn), then what the answer has next, then the
 * end. When a record is refused for now the call is paused and everything stays where it is; the
 * same door is tried again later.
 */
#ifndef WR_EXECUTION_OPENAI_PRIVATE_H
#define WR_EXECUTION_OPENAI_PRIVATE_H

#include "bounds.h"
#include "codec/sse/sse.h"
#include "conn/http_client.h"
#include "execution/openai.h"
#include "wire/chat_json.h"

/* ---- an origin: one HTTP client for all profiles that agree about it (openai_origin.c) ---- */

/* As long as a host name can be (RFC 1035 2.3.4). */
enum { WR_OPENAI_HOST_BYTES_MAX = 253 };

struct wr_openai_origin {
	struct wr_openai_origin *next;
	struct wr_openai *set;
	const struct wr_openai_profile *profile; /* the first that had it */
	struct wr_http_client *client;
	char host_name[WR_OPENAI_HOST_BYTES_MAX + 1]; /* of its certificate */
};

/* Finds or makes it, and sets profile->origin. WR_OK, WR_NO_MEMORY, WR_INVALID. */
enum wr_status wr_openai_origin_use(struct wr_openai *set, struct wr_openai_profile *profile);
void wr_openai_origins_free(struct wr_openai *set);
/* The path of its endpoint, appended. */
void wr_openai_append_target(struct wr_buf *out, const struct wr_openai_profile *profile);

/* ---- a turn ---- */

enum wr_openai_state { WR_OPENAI_CALLING, WR_OPENAI_WAITING, WR_OPENAI_ENDING };

/* What is coming as the answer of the present try. */
enum wr_openai_form {
	WR_OPENAI_NOTHING, /* no head yet */
	WR_OPENAI_STREAM,
	WR_OPENAI_WHOLE,  /* JSON that is not a stream */
	WR_OPENAI_REFUSAL /* another status than 200, or a type that is none of ours */
};

enum wr_openai_end {
	WR_OPENAI_FINISHED, /* `result` */
	WR_OPENAI_FAILED,   /* `failure` */
	WR_OPENAI_INTERRUPTED,
	WR_OPENAI_STOPPED,
	WR_OPENAI_DRAINED
};

/* What is still to be said at the end, in this order. */
enum wr_openai_rest {
	WR_OPENAI_REST_THINKING,
	WR_OPENAI_REST_CALLS,
	WR_OPENAI_REST_TEXT,
	WR_OPENAI_REST_USAGE,
	WR_OPENAI_REST_CALL_END,
	WR_OPENAI_REST_ERROR,
	WR_OPENAI_REST_NONE
};

struct wr_openai_call {
	bool has_index;
	uint64_t index;
	struct wr_buf id, name, arguments;
};

enum { WR_OPENAI_OUTBOX_COUNT = 4, WR_OPENAI_NOTES_BYTES = 4096, WR_OPENAI_FAILURE_BYTES = 640 };

struct wr_openai_turn {
	struct wr_openai_worker *worker;
	enum wr_openai_state state;
	uint64_t number; /* of the turn, and of its llm_call */
	uint64_t began_ms;
	struct wr_timer timer; /* WAITING; and the end of an answer whose stream has ended */
	struct wr_buf body;    /* of the request, as long as it may be sent again */
	struct wr_buf target;
	uint32_t failed_count; /* tries */

	/* the present try */
	struct wr_http_call call;
	enum wr_openai_form form;
	uint16_t http_status;
	bool has_retry_after, is_compressed, is_other_type;
	uint64_t retry_after_ms;
	uint64_t heard_ms; /* when it began, or the last word came, or could be recorded */
	bool is_mute;	   /* ended for having said nothing for too long since */
	bool has_done;	   /* the stream has said so itself */
	bool is_call_over; /* with this status: */
	enum wr_status call_status;
	int os_error;
	const char *tls_fault;	/* or NULL */
	struct wr_buf held;	/* what of the stream is not read yet */
	bool is_fed;		/* ... and is with the reader */
	struct wr_buf gathered; /* WHOLE, REFUSAL */
	struct wr_buf stream;	/* of the reader */
	struct wr_sse_reader reader;
	struct wr_buf valid, texts; /* of the chunk */
	struct wr_chat_chunk chunk;
	bool has_chunk;
	uint32_t part; /* of the chunk: what of it comes next */

	/* what was said */
	bool has_said;	  /* a delta */
	bool is_thinking; /* thinking_start was said, thinking_done was not */
	uint64_t said_bytes;
	struct wr_buf text, thinking;
	struct wr_openai_call *calls[WR_OPENAI_CALL_COUNT_MAX];
	uint32_t call_count;
	bool is_filtered; /* by the server's filter */
	bool has_usage;
	struct wr_chat_usage usage;

	/* what is still to be recorded */
	struct wr_output outbox[WR_OPENAI_OUTBOX_COUNT];
	uint32_t outbox_count, outbox_at;
	struct wr_buf notes; /* texts of ours in the outbox */
	char notes_room[WR_OPENAI_NOTES_BYTES];

	/* its end */
	enum wr_openai_end end;
	enum wr_run_result result;
	enum wr_openai_rest rest;
	uint32_t rest_call;
	enum wr_error_code failure_code;
	struct wr_buf failure;
	size_t cause_bytes; /* of it: words of ours */
	char failure_room[WR_OPENAI_FAILURE_BYTES];
};

struct wr_openai_worker {
	struct wr_openai *set;
	const struct wr_openai_profile *profile;
	struct wr_openai_turn *turn; /* NULL: none */
	bool is_reporting;	     /* the end of its turn: nothing begins meanwhile */
	bool has_told_cut; /* that the beginning of the conversation is not sent any more */
	/* An input that came while the end of the last turn was still being recorded. */
	bool has_pending;
	enum wr_input_kind pending_kind;
	uint64_t pending_sequence;
	struct wr_buf pending;
	struct wr_crew_member member;
};

/* ---- its life (openai_worker.c) ---- */

extern const struct wr_crew_ops wr_openai_worker_ops;

static inline struct wr_openai_worker *wr_openai_worker_of(struct wr_crew_member *member)
{
	return wr_container_of(member, struct wr_openai_worker, member);
}

/* ---- its turn (openai_turn.c) ---- */

/* NULL without memory. */
struct wr_openai_turn *wr_openai_turn_new(struct wr_openai_worker *worker);
/* Also closes its connection. */
void wr_openai_turn_free(struct wr_openai_turn *self);
/* Sends the request, which is in `body`. */
void wr_openai_turn_call(struct wr_openai_turn *self);
/* Closes the connection, and says what is left to say. */
void wr_openai_turn_end(struct wr_openai_turn *self, enum wr_openai_end end,
			enum wr_run_result result);
/* Records what there is, as far as it goes. True: the turn is over, and all of it is recorded. */
bool wr_openai_turn_go_on(struct wr_openai_turn *self);

/* How long it may be silent now. */
static inline uint64_t wr_openai_silence_ms_max(const struct wr_openai_turn *self)
{
	const struct wr_openai_profile *profile = self->worker->profile;

	return self->has_said ? profile->silence_ms_max : profile->first_token_ms_max;
}

/* Closes the connection; the call is over with this status, if it was not. */
void wr_openai_turn_close(struct wr_openai_turn *self, enum wr_status status);

/* Something to record, to be filled: its texts lie in the turn. There is room for it. */
struct wr_output *wr_openai_say(struct wr_openai_turn *self, enum wr_output_kind kind);
/* An event that core has no use for. Its data is written to `notes` between the two. */
size_t wr_openai_note_begin(struct wr_openai_turn *self, struct wr_json_writer *json);
void wr_openai_note_end(struct wr_openai_turn *self, struct wr_json_writer *json, size_t begin,
			struct wr_view name);
/* llm_call_start, llm_call_end. */
void wr_openai_say_call(struct wr_openai_turn *self, struct wr_view name);

/* The door of its Worker: goes on, and ends the turn when it is over. */
void wr_openai_go_on(struct wr_openai_worker *self);

/* ---- what is sent (openai_history.c) ---- */

/* Makes the body of a request: *left_out is how many of the first transcript items are not in it.
 * WR_OK, WR_NO_MEMORY, WR_TOO_LARGE. */
enum wr_status wr_openai_write_request(struct wr_buf *out, uint64_t *left_out,
				       const struct wr_openai_worker *worker,
				       const struct wr_input *input, uint64_t sequence);

/* ---- what comes (openai_answer.c) ---- */

/* The present try begins: nothing has come. */
void wr_openai_answer_begin(struct wr_openai_turn *self);
bool wr_openai_answer_head(struct wr_openai_turn *self, const struct wr_http_head *head);
/* Takes it or, while something cannot be recorded, keeps it. */
void wr_openai_answer_data(struct wr_openai_turn *self, struct wr_view data);
/* Says the next of what has come. True: something was said, or the turn has come to its end; false:
 * there is nothing now. */
bool wr_openai_answer_next(struct wr_openai_turn *self);

/* ---- its words (openai_words.c) ---- */

/* Says the next of the chunk. False: all of it was said. */
bool wr_openai_words_next(struct wr_openai_turn *self);
/* Says the next of what is left at the end. False: nothing is. */
bool wr_openai_words_rest(struct wr_openai_turn *self);

/* ---- what goes wrong (openai_failure.c) ---- */

enum wr_openai_fault {
	WR_OPENAI_FAULT_CALL,	   /* call_status says how it ended */
	WR_OPENAI_FAULT_STATUS,	   /* http_status, and what was gathered */
	WR_OPENAI_FAULT_TYPE,	   /* neither a stream nor JSON */
	WR_OPENAI_FAULT_ENCODING,  /* compressed */
	WR_OPENAI_FAULT_TRUNCATED, /* a stream without its end */
	WR_OPENAI_FAULT_MALFORMED, /* not what it should be */
	WR_OPENAI_FAULT_LARGE,	   /* over a limit of ours */
	WR_OPENAI_FAULT_SAID,	   /* the chunk has an error */
	WR_OPENAI_FAULT_MEMORY	   /* ours */
};

/* The present try has failed: another one after a pause, or the end. True, as where something was
 * said. */
bool wr_openai_fail(struct wr_openai_turn *self, enum wr_openai_fault fault);
/* Appends a foreign text for people: printable, bounded, without the key. */
void wr_openai_append_foreign(struct wr_buf *out, struct wr_view text, const char *key);

#endif
