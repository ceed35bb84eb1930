#include "wire/store_json.h"

static void write_recovery(struct wr_json_writer *writer, const struct wr_store_report *report)
{
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("result"), wr_view_of_string(report->recovery));
	if (report->file.data != NULL) {
		wr_json_member_string(writer, WR_VIEW("file"), report->file);
		wr_json_member_u64(writer, WR_VIEW("offset"), report->offset);
		wr_json_member_u64(writer, WR_VIEW("bytes"), report->bytes_there);
	}
	wr_json_member_u64(writer, WR_VIEW("records"), report->record_count);
	wr_json_member_u64(writer, WR_VIEW("last_sequence"), report->last_sequence);
	wr_json_member_u64(writer, WR_VIEW("quarantined"), report->quarantined_count);
	wr_json_member_bool(writer, WR_VIEW("maybe_incomplete"), report->is_maybe_incomplete);
	wr_json_object_end(writer);
}

void wr_store_json(struct wr_json_writer *writer, const struct wr_store_report *report)
{
	wr_json_object_begin(writer);
	if (!report->is_kept) {
		wr_json_member_string(writer, WR_VIEW("kind"), WR_VIEW("memory"));
		wr_json_object_end(writer);
		return;
	}
	wr_json_member_string(writer, WR_VIEW("kind"), WR_VIEW("fs"));
	wr_json_member_string(writer, WR_VIEW("durability"), wr_view_of_string(report->durability));
	if (report->interval_ms != 0)
		wr_json_member_u64(writer, WR_VIEW("interval_ms"), report->interval_ms);
	wr_json_member_string(writer, WR_VIEW("state"), wr_view_of_string(report->state));
	wr_json_member_u64(writer, WR_VIEW("bytes"), report->bytes);
	wr_json_member_u64(writer, WR_VIEW("bytes_max"), report->bytes_max);
	wr_json_member_u64(writer, WR_VIEW("segments"), report->segment_count);
	wr_json_member_u64(writer, WR_VIEW("durable_sequence"), report->durable_sequence);
	wr_json_name(writer, WR_VIEW("scrub"));
	wr_json_object_begin(writer);
	wr_json_member_u64(writer, WR_VIEW("passes"), report->scrub_count);
	wr_json_member_u64(writer, WR_VIEW("bytes"), report->scrubbed_bytes);
	wr_json_object_end(writer);
	wr_json_name(writer, WR_VIEW("recovery"));
	write_recovery(writer, report);
	wr_json_object_end(writer);
}
