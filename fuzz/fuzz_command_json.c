/*
 * Bodies and queries of requests. Options: which reader (0: create; 1: input; 2: stop and the like;
 * 3: queries), which allocation fails. Oracles: documents.h; an error names a place in the body.
 */
#include "documents.h"
#include "wire/command_json.h"

static void check_error(const struct wr_error *error, enum wr_status status, struct wr_view body)
{
	if (status == WR_OK)
		return;
	CHECK_STATUS(error->status, status);
	CHECK(error->offset <= body.bytes);
	if (status == WR_INVALID)
		CHECK(error->detail != NULL);
}

static void tell_pairs(struct documents_meaning *meaning, const struct wr_pairs *pairs)
{
	struct wr_view rest = pairs->packed, name, text;

	CHECK(wr_pairs_are_whole(pairs));
	documents_number(meaning, pairs->count);
	while (wr_pairs_next(&rest, &name, &text)) {
		documents_text(meaning, name);
		documents_text(meaning, text);
	}
}

static enum wr_status read_create(struct documents_meaning *meaning, struct wr_buf *texts,
				  struct wr_view body)
{
	struct wr_error error = {.status = WR_OK};
	struct wr_create create;
	enum wr_status status = wr_create_json_read(&create, texts, body, &error);

	check_error(&error, status, body);
	if (status != WR_OK)
		return status;
	documents_number(meaning, create.intent);
	documents_text(meaning, create.objective);
	documents_text(meaning, create.role);
	documents_text(meaning, create.purpose);
	documents_number(meaning, create.profile);
	documents_text(meaning, create.profile_value);
	documents_text(meaning, create.config_bundle_id);
	documents_text(meaning, create.config_bundle_digest);
	documents_text(meaning, create.worker_id);
	tell_pairs(meaning, &create.capabilities);
	tell_pairs(meaning, &create.workspace_refs);
	tell_pairs(meaning, &create.mount_refs);
	return status;
}

static enum wr_status read_input(struct documents_meaning *meaning, struct wr_buf *texts,
				 struct wr_view body)
{
	struct wr_error error = {.status = WR_OK};
	struct wr_input input;
	enum wr_status status = wr_input_json_read(&input, texts, body, &error);

	check_error(&error, status, body);
	if (status != WR_OK)
		return status;
	documents_number(meaning, input.kind);
	documents_text(meaning, input.content);
	return status;
}

static enum wr_status read_lifecycle(struct documents_meaning *meaning, struct wr_buf *texts,
				     struct wr_view body)
{
	struct wr_error error = {.status = WR_OK};
	struct wr_view reason;
	enum wr_status status = wr_lifecycle_json_read(&reason, texts, body, &error);

	check_error(&error, status, body);
	if (status == WR_OK)
		documents_text(meaning, reason);
	return status;
}

static void check_queries(struct wr_view query, uint8_t failing)
{
	struct wr_page_query page;
	struct wr_list_query list;
	struct wr_view cursor;
	enum wr_status status;
	struct wr_buf texts;

	query = wr_test_guarded(0, query);
	wr_buf_init(&texts, wr_test_allocator(), DOCUMENTS_ROOM);
	status = wr_transcript_query_read(&page, query);
	CHECK(status == WR_OK || status == WR_INVALID);
	wr_test_fail_allocation(failing, true);
	status = wr_list_query_read(&list, &texts, query);
	CHECK(status == WR_OK || status == WR_INVALID ||
	      (status == WR_NO_MEMORY && wr_test_allocation_failed()));
	if (status == WR_OK)
		CHECK(list.after.bytes == 0 || fuzz_lies_in(list.after, wr_buf_view(&texts)));
	status = wr_cursor_query_read(&cursor, &texts, query);
	CHECK(status == WR_OK || status == WR_INVALID ||
	      (status == WR_NO_MEMORY && wr_test_allocation_failed()));
	if (status == WR_OK)
		CHECK(cursor.bytes == 0 ||
		      (fuzz_lies_in(cursor, wr_buf_view(&texts)) && wr_utf8_is_valid(cursor)));
	wr_buf_deinit(&texts);
}

void fuzz_one(struct wr_view input)
{
	uint8_t reader = fuzz_u8(&input) % 4, failing = fuzz_u8(&input);

	if (input.bytes > DOCUMENTS_ROOM / 4)
		return;
	if (reader == 0)
		documents_check(read_create, input, failing);
	else if (reader == 1)
		documents_check(read_input, input, failing);
	else if (reader == 3)
		check_queries(input, failing);
	/* No body is one, there. */
	else if (input.bytes != 0)
		documents_check(read_lifecycle, input, failing);
}
