/*
 * browser_routes — the face of a Backend: everything that browsers ask for, and the console itself
 * (contract 8.3 to 8.5, 8.11).
 *
 * Order of checks: framing (conn), Origin and Host, route, credential, method, scope; then for a
 * stream its upgrade, for a command whether we are stopping; ids, source, type of the body, and
 * what the route itself asks for. A page without a credential gets the console's files and
 * /healthz, /readyz; all under /api needs one when there is any. For a stream a ticket of
 * POST /api/tickets does as well (tickets.h). There are no cookies, and no answers for other
 * origins.
 *
 * What a source must be asked for is a call of its handle, one per operation; a list asks all
 * sources at once and answers when all have ended. Meanwhile everything else is served. Requests
 * that wait are bounded in number and memory; beyond: 503.
 */
#ifndef WR_BACKEND_BROWSER_ROUTES_H
#define WR_BACKEND_BROWSER_ROUTES_H

#include "backend/console.h"
#include "backend/policy.h"
#include "backend/registry.h"
#include "conn/http_server.h"
#include "host/guard.h"

struct wr_browser_face;

/* Pointers and views are borrowed for life. */
struct wr_browser_config {
	struct wr_registry *registry; /* its on_remove becomes ours */
	/* May be initialised after wr_browser_face_new, before the first request; with
	 * admits_same_origin, or the console cannot talk to its own server. */
	struct wr_guard *guard;
	const struct wr_policy *policy;
	struct wr_view workspace_id, display_name;
	const struct wr_console_file *files;
	size_t file_count;
	/* wr_browser_defaults fills these. */
	uint32_t list_limit;  /* items of a list; at most 200 */
	uint32_t list_ms_max; /* a source that takes longer gives no items */
	uint32_t waiting_count_max;
	size_t waiting_bytes_max; /* of all that wait: what they asked, and answers in the making */
};

void wr_browser_defaults(struct wr_browser_config *config);

/* WR_OK, WR_NO_MEMORY. */
enum wr_status wr_browser_face_new(struct wr_browser_face **out, struct wr_allocator *allocator,
				   const struct wr_browser_config *config);

/* The app that the HTTP server is made with. */
struct wr_http_app wr_browser_face_app(struct wr_browser_face *self);

/* What becomes of readiness, commands and new streams. */
enum wr_browser_state {
	WR_BROWSER_SERVING,
	WR_BROWSER_FAILED,  /* /readyz is 503 */
	WR_BROWSER_DRAINING /* likewise; commands and new streams are 503, too */
};
void wr_browser_face_set(struct wr_browser_face *self, enum wr_browser_state state);

/* Credentials have changed: no ticket that is out is good any more. */
void wr_browser_face_void_tickets(struct wr_browser_face *self);

/* Requests that wait for a source. */
uint32_t wr_browser_face_waiting_count(const struct wr_browser_face *self);

/* After the HTTP server; the registry, maybe empty by now, is still there. */
void wr_browser_face_free(struct wr_browser_face *self);

#endif
