/*
 * documents — what every reader of a JSON document is asked (command_json, answer_json, stream_json
 * and others): it takes nothing that is no JSON, says why it refused by one of the statuses of its
 * header, keeps its views within the document or its scratch buffer, fails for lack of memory with
 * WR_NO_MEMORY and otherwise says the same, and does not mind white space around.
 */
#ifndef WR_FUZZ_DOCUMENTS_H
#define WR_FUZZ_DOCUMENTS_H

#include "bytes/buf.h"
#include "bytes/utf8.h"
#include "codec/json/reader.h"
#include "fuzz.h"
#include "unit/codec/json/naive.h"

enum { DOCUMENTS_ROOM = 1 << 18, DOCUMENTS_MEANING_BYTES = 1 << 17 };

/* What a document meant, as text to compare; and where its views may lie. */
struct documents_meaning {
	struct wr_view document;
	struct wr_buf *texts;
	struct wr_buf text;
	char room[DOCUMENTS_MEANING_BYTES];
};

static inline void documents_number(struct documents_meaning *self, uint64_t number)
{
	wr_buf_append_u64(&self->text, number);
	wr_buf_append_byte(&self->text, ' ');
}

/* Of a text: also that it lies where it may, and is UTF-8. */
static inline void documents_text(struct documents_meaning *self, struct wr_view text)
{
	if (text.data == NULL) {
		CHECK_U64(text.bytes, 0);
		wr_buf_append_view(&self->text, WR_VIEW("- "));
		return;
	}
	CHECK(text.bytes == 0 || fuzz_lies_in(text, self->document) ||
	      fuzz_lies_in(text, wr_buf_view(self->texts)));
	CHECK(wr_utf8_is_valid(text));
	documents_number(self, text.bytes);
	wr_buf_append_view(&self->text, text);
	wr_buf_append_byte(&self->text, ' ');
}

/* A text of our own, which lies elsewhere. */
static inline void documents_fixed(struct documents_meaning *self, struct wr_view text)
{
	wr_buf_append_view(&self->text, text);
	wr_buf_append_byte(&self->text, ' ');
}

/* Reads `document` with `texts` and, with WR_OK, appends to `meaning` all that it said. */
typedef enum wr_status documents_read_fn(struct documents_meaning *meaning, struct wr_buf *texts,
					 struct wr_view document);

static inline enum wr_status documents_read(struct documents_meaning *meaning,
					    documents_read_fn *read, struct wr_view document)
{
	struct wr_buf texts;
	enum wr_status status;

	wr_buf_init(&texts, wr_test_allocator(), DOCUMENTS_ROOM);
	wr_buf_init_fixed(&meaning->text, meaning->room, sizeof meaning->room);
	meaning->document = document;
	meaning->texts = &texts;
	status = read(meaning, &texts, document);
	CHECK_STATUS(wr_buf_status(&meaning->text), WR_OK);
	wr_buf_deinit(&texts);
	return status;
}

static inline bool documents_is_refusal(enum wr_status status)
{
	return status == WR_SYNTAX || status == WR_ENCODING || status == WR_INVALID ||
	       status == WR_TOO_LARGE;
}

/* Returns what it was. `failing`: which allocation, and `forever` all after it. */
static inline enum wr_status documents_check(documents_read_fn *read, struct wr_view document,
					     uint8_t failing)
{
	static struct documents_meaning once, again;
	enum wr_status status, with_failure;

	document = wr_test_guarded(0, document);
	status = documents_read(&once, read, document);
	CHECK(status == WR_OK || status == WR_UNSUPPORTED || documents_is_refusal(status));
	if (status == WR_OK || status == WR_UNSUPPORTED)
		CHECK(naive_is_json(document));
	if (status == WR_SYNTAX || status == WR_ENCODING || status == WR_TOO_LARGE)
		CHECK(!naive_is_json(document));
	/* What is cut off may end otherwise. */
	if (status == WR_OK || status == WR_UNSUPPORTED || status == WR_INVALID) {
		CHECK_STATUS(documents_read(&again, read, fuzz_join(1, document, WR_VIEW(" \n"))),
			     status);
		CHECK_VIEW(wr_buf_view(&again.text), wr_buf_view(&once.text));
	}
	if (status == WR_OK)
		CHECK_STATUS(documents_read(&again, read, fuzz_join(1, document, WR_VIEW(" 0"))),
			     WR_SYNTAX);
	wr_test_fail_allocation(failing % 8, failing >= 128);
	with_failure = documents_read(&again, read, document);
	if (!wr_test_allocation_failed()) {
		CHECK_STATUS(with_failure, status);
		CHECK_VIEW(wr_buf_view(&again.text), wr_buf_view(&once.text));
	} else {
		CHECK(with_failure == WR_NO_MEMORY || with_failure == status);
	}
	wr_test_fail_allocation(0, false);
	return status;
}

#endif
