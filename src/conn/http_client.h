/*
 * http_client — HTTP/1.1 requests to one remote origin over kept-alive connections, driven by the
 * reactor; never blocks it.
 *
 * A call is one request and its answer; the caller places it. It leaves on an idle connection, on a
 * new one while there are fewer than connection_count_max, or waits in a bounded queue. One request
 * is under way on a connection at a time. The answer's body is gathered, up to the call's limit, or
 * handed on piece by piece to a call that wants it so. Every call has one deadline from begin to
 * end, and ends exactly once, by on_done or by wr_http_call_cancel.
 *
 * The remote is not trusted: the same parser and limits as for clients of ours, redirects are not
 * followed (they are answers like any other), no proxy is asked, nothing it says names another
 * host. An answer that is cut, malformed or too large is that, never a short success.
 *
 * A kept connection may end while a request is on its way. When not one byte of an answer had come
 * and the call says that it may be repeated (RFC 9110 9.2.2), it is sent once more on a new
 * connection.
 */
#ifndef WR_CONN_HTTP_CLIENT_H
#define WR_CONN_HTTP_CLIENT_H

#include "bytes/buf.h"
#include "codec/http/body.h"
#include "codec/http/head.h"
#include "containers/list.h"
#include "io/net/address.h"
#include "io/net/resolver.h"
#include "io/net/stream.h"
#include "io/reactor/reactor.h"

struct wr_http_client;
struct wr_http_call;
struct wr_tls_client;

/* How a call ended, when no whole answer came: WR_TIMEOUT; WR_UNAVAILABLE (cannot connect:
 * os_error; 0: there is no such host, or TLS failed, with a fault); WR_CLOSED (the connection ended
 * first, or in the middle); WR_SYNTAX, WR_UNSUPPORTED (the answer is malformed); WR_TOO_LARGE (over
 * body_bytes_max, or a head over its limits); WR_NO_MEMORY. */
struct wr_http_outcome {
	enum wr_status status; /* WR_OK: a whole answer */
	int os_error;
	const char *fault; /* static text, when TLS has more to say of a failure; or NULL */
	const struct wr_http_head *head; /* WR_OK only; lent for the call of on_done */
	struct wr_view body;		 /* gathered; likewise */
};

typedef void wr_http_done_fn(struct wr_http_call *call, const struct wr_http_outcome *outcome);

struct wr_http_call {
	/* Set by the caller; texts are copied by begin. */
	struct wr_view method, target; /* target: origin form */
	struct wr_view fields; /* finished lines besides Host and Content-Length, or absent */
	struct wr_view body;   /* absent: none, and no Content-Length but for POST and PUT */
	bool is_repeatable;
	/* For all of it; with on_data: until the head, then of silence, and what it is when a piece
	 * has come counts for the next. */
	uint32_t ms_max;
	size_t body_bytes_max;	  /* of a gathered body */
	wr_http_done_fn *on_done; /* the call may be begun again from within */
	/* When not NULL the body is not gathered. on_head may refuse to go on (false: on_done comes
	 * with WR_OK and no body). */
	bool (*on_head)(struct wr_http_call *call, const struct wr_http_head *head);
	void (*on_data)(struct wr_http_call *call, struct wr_view data);

	/* Private. */
	struct wr_list place;
	struct wr_http_client *client; /* NULL: not under way */
	struct wr_client_conn *conn;
	struct wr_buf request;
	struct wr_timer deadline;
	bool was_repeated, is_to_head, is_paused;
};

struct wr_http_client_config {
	struct wr_address address;    /* without a resolver */
	struct wr_resolver *resolver; /* not NULL: host_name is looked up for each connection */
	struct wr_view host_name;     /* copied */
	uint16_t port;		      /* of host_name */
	struct wr_view host;	      /* of the Host field; copied */
	struct wr_view target_prefix; /* before every target ("/base"), or absent; copied */
	struct wr_view authorization; /* value of that field, or absent; copied, wiped at the end */
	/* NULL: plain; both are borrowed for life (io/tls/tls.h, built with TLS=bearssl). */
	struct wr_tls_client *tls;
	const char *tls_name; /* whom the remote's certificate must name; NULL only with a pin */
	uint32_t connection_count_max; /* at once */
	uint32_t queue_count_max;
	uint32_t idle_ms_max; /* below what the remote keeps an idle connection */
};

void wr_http_client_defaults(struct wr_http_client_config *config);

/* WR_OK, WR_NO_MEMORY, WR_INVALID (texts that do not belong in a head). */
enum wr_status wr_http_client_new(struct wr_http_client **out, struct wr_reactor *reactor,
				  struct wr_allocator *allocator,
				  const struct wr_http_client_config *config);
/* Ends all calls without on_done and closes everything. Not from within a call's functions. */
void wr_http_client_free(struct wr_http_client *self);

/* Begins a call. on_done is never called from within. WR_OK; WR_OVERLOAD (queue full);
 * WR_NO_MEMORY: nothing was begun. */
enum wr_status wr_http_call_begin(struct wr_http_call *call, struct wr_http_client *client);
/* Ends it without on_done; its connection is closed. Harmless when it is not under way. */
void wr_http_call_cancel(struct wr_http_call *call);
/* For a call with on_data: no more is read, so that the remote has to wait, and no silence is
 * counted. What was read already (at most 16 KiB) still comes, and so may the end. Harmless when it
 * is not under way. */
void wr_http_call_pause(struct wr_http_call *call);
void wr_http_call_resume(struct wr_http_call *call);
static inline bool wr_http_call_is_under_way(const struct wr_http_call *call)
{
	return call->client != NULL;
}

uint32_t wr_http_client_connection_count(const struct wr_http_client *self);

#endif
