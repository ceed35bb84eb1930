/*
 * client — HTTP and WebSocket clients for tests: blocking, every wait with a deadline, strict.
 *
 * They check what they receive with the project's codecs in the client role, so an answer that is
 * not well-formed fails the test. A wait that is over fails it, too, except where a function says
 * that it tells. All memory comes from the test allocator: close what was opened.
 *
 *	struct wr_client client;
 *	struct wr_answer answer;
 *	char id[WR_CLIENT_ID_BYTES];
 *
 *	wr_client_open(&client, &server, "secret");
 *	wr_client_create_worker(&client, id);
 *	wr_client_get(&client, &answer, "/v1/workers/%s", id);
 *	CHECK_U64(answer.status, 200);
 *	CHECK_STRING(wr_json_find(answer.body, "worker.status"), "running");
 *	wr_client_close(&client);
 */
#ifndef WR_TESTS_HARNESS_CLIENT_H
#define WR_TESTS_HARNESS_CLIENT_H

#include "bytes/buf.h"
#include "codec/http/head.h"
#include "codec/ws/message.h"
#include "harness/process.h"

#if defined(__GNUC__)
#define WR_CLIENT_FORMAT(text, values) __attribute__((format(printf, text, values)))
#else
#define WR_CLIENT_FORMAT(text, values)
#endif

enum { WR_CLIENT_ID_BYTES = 128, WR_CLIENT_TARGET_BYTES = 20000 };

#define WR_CLIENT_WAIT_MS ((unsigned)wr_test_patience(5000)) /* default of `wait_ms` */

/* ---- sockets ---- */

/* A connected, blocking socket to what "127.0.0.1:1234", "[::1]:1" or "unix:/path" names; -1 when
 * refused. `receive_bytes`: SO_RCVBUF, set before connecting; 0: the system's. */
int wr_connect(const char *address, int receive_bytes);

/* Sends all of it; false when the peer is gone or takes nothing for `ms`. */
bool wr_send_all(int fd, struct wr_view bytes, unsigned ms);

/* Waits for bytes: > 0 got, 0: the peer ended (an orderly end or a reset), -1: nothing in `ms`. */
int wr_receive_some(int fd, void *to, size_t room, unsigned ms);

/* Whether the peer ends the connection within `ms`; what comes until then is dropped. */
bool wr_wait_end(int fd, unsigned ms);

/* Closes with a RST. */
void wr_close_reset(int fd);

/* ---- HTTP ---- */

/* One connection. `token`, `wait_ms` may be set, `fd` read, at any time. */
struct wr_client {
	int fd;
	unsigned wait_ms;
	const char *token; /* sent as `Authorization: Bearer` when not NULL */
	const char *host;  /* of the Host field */
	struct wr_buf in;  /* received */
	size_t used;	   /* of it: the answer given last */
	struct wr_buf body;
};

/* Views are valid until the next call for this client. */
struct wr_answer {
	unsigned status;
	struct wr_http_head head;
	struct wr_view body;
};

/* Connects, or fails the test. `token` is borrowed; NULL: none. */
void wr_client_open(struct wr_client *self, const struct wr_process *server, const char *token);
void wr_client_close(struct wr_client *self);

/* Bytes as they are. */
void wr_client_send(struct wr_client *self, const char *bytes);
void wr_client_send_view(struct wr_client *self, struct wr_view bytes);

/* One request: with Host, Authorization when there is a token, and `fields` (finished lines with
 * CRLF, or NULL). With a body (not NULL) also its Content-Length, and a JSON Content-Type unless
 * `fields` has one. wr_client_ask sends it and receives the answer. */
void wr_client_send_request(struct wr_client *self, const char *method, const char *target,
			    const char *fields, const char *body);
void wr_client_ask(struct wr_client *self, struct wr_answer *answer, const char *method,
		   const char *target, const char *fields, const char *body);

/* The next answer. `to_head`: of a HEAD request. 100 (Continue) is given like any other. */
void wr_client_receive(struct wr_client *self, struct wr_answer *answer);
void wr_client_receive_for(struct wr_client *self, struct wr_answer *answer, bool to_head);

/* GET and POST with a printf-like target, on this connection (never on a new one). */
void wr_client_get(struct wr_client *self, struct wr_answer *answer, const char *target, ...)
	WR_CLIENT_FORMAT(3, 4);
void wr_client_post(struct wr_client *self, struct wr_answer *answer, const char *body,
		    const char *target, ...) WR_CLIENT_FORMAT(4, 5);

/* Whether the server ends the connection in time, sending nothing more. */
bool wr_client_is_ended(struct wr_client *self);

/* Creates a Worker by the smallest request and copies its id; gives input; both must succeed. */
void wr_client_create_worker(struct wr_client *self, char id[WR_CLIENT_ID_BYTES]);
void wr_client_input(struct wr_client *self, const char *id, const char *content);

/* The value of a field of the answer's head; absent when there is none. */
struct wr_view wr_answer_field(const struct wr_answer *answer, const char *name);

/* ---- JSON ---- */

/* The value at a path such as "worker.worker_ref.worker_id" or "workers.0.status"; strings without
 * their quotes, undecoded, other values in their JSON spelling. Absent when there is none. Fails
 * the test when `json` is not valid JSON. */
struct wr_view wr_json_find(struct wr_view json, const char *path);
/* The same as a number; fails the test when it is none. */
uint64_t wr_json_find_u64(struct wr_view json, const char *path);
/* Copies it as a C string. */
void wr_json_copy(char *out, size_t room, struct wr_view json, const char *path);

/* ---- WebSocket ---- */

struct wr_test_ws {
	int fd;
	unsigned wait_ms;
	bool is_mute;	 /* pings are told, but not answered */
	unsigned status; /* of the handshake's answer */
	struct wr_buf in;
	size_t used;
	struct wr_ws_receiver receiver;
	struct wr_buf message; /* the one being received, or the body of a refusal */
	uint64_t ping_count;
};

enum wr_ws_news_kind {
	WR_WS_NEWS_MESSAGE,
	WR_WS_NEWS_PING, /* only told when is_mute */
	WR_WS_NEWS_PONG,
	WR_WS_NEWS_CLOSE, /* the server's Close frame; answering it is the test's business */
	WR_WS_NEWS_END,	  /* the connection ended */
	WR_WS_NEWS_NONE	  /* nothing in time */
};

struct wr_ws_news {
	enum wr_ws_news_kind kind;
	bool is_text;
	unsigned close_code;
	struct wr_view data; /* valid until the next call for this client */
};

/* Asks for the upgrade of `target`; gives the status, 101 when the stream is open. Any other answer
 * has its body in `message`. */
unsigned wr_test_ws_open(struct wr_test_ws *self, const struct wr_process *server,
			 const char *token, const char *target);
/* The same with further fields, and a small receive buffer (0: the system's) for slow readers. */
unsigned wr_test_ws_open_with(struct wr_test_ws *self, const struct wr_process *server,
			      const char *token, const char *target, const char *fields,
			      int receive_bytes);
/* Ends the connection without more ado. */
void wr_test_ws_close(struct wr_test_ws *self);

/* The next thing that happens, within `ms`. A violation of RFC 6455 by the server fails the test.
 */
void wr_test_ws_next(struct wr_test_ws *self, struct wr_ws_news *news, unsigned ms);

/* The next text message, or the test fails. */
struct wr_view wr_test_ws_message(struct wr_test_ws *self);
/* Close with this code comes next; it is answered, and then the connection ends; or the test fails.
 */
void wr_test_ws_expect_close(struct wr_test_ws *self, unsigned code);
/* Nothing comes for `ms`; for streams that must be quiet. */
void wr_test_ws_expect_silence(struct wr_test_ws *self, unsigned ms);

/* Sends one masked frame. False when the peer is gone. */
bool wr_test_ws_send(struct wr_test_ws *self, enum wr_ws_opcode opcode, bool is_final,
		     struct wr_view payload);
/* The Close frame; code 0: without one. */
bool wr_test_ws_send_close(struct wr_test_ws *self, unsigned code);
/* Bytes as they are. */
bool wr_test_ws_send_raw(struct wr_test_ws *self, struct wr_view bytes);

#endif
