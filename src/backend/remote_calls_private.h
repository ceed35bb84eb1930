/* remote_calls_private — what the files of remote_calls share. */
#ifndef WR_BACKEND_REMOTE_CALLS_PRIVATE_H
#define WR_BACKEND_REMOTE_CALLS_PRIVATE_H

#include "backend/remote_calls.h"

/* A call under way. */
struct wr_remote_call {
	struct wr_http_call http;
	struct wr_list place;
	struct wr_remote_calls *calls;
	struct wr_source_call *source; /* NULL: it was cancelled from within one of its functions */
	bool is_telling;	       /* a function of its runs */
};

/* ---- remote_calls_request.c ---- */

enum {
	WR_REMOTE_TARGET_BYTES_MAX = 512, /* an id of 120 bytes, each as %XX */
	WR_REMOTE_FIELDS_BYTES_MAX = 512, /* a key of 128 bytes */
	WR_REMOTE_KEY_BYTES_MAX = 128
};

/* A request in the making; views of the HTTP call point into it. */
struct wr_remote_request {
	struct wr_buf target, fields, body;
	char target_bytes[WR_REMOTE_TARGET_BYTES_MAX];
	char fields_bytes[WR_REMOTE_FIELDS_BYTES_MAX];
};

/* Fills what a caller of http_client sets, but for on_done. WR_OK; WR_INVALID (the key of the
 * browser is none); WR_TOO_LARGE (the body); WR_NO_MEMORY. To be deinitialised in any case. */
enum wr_status wr_remote_request_init(struct wr_remote_request *self, struct wr_http_call *http,
				      const struct wr_remote_calls *calls,
				      const struct wr_source_call *call);
void wr_remote_request_deinit(struct wr_remote_request *self);

/* Items asked for; at most what the Runtime is known to allow. */
uint64_t wr_remote_page_limit(const struct wr_remote_calls *calls,
			      const struct wr_source_call *call);

/* ---- remote_calls_answer.c ---- */

/* Reads the body of a 2xx answer, tells what is in it and fills `result`. WR_OK, also when the call
 * was cancelled meanwhile; WR_NO_MEMORY; all else: malformed. */
enum wr_status wr_remote_answer_read(struct wr_remote_call *self, struct wr_source_result *result,
				     struct wr_view body);

#endif
