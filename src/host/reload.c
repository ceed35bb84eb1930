#include "host/reload.h"

#include "host/guard.h"
#include "host/serving_tls.h"
#include "io/log.h"

enum { MESSAGE_BYTES_MAX = 1024 };

static void tell_kept(const struct wr_reload *self, struct wr_view why)
{
	if (self->serving->token_file != NULL)
		WR_LOG(WR_LOG_ERROR, "tokens_kept", WR_LOG_TEXT("why", why));
	if (self->tls != NULL)
		WR_LOG(WR_LOG_ERROR, "certificates_kept", WR_LOG_TEXT("why", why));
}

/* Tokens as they would be. False, with a message: they cannot. */
static bool read_tokens(const struct wr_reload *self, struct wr_tokens *fresh,
			struct wr_buf *message)
{
	const struct wr_serving *serving = self->serving;

	*fresh = *self->tokens;
	if (serving->token_file == NULL)
		return true;
	wr_tokens_truncate(fresh, self->fixed_token_count);
	return wr_tokens_load(fresh, serving->token_file, message) &&
	       wr_guard_is_safe(fresh, &serving->address, message);
}

/* The certificates are the last that can fail, and taken at once; then the tokens. */
static bool take(const struct wr_reload *self, struct wr_tokens *fresh, struct wr_buf *message)
{
	if (!read_tokens(self, fresh, message) ||
	    (self->tls != NULL && !wr_serving_tls_reload(self->tls, self->serving, message)))
		return false;
	if (self->tls != NULL)
		WR_LOG(WR_LOG_INFO, "certificates_reloaded",
		       WR_LOG_TEXT("file", wr_view_of_string(self->serving->tls_cert)));
	if (self->serving->token_file == NULL)
		return true;
	*self->tokens = *fresh;
	WR_LOG(WR_LOG_INFO, "tokens_reloaded", WR_LOG_NUMBER("count", fresh->count));
	return true;
}

bool wr_reload(const struct wr_reload *self)
{
	char text[MESSAGE_BYTES_MAX];
	struct wr_buf message;
	struct wr_tokens *fresh;
	bool is_taken;

	if (self->serving->token_file == NULL && self->tls == NULL) {
		if (!self->has_more)
			WR_LOG(WR_LOG_INFO, "nothing_to_reload",
			       WR_LOG_TEXT("why", WR_VIEW("no token file and no certificate; all "
							  "else is read at the start")));
		return false;
	}
	wr_buf_init_fixed(&message, text, sizeof text);
	fresh = wr_allocator_take(self->allocator, sizeof *fresh);
	if (fresh == NULL) {
		tell_kept(self, WR_VIEW("no memory"));
		return false;
	}
	is_taken = take(self, fresh, &message);
	if (!is_taken)
		tell_kept(self, wr_buf_view(&message));
	wr_tokens_wipe(fresh, sizeof *fresh);
	wr_allocator_free(self->allocator, fresh, sizeof *fresh);
	return is_taken && self->serving->token_file != NULL;
}
