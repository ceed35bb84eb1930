/* embedded_worker — a Worker of a Runtime in this process, as the Backend shows it (contract 8.3).
 */
#ifndef WR_BACKEND_EMBEDDED_WORKER_H
#define WR_BACKEND_EMBEDDED_WORKER_H

#include "backend/ids.h"
#include "backend/runtime_handle.h"
#include "core/runtime.h"

/* Room for the texts of one: label, role, profile. */
enum { WR_EMBEDDED_TEXTS = 3 };
struct wr_embedded_texts {
	char bytes[WR_EMBEDDED_TEXTS * WR_DISPLAY_BYTES_MAX];
};

/* Fills *out with what it is by this face; views point into the Worker and into `texts`. */
void wr_embedded_worker_show(struct wr_worker_overview *out, struct wr_embedded_texts *texts,
			     const struct wr_worker *worker, const struct wr_face *face);

#endif
