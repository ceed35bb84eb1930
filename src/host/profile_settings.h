/*
 * profile_settings — what stands under [[profile]] in a configuration file: how Workers of that
 * name are run.
 *
 * A profile is of a kind: nothing runs it (none), a program does (process), or a model behind HTTP
 * (openai). A key of another kind is refused with its line. What a profile names (programs, files)
 * is looked at by those who use it: profile_process.h and profile_openai.h.
 */
#ifndef WR_HOST_PROFILE_SETTINGS_H
#define WR_HOST_PROFILE_SETTINGS_H

#include "bytes/buf.h"
#include "core/command.h"
#include "host/options.h"
#include "host/texts.h"

#include <stdbool.h>
#include <stdint.h>

enum { WR_PROFILE_COUNT_MAX = 64, WR_PROFILE_KEY_COUNT_MAX = 40 };

enum wr_runner { WR_RUNNER_NONE, WR_RUNNER_PROCESS, WR_RUNNER_OPENAI };

/* Texts are borrowed for life; NULL: not given. */
struct wr_profile_setting {
	uint32_t line;
	uint32_t lines[WR_PROFILE_KEY_COUNT_MAX]; /* of its keys, by their rows; 0: not given */
	const char *name;
	uint64_t runner; /* enum wr_runner */
	uint64_t busy;	 /* 0: reject, 1: queue */
	uint64_t queue_inputs;

	/* process */
	struct wr_texts argv;
	const char *exec;
	uint64_t mode; /* enum wr_process_mode */
	const char *cwd;
	struct wr_texts environment;
	uint64_t restart; /* enum wr_restart */
	uint64_t grace_ms, interrupt_ms, ready_ms;
	uint64_t backoff_min_ms, backoff_max_ms, stable_ms;
	uint64_t address_space, file_bytes, cpu_seconds, open_files;

	/* openai */
	const char *base_url, *model;
	const char *key_file, *key_env;
	const char *system_prompt, *system_prompt_file;
	const char *temperature;
	uint64_t max_tokens, history_bytes, answer_bytes;
	uint64_t first_token_ms, silence_ms, retries;
	const char *tls_ca, *tls_pin, *tls_name;
};

/* Its keys, for a section whose elements are struct wr_profile_setting. */
extern const struct wr_option wr_profile_options[];

/* The section, of settings of `type` that have them in the struct wr_hosting at `hosting`. */
#define WR_PROFILE_SECTION(type, hosting)                                              \
	{                                                                              \
		.name = "profile",                                                     \
		.help = "Profiles: in the configuration file, each [[profile]]",       \
		.list = wr_profile_options, .place = offsetof(type, hosting.profiles), \
		.count_place = offsetof(type, hosting.profile_count),                  \
		.line_place = offsetof(struct wr_profile_setting, line),               \
		.element_bytes = sizeof(struct wr_profile_setting),                    \
		.count_max = WR_PROFILE_COUNT_MAX, .kind = "kind",                     \
		.lines_place = offsetof(struct wr_profile_setting, lines)              \
	}

/* The line of the key whose value is at `value`, a member of `self`; of the section when it is not
 * given. */
uint32_t wr_profile_setting_line(const struct wr_profile_setting *self, const void *value);
static inline bool wr_profile_setting_has(const struct wr_profile_setting *self, const void *value)
{
	return wr_profile_setting_line(self, value) != self->line;
}

/* What no key can say alone. False, with a message that begins "FILE:LINE: ". */
bool wr_profile_settings_are_sound(const struct wr_profile_setting *list, uint32_t count,
				   const char *file, struct wr_buf *message);

/* What becomes of an input while a turn is running. */
struct wr_busy_policy wr_profile_setting_busy(const struct wr_profile_setting *self);

/* The one of this name, or NULL. */
const struct wr_profile_setting *wr_profile_settings_find(const struct wr_profile_setting *list,
							  uint32_t count, struct wr_view name);

/* The one that --exec is short for; its line is 0. */
void wr_profile_setting_of_exec(struct wr_profile_setting *out, const char *exec, uint64_t mode);

/* "FILE:LINE: [[profile]] `NAME`: ", or "--exec: " for line 0; false, for whoever says what is
 * wrong with one. */
bool wr_profile_setting_blame(const struct wr_profile_setting *self, const char *file,
			      uint32_t line, struct wr_buf *message);

#endif
