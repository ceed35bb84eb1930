/*
 * Config bundles, and what is told of them. Options: which reader, which allocation fails. Oracles:
 * documents.h; a bundle that is read is written as one that is the same, has a digest, and is
 * judged; what may be passed on has nothing that may not.
 */
#include "documents.h"
#include "wire/bundle_json.h"

static void tell_rows(struct documents_meaning *meaning, const struct wr_rows *rows)
{
	struct wr_view rest = rows->packed;
	uint32_t count = 0;
	struct wr_row row;

	for (; wr_rows_next(&rest, &row); count++) {
		documents_number(meaning, row.kind);
		documents_text(meaning, row.first);
		documents_text(meaning, row.second);
	}
	CHECK_U64(count, rows->count);
	CHECK_U64(rest.bytes, 0);
}

/* Fails no allocation of its own. */
static void check_written(const struct wr_config_bundle *bundle)
{
	struct wr_config_bundle again;
	char digest[WR_CONFIG_DIGEST_BYTES];
	struct wr_error error;
	struct wr_buf json, texts;
	enum wr_status status = wr_config_bundle_check(bundle, &error);

	CHECK_STATUS(error.status, status);
	CHECK((error.detail == NULL) == (status == WR_OK));
	if (!wr_config_bundle_is_sound(bundle)) {
		CHECK_STATUS(status, WR_TOO_LARGE);
		return;
	}
	wr_config_bundle_digest(bundle, digest);
	if (status == WR_OK)
		CHECK_VIEW(bundle->digest, wr_view_of(digest, sizeof digest));
	wr_buf_init(&json, wr_test_allocator(), 8 * DOCUMENTS_ROOM);
	wr_buf_init(&texts, wr_test_allocator(), 8 * DOCUMENTS_ROOM);
	wr_bundle_json_write(&json, bundle);
	if (wr_buf_status(&json) == WR_OK &&
	    wr_bundle_json_read(&again, &texts, wr_buf_view(&json), &error) != WR_NO_MEMORY) {
		CHECK_STATUS(error.status, WR_OK);
		CHECK(wr_config_bundle_is_same(&again, bundle));
	}
	wr_buf_deinit(&json);
	wr_buf_deinit(&texts);
}

static enum wr_status read_bundle(struct documents_meaning *meaning, struct wr_buf *texts,
				  struct wr_view body)
{
	struct wr_config_bundle bundle;
	struct wr_error error;
	enum wr_status status = wr_bundle_json_read(&bundle, texts, body, &error);

	if (status != WR_OK)
		return status;
	documents_text(meaning, bundle.id);
	documents_text(meaning, bundle.digest);
	documents_text(meaning, bundle.revision);
	documents_text(meaning, bundle.workspace_id);
	documents_text(meaning, bundle.created_at);
	documents_text(meaning, bundle.source);
	documents_text(meaning, bundle.detail);
	tell_rows(meaning, &bundle.profiles);
	tell_rows(meaning, &bundle.declarations);
	check_written(&bundle);
	return status;
}

static enum wr_status read_availability(struct documents_meaning *meaning, struct wr_buf *texts,
					struct wr_view body)
{
	struct wr_bundle_summary summary;
	enum wr_status status = wr_bundle_availability_read(&summary, texts, body);

	if (status != WR_OK)
		return status;
	CHECK(wr_config_bundle_id_is_valid(summary.id));
	CHECK(wr_config_digest_is_valid(summary.digest));
	documents_text(meaning, summary.id);
	documents_text(meaning, summary.digest);
	documents_text(meaning, summary.revision);
	documents_text(meaning, summary.workspace_id);
	documents_text(meaning, summary.created_at);
	documents_text(meaning, summary.source);
	documents_text(meaning, summary.detail);
	documents_number(meaning, summary.profile_count);
	documents_number(meaning, summary.declaration_count);
	CHECK(wr_config_text_fault(summary.revision) == NULL);
	CHECK(wr_config_text_fault(summary.detail) == NULL);
	return status;
}

void fuzz_one(struct wr_view input)
{
	static documents_read_fn *const readers[] = {read_bundle, read_availability};
	uint8_t reader = fuzz_u8(&input) % 2, failing = fuzz_u8(&input);

	if (input.bytes <= DOCUMENTS_ROOM / 8)
		documents_check(readers[reader], input, failing);
}
