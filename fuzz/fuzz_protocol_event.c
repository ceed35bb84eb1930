/*
 * Protocol events coming in. Options: which allocation fails. Oracles: documents.h; what was read
 * is written as an event that reads the same.
 */
#include "outputs.h"

static enum wr_status read_event(struct documents_meaning *meaning, struct wr_buf *texts,
				 struct wr_view json)
{
	struct wr_error error = {.status = WR_OK};
	struct wr_output output;
	enum wr_status status = wr_protocol_event_read(&output, texts, json, &error);

	if (status == WR_INVALID)
		CHECK(error.detail != NULL);
	if (status != WR_OK)
		return status;
	outputs_tell(meaning, &output);
	wr_test_fail_allocation(0, false);
	outputs_check_written(&output);
	return status;
}

void fuzz_one(struct wr_view input)
{
	uint8_t failing = fuzz_u8(&input);

	if (input.bytes <= DOCUMENTS_ROOM / 4)
		documents_check(read_event, input, failing);
}
