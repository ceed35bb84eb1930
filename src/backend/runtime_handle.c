#include "backend/runtime_handle.h"

void wr_notices_add(struct wr_notices *self, const char *code, enum wr_notice_severity severity,
		    const char *message)
{
	if (self->count == WR_NOTICE_COUNT_MAX)
		return;
	self->items[self->count++] = (struct wr_notice){code, severity, message};
}
