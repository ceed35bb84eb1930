/*
 * remote_tls — how a remote Runtime is known over https: its settings, checked, and the client made
 * of them.
 *
 * Its certificate is judged by the anchors of a file, or the system's, or it must have one key.
 */
#ifndef WR_BACKEND_REMOTE_TLS_H
#define WR_BACKEND_REMOTE_TLS_H

#include "backend/remotes.h"
#include "bytes/sha256.h"
#include "codec/http/url.h"

struct wr_tls_client;

/* What is wrong with them, or NULL. *name is whom the certificate must name (absent: the pin alone
 * counts), in the texts of the setting. */
const char *wr_remote_tls_fault(struct wr_view *name, const struct wr_remote_setting *setting,
				const struct wr_url *url);

/* Feeds what the client would be made of, contents of files included. */
void wr_remote_tls_hash(struct wr_sha256 *hash, const struct wr_remote_setting *setting,
			struct wr_allocator *allocator);

/* Reads the files. False, with a message; NULL in *out without https. */
bool wr_remote_tls_open(struct wr_tls_client **out, const struct wr_remote_setting *setting,
			struct wr_reactor *reactor, struct wr_allocator *allocator,
			struct wr_buf *message);
/* Harmless with NULL. */
void wr_remote_tls_close(struct wr_tls_client *tls);

#endif
