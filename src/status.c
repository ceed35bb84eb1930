#include "status.h"

#include "check.h"

const char *wr_status_name(enum wr_status status)
{
	switch (status) {
#define WR_STATUS_NAME(name, text) \
	case WR_##name:            \
		return #name;
		WR_STATUS_LIST(WR_STATUS_NAME)
#undef WR_STATUS_NAME
	}
	wr_unreachable();
}

const char *wr_status_text(enum wr_status status)
{
	switch (status) {
#define WR_STATUS_TEXT(name, text) \
	case WR_##name:            \
		return text;
		WR_STATUS_LIST(WR_STATUS_TEXT)
#undef WR_STATUS_TEXT
	}
	wr_unreachable();
}
