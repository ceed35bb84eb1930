/*
 * local_metadata — the file in which an older local tool keeps what a Worker of its is (contract
 * 8.12), read as text.
 *
 * Nothing of it is trusted; of what it has, only what is shown is kept.
 */
#ifndef WR_BACKEND_LOCAL_METADATA_H
#define WR_BACKEND_LOCAL_METADATA_H

#include "bytes/buf.h"

/* Views into the text or into `texts`. */
struct wr_local_metadata {
	struct wr_view worker_name;
	struct wr_view workspace_root; /* absent: it has none */
	struct wr_view role, profile;  /* absent: it has none */
	bool is_active;
	bool has_segment; /* of an active one */
};

/* `texts` is reset first. WR_OK; WR_SYNTAX, WR_ENCODING, WR_TOO_LARGE, WR_INVALID: it is none;
 * WR_NO_MEMORY. */
enum wr_status wr_local_metadata_read(struct wr_local_metadata *out, struct wr_buf *texts,
				      struct wr_view json);

#endif
