/* request — what a route's function is given, and what all of them do with it: find the Worker of
 * the path, refuse, hold the answer. */
#ifndef WR_RUNTIME_SERVER_REQUEST_H
#define WR_RUNTIME_SERVER_REQUEST_H

#include "bytes/utf8.h"
#include "conn/http_server.h"
#include "runtime_server/server.h"
#include "wire/error_json.h"

/* Views live for the call. */
struct wr_request {
	struct wr_server *server;
	struct wr_http_exchange *exchange;
	struct wr_view worker_id; /* of the path, decoded; valid UTF-8 */
	struct wr_view body;
	const struct wr_key *key; /* of a command that may be repeated; NULL: it may not */
};

/* Answers with an error; `message` absent: its default one. */
void wr_refuse(struct wr_request *request, enum wr_wire_error error, struct wr_view message);

/* Answers with the error of a core status; what core had to say is the message. */
void wr_refuse_status(struct wr_request *request, enum wr_status status,
		      const struct wr_error *error);
/* What became of reading the query: it is wrong, or there is no memory for what it says. */
void wr_refuse_query(struct wr_request *request, enum wr_status status);

/* Answers that the body cannot be read. */
void wr_refuse_json(struct wr_request *request, enum wr_status status,
		    const struct wr_error *error);
/* What is answered next waits until all that it depends on is visible: of the Worker of the path,
 * or of the Runtime. Whatever came of a command, it was decided by what may still be lost
 * (design 2). */
void wr_hold(struct wr_request *request);

/* False, and answered: the path's id is blank. Every command to a Worker asks. */
static inline bool wr_request_has_worker_id(struct wr_request *request)
{
	if (!wr_utf8_is_blank(request->worker_id))
		return true;
	wr_refuse(request, WR_WIRE_INVALID_WORKER_ID, WR_VIEW_NULL);
	return false;
}

/* The Worker of the path; NULL, and answered: there is none. */
const struct wr_worker *wr_request_worker(struct wr_request *request);
/* The same; and NULL, and answered, when records of it are damaged: what is left of its story would
 * pass for all of it (reliability 4.4). */
const struct wr_worker *wr_request_whole_worker(struct wr_request *request);

#endif
