/*
 * chat_json — chat completions as an OpenAI-compatible server speaks them: the request that is
 * sent, and what comes back, in pieces or whole.
 *
 * The server is not trusted, and there are many of them. What is read is JSON to the letter;
 * members that are not known here are skipped in constant memory; a known one that comes twice, or
 * is of another type where that would change what was said, is WR_INVALID. Numbers of usage that
 * are none are left out. Of the choices the first one counts.
 */
#ifndef WR_WIRE_CHAT_JSON_H
#define WR_WIRE_CHAT_JSON_H

#include "bytes/buf.h"
#include "codec/json/writer.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- the request ---- */

enum wr_chat_role { WR_CHAT_SYSTEM, WR_CHAT_USER, WR_CHAT_ASSISTANT };

/* Placed by the caller; fields are private. */
struct wr_chat_request {
	struct wr_json_writer json;
	bool has_message; /* one is open */
	enum wr_chat_role role;
};

/* What is left out is not sent. */
struct wr_chat_options {
	struct wr_view model;	    /* absent: left out */
	uint64_t output_tokens_max; /* 0: left out */
	struct wr_view temperature; /* a JSON number; absent: left out */
};

/* begin -> message* -> end; status of the buffer. Messages of one role in a row become one, with an
 * empty line between them: there are templates that refuse two of a kind. The texts are UTF-8. */
void wr_chat_request_begin(struct wr_chat_request *self, struct wr_buf *out,
			   const struct wr_chat_options *options);
void wr_chat_request_message(struct wr_chat_request *self, enum wr_chat_role role,
			     struct wr_view text);
void wr_chat_request_end(struct wr_chat_request *self);

/* Whether it is a JSON number, so that it can be sent as it stands. */
bool wr_chat_is_number(struct wr_view text);

/* ---- the answer ---- */

enum { WR_CHAT_CALLS_MAX = 16 };

/* A tool call, or a piece of one. Texts are absent where nothing was said. */
struct wr_chat_call {
	bool has_index;
	uint64_t index;
	struct wr_view id, name;
	struct wr_view arguments; /* JSON text, or a piece of it */
};

struct wr_chat_usage {
	bool has_input, has_output, has_cached;
	uint64_t input, output, cached; /* tokens */
};

/* A piece of an answer, or all of one. Views point into the document or the scratch buffer. */
struct wr_chat_chunk {
	bool has_choice;
	struct wr_view content;	      /* also of a refusal; absent: none */
	struct wr_view reasoning;     /* absent: none */
	struct wr_view finish_reason; /* absent: not finished */
	uint32_t call_count;
	struct wr_chat_call calls[WR_CHAT_CALLS_MAX];
	bool has_usage;
	struct wr_chat_usage usage;
	bool has_error;
	struct wr_view error_message; /* absent: none was given */
	uint64_t error_status;	      /* an HTTP status that it names; 0: none */
};

enum wr_chat_form {
	WR_CHAT_PIECE, /* data of an event: choices[0].delta */
	WR_CHAT_WHOLE  /* an answer that is not a stream: choices[0].message */
};

/* Reads one document; also the body of an answer that is an error. `texts` is reset first. WR_OK;
 * WR_SYNTAX, WR_ENCODING, WR_TOO_LARGE (nesting, a number); WR_INVALID (also over WR_CHAT_CALLS_MAX
 * calls in one piece), with a static detail; WR_NO_MEMORY. */
enum wr_status wr_chat_read(struct wr_chat_chunk *out, struct wr_buf *texts, struct wr_view json,
			    enum wr_chat_form form, struct wr_error *error);

#endif
