/*
 * event_routes — the streams of a Runtime: all that is left out of a build without WS_SERVER.
 */
#ifndef WR_RUNTIME_SERVER_EVENT_ROUTES_H
#define WR_RUNTIME_SERVER_EVENT_ROUTES_H

#include "conn/http_server.h"
#include "core/runtime.h"
#include "observe/runtime_feed.h"
#include "runtime_server/config.h"

struct wr_fanout;

/* Must not move. */
struct wr_streams {
	struct wr_fanout *fanout; /* NULL: this build has none */
	struct wr_runtime_feed feed;
};

/* What the Runtime's ports and config need of the streams is set there. WR_OK, WR_NO_MEMORY. */
enum wr_status wr_streams_init(struct wr_streams *self, struct wr_reactor *reactor,
			       struct wr_allocator *allocator, const struct wr_config *config,
			       struct wr_runtime_config *runtime_config,
			       struct wr_runtime_ports *ports);
/* WR_OK, WR_NO_MEMORY. */
enum wr_status wr_streams_attach(struct wr_streams *self, struct wr_runtime *runtime,
				 struct wr_http_server *http);
/* Ends all streams at once. */
void wr_streams_deinit(struct wr_streams *self);

uint32_t wr_streams_count(const struct wr_streams *self);
/* Every stream gets what it lacks, then Close 1001. */
void wr_streams_drain(struct wr_streams *self);

#endif
