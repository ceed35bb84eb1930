#include "host/reload_tokens.h"

#include "host/guard.h"
#include "io/log.h"

enum { MESSAGE_BYTES_MAX = 512 };

bool wr_reload_tokens(struct wr_tokens *tokens, uint32_t fixed_count, const char *path,
		      const struct wr_address *address, struct wr_allocator *allocator)
{
	char text[MESSAGE_BYTES_MAX];
	struct wr_buf message;
	struct wr_tokens *fresh;
	bool is_fine;

	if (path == NULL) {
		WR_LOG(WR_LOG_INFO, "nothing_to_reload",
		       WR_LOG_TEXT("why", WR_VIEW("no token file")));
		return false;
	}
	wr_buf_init_fixed(&message, text, sizeof text);
	fresh = wr_allocator_take(allocator, sizeof *fresh);
	if (fresh == NULL) {
		WR_LOG(WR_LOG_ERROR, "tokens_kept", WR_LOG_TEXT("why", WR_VIEW("no memory")));
		return false;
	}
	*fresh = *tokens;
	wr_tokens_truncate(fresh, fixed_count);
	is_fine =
		wr_tokens_load(fresh, path, &message) && wr_guard_is_safe(fresh, address, &message);
	if (is_fine) {
		*tokens = *fresh;
		WR_LOG(WR_LOG_INFO, "tokens_reloaded", WR_LOG_NUMBER("count", fresh->count));
	} else {
		WR_LOG(WR_LOG_ERROR, "tokens_kept", WR_LOG_TEXT("why", wr_buf_view(&message)));
	}
	wr_tokens_wipe(fresh, sizeof *fresh);
	wr_allocator_free(allocator, fresh, sizeof *fresh);
	return is_fine;
}
