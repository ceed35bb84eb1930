/*
 * serving_tls — TLS of the listener: from the options of serving.h to what the HTTP server takes.
 *
 * In a build without TLS there is only the message that says so.
 */
#ifndef WR_HOST_SERVING_TLS_H
#define WR_HOST_SERVING_TLS_H

#include "bytes/allocator.h"
#include "host/serving.h"
#include "io/reactor/reactor.h"

struct wr_tls_server;

static inline bool wr_serving_has_tls(const struct wr_serving *serving)
{
	return WR_TLS && serving->tls_cert != NULL;
}

/* Whether the options go together, and with this build. False, with a message: they do not. */
bool wr_serving_tls_is_sound(const struct wr_serving *serving, struct wr_buf *message);

#if WR_TLS
/* Reads the files. *out is NULL when TLS is not asked for. False, with a message. */
bool wr_serving_tls_open(struct wr_tls_server **out, const struct wr_serving *serving,
			 struct wr_reactor *reactor, struct wr_allocator *allocator,
			 struct wr_buf *message);
/* Reads them anew. False, with a message: nothing changed. */
bool wr_serving_tls_reload(struct wr_tls_server *tls, const struct wr_serving *serving,
			   struct wr_buf *message);
/* Connections, with those that only have records left to send. None with NULL. */
uint32_t wr_serving_tls_connection_count(const struct wr_tls_server *tls);
/* After the last of its streams is closed. Harmless with NULL. */
void wr_serving_tls_close(struct wr_tls_server *tls);
#else
static inline bool wr_serving_tls_open(struct wr_tls_server **out, const struct wr_serving *serving,
				       struct wr_reactor *reactor, struct wr_allocator *allocator,
				       struct wr_buf *message)
{
	(void)serving;
	(void)reactor;
	(void)allocator;
	(void)message;
	*out = NULL;
	return true;
}
static inline bool wr_serving_tls_reload(struct wr_tls_server *tls,
					 const struct wr_serving *serving, struct wr_buf *message)
{
	(void)tls;
	(void)serving;
	(void)message;
	return true;
}
static inline uint32_t wr_serving_tls_connection_count(const struct wr_tls_server *tls)
{
	(void)tls;
	return 0;
}
static inline void wr_serving_tls_close(struct wr_tls_server *tls)
{
	(void)tls;
}
#endif

/* Whether the files can be used, for --check-config: they are read, and nothing is kept. */
bool wr_serving_tls_check(const struct wr_serving *serving, struct wr_allocator *allocator,
			  struct wr_buf *message);

#endif
