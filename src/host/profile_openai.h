/*
 * profile_openai — a profile of the kind openai, made of its setting: the key, which is read, wiped
 * at the end and never told; the prompt; TLS.
 */
#ifndef WR_HOST_PROFILE_OPENAI_H
#define WR_HOST_PROFILE_OPENAI_H

#include "bytes/buf.h"
#include "execution/openai.h"
#include "host/profile_settings.h"

enum { WR_PROFILE_KEY_BYTES_MAX = 4096 };

/* Placed by the caller, zeroed; must not move. */
struct wr_profile_openai {
	struct wr_openai_profile profile;
	struct wr_buf prompt; /* of a file; with a NUL */
	char key[WR_PROFILE_KEY_BYTES_MAX + 1];
};

/* Reads its files and variables, and asks whether it can be used. Names of hosts are looked up by
 * `resolver`. False, with a message that names the place
 * (wr_profile_setting_blame) and never has a byte of a key: nothing is left. The setting is
 * borrowed for life. */
bool wr_profile_openai_init(struct wr_profile_openai *self, struct wr_reactor *reactor,
			    struct wr_allocator *allocator, struct wr_resolver *resolver,
			    const struct wr_profile_setting *setting, const char *file,
			    struct wr_buf *message);
void wr_profile_openai_deinit(struct wr_profile_openai *self);

/* Empties the variable that had its key, when all profiles have read theirs: what runs as us could
 * read it in our environment. */
void wr_profile_openai_wipe_variable(const struct wr_profile_setting *setting);

#endif
