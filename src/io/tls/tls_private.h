/*
 * tls_private — what the files of this folder share: one connection, the hub of its side, the
 * material both are made of. Only they include BearSSL.
 *
 *	tls_session.c   one connection: the engine, the socket and the user's watch
 *	tls_hub.c       all connections of one side: whose turn it is, their times and numbers
 *	tls_engine.c    what engines of both sides are told
 *	tls_server.c    the side that accepts
 *	tls_client.c    the side that connects
 *	tls_judge.c     which certificate of the peer is good enough
 *	tls_identity.c  files -> certificate chain and private key, and whether they belong together
 *	tls_anchors.c   a file -> trust anchors
 *	tls_file.c      files and PEM
 *	tls_key.c       DER of private keys (pure)
 *	tls_pin.c       pins: of a text, and of a public key (pure)
 *	tls_errors.c    the engine's numbers in words
 *
 * A connection is in one of these states:
 *
 *	SHAKING --handshake done--> OPEN --shutdown--> ENDING
 *	   |                         |                   |
 *	   |                         '------close--------'----> LINGERING (no user; records leave)
 *	   |                         |                   |          |
 *	   '-------- any end, failure, time over --------'----------'--> CLOSED
 *
 * The block is freed when it is CLOSED, its user has closed the stream, and nobody stands in it.
 */
#ifndef WR_IO_TLS_PRIVATE_H
#define WR_IO_TLS_PRIVATE_H

#include "bounds.h"
#include "bytes/buf.h"
#include "containers/list.h"
#include "io/tls/tls.h"
#include "io/tls/tls_key.h"
#include "io/tls/tls_stream.h"

#include <bearssl.h>

enum wr_tls_state {
	WR_TLS_SHAKING, /* the handshake lasts */
	WR_TLS_OPEN,
	WR_TLS_ENDING,	  /* close_notify is sent or about to be; input is dropped */
	WR_TLS_LINGERING, /* the user is gone, records are left */
	WR_TLS_CLOSED	  /* nothing goes in or out any more */
};

/* ---- tls_identity.c ---- */

struct wr_tls_identity {
	struct wr_buf bytes; /* certificates behind each other */
	br_x509_certificate chain[WR_TLS_CHAIN_COUNT_MAX];
	size_t chain_count;
	struct wr_buf key_bytes; /* wiped at the end; `key` points here */
	struct wr_tls_key key;
	br_rsa_private_key rsa;
	br_ec_private_key ec;
};

/* Reads and checks both files. False, with a message, and nothing is left. */
bool wr_tls_identity_load(struct wr_tls_identity *self, struct wr_allocator *allocator,
			  const char *certificate_file, const char *key_file,
			  struct wr_buf *message);
/* The same of texts that were read already; the file names are for messages. */
bool wr_tls_identity_read(struct wr_tls_identity *self, struct wr_allocator *allocator,
			  struct wr_view certificate_text, const char *certificate_file,
			  struct wr_view key_text, const char *key_file, struct wr_buf *message);
/* Harmless when zero. */
void wr_tls_identity_deinit(struct wr_tls_identity *self);

/* ---- tls_anchors.c ---- */

struct wr_tls_anchors {
	struct wr_allocator *allocator;
	br_x509_trust_anchor *list;
	size_t count, capacity;
	size_t skipped_count; /* of a kind that is not supported */
};

/* NULL: the system's, of which unsupported ones are skipped. False with a message. */
bool wr_tls_anchors_load(struct wr_tls_anchors *self, struct wr_allocator *allocator,
			 const char *file, struct wr_buf *message);
bool wr_tls_anchors_read(struct wr_tls_anchors *self, struct wr_allocator *allocator,
			 struct wr_view text, const char *file, bool skips_unsupported,
			 struct wr_buf *message);
void wr_tls_anchors_deinit(struct wr_tls_anchors *self);

/* ---- tls_file.c ---- */

enum {
	WR_TLS_FILE_PUBLIC,
	WR_TLS_FILE_SECRET /* owner ours, no bits for anybody else */
};

/* Appends a text to a message; false, so that it can be returned. */
bool wr_tls_say(struct wr_buf *message, const char *file, const char *text);
/* Reads a plain file of at most `bytes_max`. False with a message. */
bool wr_tls_file_read(struct wr_buf *out, const char *file, int secrecy, size_t bytes_max,
		      struct wr_buf *message);
/* Overwrites the content in a way that is not left out by the compiler, and frees it. */
void wr_tls_wipe(struct wr_buf *secret);

/* One object of a PEM text; `name` in upper case. False ends the walk. */
typedef bool wr_tls_pem_fn(void *context, const char *name, struct wr_view der);
/* WR_OK: walked to the end; WR_CLOSED: the function ended it; WR_SYNTAX; WR_NO_MEMORY. `scratch`
 * holds the object at hand and is left as it is. */
enum wr_status wr_tls_pem_walk(struct wr_view text, struct wr_buf *scratch,
			       wr_tls_pem_fn *on_object, void *context);

/* ---- tls_errors.c ---- */

/* Static text with the engine's name of it; NULL for 0. */
const char *wr_tls_error_text(unsigned error);

/* ---- tls_pin.c ---- */

/* The pin of a key, as its certificate would have it. False: a key of no kind we know. */
bool wr_tls_pin_of(struct wr_tls_pin *pin, const br_x509_pkey *key);

/* ---- tls_judge.c ---- */

/* What decides about the peer's certificate: an X.509 engine for the length of a handshake. */
struct wr_tls_judge {
	const br_x509_class *vtable;
	const struct wr_tls_pin *pins;
	size_t pin_count;
	bool is_first; /* by pin: within the first certificate */
	union {
		br_x509_minimal_context minimal;
		br_x509_decoder_context decoder;
	};
	char name[WR_TLS_NAME_BYTES_MAX + 1]; /* of the server, or empty */
};

/* IPv4 or IPv6, as text. */
bool wr_tls_is_address(const char *name);

/* Chains to one of the anchors, and when there are pins one of those keys. No certificate is for a
 * name that is an address. */
void wr_tls_judge_by_anchors(struct wr_tls_judge *self, const struct wr_tls_anchors *anchors,
			     const char *name, const struct wr_tls_pin *pins, size_t pin_count);
/* That key, and nothing else is looked at. */
void wr_tls_judge_by_pin(struct wr_tls_judge *self, const struct wr_tls_pin *pin);

/* ---- tls_engine.c ---- */

/* What both sides have in common: version, hashes, ciphers, curves, flags, ALPN. */
void wr_tls_engine_init(br_ssl_engine_context *engine, const char **protocols);
/* Of the key that the peer will see verified; 0: of both kinds. */
void wr_tls_engine_set_suites(br_ssl_engine_context *engine, unsigned key_type);
/* What it needs to verify the peer's signatures. */
void wr_tls_engine_set_verify(br_ssl_engine_context *engine, struct wr_tls_judge *judge);
/* Fresh entropy. False: the system has none. */
bool wr_tls_engine_seed(br_ssl_engine_context *engine);

/* ---- tls_hub.c ---- */

/* What all connections of one side share. */
struct wr_tls_hub {
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	size_t block_bytes; /* of a connection */
	uint32_t handshake_ms_max;
	struct wr_turn_hook call_hook;	   /* those who can go on without an event */
	struct wr_turn_hook shake_hook;	   /* handshakes, after all others */
	struct wr_timer timer;		   /* of the first that is due */
	struct wr_list shaking, lingering; /* each in the order of its deadlines */
	struct wr_list calls, shakes;	   /* who waits for the hooks */
	struct wr_tls_counts counts;
	const char *protocols[1];
	bool is_logged; /* what goes wrong; callers of a client are told instead */
	/* The handshake of this connection is over: what it was lent. */
	void (*release)(struct wr_tls_hub *self, struct wr_tls *session);
};

void wr_tls_hub_init(struct wr_tls_hub *self, struct wr_reactor *reactor,
		     struct wr_allocator *allocator, size_t block_bytes, uint32_t handshake_ms_max);
/* No stream may be left; what lingers is cut off. */
void wr_tls_hub_deinit(struct wr_tls_hub *self);
/* The connection is called, or shakes hands, by the hooks. */
void wr_tls_hub_call(struct wr_tls_hub *self, struct wr_tls *session);
void wr_tls_hub_shake(struct wr_tls_hub *self, struct wr_tls *session);
/* Puts it under a deadline. False: no memory for the timer. */
bool wr_tls_hub_await(struct wr_tls_hub *self, struct wr_list *list, struct wr_tls *session,
		      uint32_t ms_max);

/* ---- tls_session.c ---- */

struct wr_tls {
	struct wr_watch watch; /* of the socket, while not CLOSED */
	struct wr_watch *user; /* NULL: nobody watches */
	struct wr_tls_hub *hub;
	br_ssl_engine_context *engine;
	unsigned char *in;	    /* the engine's */
	struct wr_tls_judge *judge; /* while the handshake lasts, where there is one */
	void *lent;		    /* the server's: the credentials of the handshake */
	struct wr_list place;	    /* shaking or lingering */
	struct wr_list work;	    /* calls or shakes */
	uint64_t due_ms;
	const char *fault;
	int os_error;
	uint8_t state; /* enum wr_tls_state */
	uint8_t depth; /* who stands in it */
	bool is_deaf;  /* the peer takes no more: input is read to its end */
	bool is_shut;  /* the socket's output side is */
	bool is_heard; /* the peer has said something */
	bool is_left;  /* by its user */
	bool is_reset; /* to be closed so */
};

/* Begins the handshake on the stream; the engine is reset. WR_OK, WR_NO_MEMORY, WR_IO: as it was.
 */
enum wr_status wr_tls_begin(struct wr_tls *self, struct wr_tls_hub *hub,
			    br_ssl_engine_context *engine, unsigned char *in,
			    struct wr_stream *stream);
/* For the hub: a step of the handshake; a call without an event; an end of its time. */
void wr_tls_step(struct wr_tls *self);
void wr_tls_call(struct wr_tls *self);
void wr_tls_expire(struct wr_tls *self, const char *fault);
/* For the hub's end: nobody is left. */
void wr_tls_cut(struct wr_tls *self);

#endif
