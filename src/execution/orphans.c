#include "execution/orphans.h"

#ifdef __linux__

#include <sys/prctl.h>

bool wr_orphans_adopt(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
}

#else

bool wr_orphans_adopt(void)
{
	return false;
}

#endif
