/*
 * Metadata files of an older local tool. Options: which allocation fails. Oracles: documents.h.
 */
#include "backend/local_metadata.h"
#include "documents.h"

static enum wr_status read_metadata(struct documents_meaning *meaning, struct wr_buf *texts,
				    struct wr_view json)
{
	struct wr_local_metadata metadata;
	enum wr_status status = wr_local_metadata_read(&metadata, texts, json);

	if (status != WR_OK)
		return status;
	documents_text(meaning, metadata.worker_name);
	documents_text(meaning, metadata.workspace_root);
	documents_text(meaning, metadata.role);
	documents_text(meaning, metadata.profile);
	documents_number(meaning, metadata.is_active);
	documents_number(meaning, metadata.has_segment);
	CHECK(metadata.is_active || !metadata.has_segment);
	return status;
}

void fuzz_one(struct wr_view input)
{
	uint8_t failing = fuzz_u8(&input);

	if (input.bytes <= DOCUMENTS_ROOM / 4)
		documents_check(read_metadata, input, failing);
}
