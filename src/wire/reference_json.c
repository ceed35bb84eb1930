#include "wire/reference_json.h"

void wr_worker_ref_json(struct wr_json_writer *writer, struct wr_view runtime_id,
			struct wr_view worker_id)
{
	wr_json_name(writer, WR_VIEW("worker_ref"));
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("runtime_id"), runtime_id);
	wr_json_member_string(writer, WR_VIEW("worker_id"), worker_id);
	wr_json_object_end(writer);
}

void wr_cursor_json(struct wr_json_writer *writer, const struct wr_runtime *runtime,
		    uint32_t worker, uint64_t sequence)
{
	char cursor[WR_CURSOR_BYTES];

	wr_runtime_cursor(runtime, worker, sequence, cursor);
	wr_json_member_string(writer, WR_VIEW("cursor"), wr_view_of(cursor, sizeof cursor));
}
