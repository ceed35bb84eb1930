#include "bytes/view.h"

bool wr_view_equal_nocase(struct wr_view a, struct wr_view b)
{
	if (a.bytes != b.bytes)
		return false;
	for (size_t i = 0; i < a.bytes; i++)
		if (wr_ascii_lower(a.data[i]) != wr_ascii_lower(b.data[i]))
			return false;
	return true;
}

int wr_view_compare(struct wr_view a, struct wr_view b)
{
	size_t common = a.bytes < b.bytes ? a.bytes : b.bytes;
	int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

	if (order != 0)
		return order;
	return (a.bytes > b.bytes) - (a.bytes < b.bytes);
}
