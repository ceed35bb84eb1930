/* profile_process — a profile of the kind process, made of its setting: words, environment, limits.
 */
#ifndef WR_HOST_PROFILE_PROCESS_H
#define WR_HOST_PROFILE_PROCESS_H

#include "execution/argv.h"
#include "execution/process.h"
#include "host/profile_settings.h"

/* Placed by the caller, zeroed; must not move. */
struct wr_profile_process {
	struct wr_process_profile profile;
	struct wr_argv argv;
	char *words[WR_TEXT_COUNT_MAX + 1];
	const char *names[WR_TEXT_COUNT_MAX + 1];
};

/* Its program is looked for now: better said here than at the first input. False, with a message
 * that names the place (wr_profile_setting_blame): nothing is left. The setting is borrowed for
 * life. */
bool wr_profile_process_init(struct wr_profile_process *self, struct wr_allocator *allocator,
			     const struct wr_profile_setting *setting, const char *file,
			     struct wr_buf *message);
void wr_profile_process_deinit(struct wr_profile_process *self);

#endif
