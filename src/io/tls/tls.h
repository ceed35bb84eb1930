/*
 * tls — TLS 1.2 as a filter of a stream, by BearSSL (`make TLS=bearssl`; without it there is none
 * of this).
 *
 * A TLS stream is used like any other (stream.h): receive and send speak plaintext, watch and want
 * speak of plaintext, and neither blocks. Handshake, records, alerts and the socket's own readiness
 * are dealt with below. A handshake that fails is a stream that is closed: receive says WR_CLOSED,
 * wr_stream_fault says why. The end of the peer without close_notify is WR_CLOSED with a fault, so
 * that a body that is cut is never taken for a short one (reliability 11).
 *
 * Only TLS 1.2, ECDHE with AES-GCM or ChaCha20-Poly1305, ALPN http/1.1, no renegotiation, no
 * compression, no tickets. Sessions are resumed by id, unless clients must show certificates.
 *
 *	server:	new -> (accept)* -> reload* -> free, after the last of its streams is closed
 *	client:	new -> (start)* -> free, likewise
 *
 * Files are read by new and reload only; texts and files are not needed afterwards. A message for
 * people names the file, what is wrong with it, and the remedy; it never has a byte of a key.
 *
 * Per connection: one block of some 25 KB of the allocator (server; bounds.h has the terms), and a
 * place among the contexts for handshakes while it shakes hands.
 */
#ifndef WR_IO_TLS_H
#define WR_IO_TLS_H

#include "bytes/allocator.h"
#include "bytes/buf.h"
#include "io/net/stream.h"
#include "io/reactor/reactor.h"

#include <stdbool.h>
#include <stdint.h>

enum { WR_TLS_PIN_BYTES = 32 };

/* What happened on one side so far, and what is there now. */
struct wr_tls_counts {
	uint32_t connection_count; /* with those that only have records left to send */
	uint32_t handshake_count;  /* of them: in the handshake */
	uint64_t opened_count;	   /* handshakes that were done */
	uint64_t failed_count;	   /* that were not, late ones included */
	uint64_t late_count;	   /* not in time */
	uint64_t refused_count;	   /* WR_OVERLOAD */
	uint64_t lingered_count;   /* closed by their user with records left to send */
	uint64_t cut_count;	   /* of them: those that the peer did not take in time */
};

/* SHA-256 of a SubjectPublicKeyInfo in DER: "sha256//" and 44 characters of base64, as curl's
 * --pinnedpubkey has it. */
struct wr_tls_pin {
	uint8_t hash[WR_TLS_PIN_BYTES];
};
/* False: not of that form. */
bool wr_tls_pin_parse(struct wr_tls_pin *pin, struct wr_view text);

/* ---- the side that accepts ---- */

struct wr_tls_server;

struct wr_tls_server_config {
	const char *certificate_file; /* PEM: its own first, then what leads to the root */
	const char *key_file;	      /* PEM, not encrypted; nobody else may read it */
	const char *client_ca_file;   /* NULL: clients show no certificate */
	/* Of client certificates: at least one of these keys. None: any that the CA vouches for. */
	const struct wr_tls_pin *client_pins;
	uint32_t client_pin_count;
	uint32_t connection_count_max, handshake_count_max;
	uint32_t handshake_ms_max;
};
/* The limits from bounds.h; no files. */
void wr_tls_server_defaults(struct wr_tls_server_config *config);

/* NULL, with a message. */
struct wr_tls_server *wr_tls_server_new(struct wr_reactor *reactor, struct wr_allocator *allocator,
					const struct wr_tls_server_config *config,
					struct wr_buf *message);
/* Reads all files anew; connections that stand go on. False, with a message: nothing changed. */
bool wr_tls_server_reload(struct wr_tls_server *self, const struct wr_tls_server_config *config,
			  struct wr_buf *message);
void wr_tls_server_free(struct wr_tls_server *self);

const struct wr_tls_counts *wr_tls_server_counts(const struct wr_tls_server *self);

/* Whether wr_tls_accept would say WR_OVERLOAD for its connections. */
bool wr_tls_server_is_full(const struct wr_tls_server *self);

/* What a peer is sent, in place of an answer, when wr_tls_accept will not have it: a record with
 * the alert internal_error. Static. */
struct wr_view wr_tls_refusal(void);

/* Makes an open, unwatched stream the server's end of a TLS connection. WR_OK; WR_OVERLOAD
 * (connections, or handshakes at once), WR_NO_MEMORY, WR_IO (no entropy): the stream is as it was.
 */
enum wr_status wr_tls_accept(struct wr_tls_server *self, struct wr_stream *stream);

/* ---- the side that connects ---- */

struct wr_tls_client;

struct wr_tls_client_config {
	const char *ca_file; /* PEM of trust anchors; NULL: the system's, where there are */
	const struct wr_tls_pin *pin; /* not NULL: this key and no other, whoever vouches for it */
	/* Shown to servers that ask; NULL: none. */
	const char *certificate_file, *key_file;
	uint32_t handshake_ms_max;
};
void wr_tls_client_defaults(struct wr_tls_client_config *config);

/* NULL, with a message. */
struct wr_tls_client *wr_tls_client_new(struct wr_reactor *reactor, struct wr_allocator *allocator,
					const struct wr_tls_client_config *config,
					struct wr_buf *message);
void wr_tls_client_free(struct wr_tls_client *self);

const struct wr_tls_counts *wr_tls_client_counts(const struct wr_tls_client *self);

/* Makes an unwatched stream, connected or still connecting, the client's end. `name` is what the
 * certificate must be for, without a dot at its end, and is sent as SNI (NULL only with a pin). For
 * an IP address no certificate is, so that one needs a pin. WR_OK, WR_NO_MEMORY, WR_IO, WR_INVALID
 * (there is no name in it, or it is too long): the stream is as it was. */
enum wr_status wr_tls_connect(struct wr_tls_client *self, struct wr_stream *stream,
			      const char *name);

#endif
