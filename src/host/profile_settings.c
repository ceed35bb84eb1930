#include "host/profile_settings.h"

#include "bounds.h"
#include "execution/process.h"

#define DAY_MS ((uint64_t)24 * 3600000)
#define BYTES_MAX ((uint64_t)1 << 46)

enum { PROCESS = 1u << WR_RUNNER_PROCESS, OPENAI = 1u << WR_RUNNER_OPENAI, NAME_BYTES_MAX = 64 };
enum { REJECT, QUEUE };

#define PLACE(field) .place = offsetof(struct wr_profile_setting, field)
#define TEXT(kinds, n, v, k, field, h)                                             \
	{                                                                          \
		.name = (n), .value = (v), .help = (h), .kind = (k), PLACE(field), \
		.belongs_to = (kinds)                                              \
	}
#define NUMBER(kinds, n, v, k, field, low, default_value, high, h)                            \
	{                                                                                     \
		.name = (n), .value = (v), .help = (h), .kind = (k), PLACE(field),            \
		.number = (default_value), .min = (low), .max = (high), .belongs_to = (kinds) \
	}
#define WORD(kinds, n, words, field, default_index, index_max, h)                  \
	{                                                                          \
		.name = (n), .value = (words), .choices = (words), .help = (h),    \
		.kind = WR_OPTION_CHOICE, PLACE(field), .number = (default_index), \
		.max = (index_max), .belongs_to = (kinds)                          \
	}

static bool is_name_byte(char byte)
{
	char lower = wr_ascii_lower(byte);

	return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') || byte == '.' ||
	       byte == '_' || byte == '-';
}

/* Names stand in requests, lists and messages. Of the builtin ones `builtin:default` is left out:
 * it is whatever `default` is. */
static bool is_profile_name(struct wr_view text)
{
	static const struct wr_view builtin[] = {
		WR_VIEW_INIT("builtin:coder"), WR_VIEW_INIT("builtin:intake"),
		WR_VIEW_INIT("builtin:orchestrator"), WR_VIEW_INIT("builtin:reviewer")};

	for (size_t i = 0; i < WR_COUNT(builtin); i++)
		if (wr_view_equal(text, builtin[i]))
			return true;
	for (size_t i = 0; i < text.bytes; i++)
		if (!is_name_byte(text.data[i]))
			return false;
	return text.bytes > 0 && text.bytes <= NAME_BYTES_MAX;
}

/* The row by which the ledger knows our children must be ours (execution/ledger.h). */
static bool is_inheritable(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++) {
		char lower = wr_ascii_lower(text.data[i]);
		bool is_digit = text.data[i] >= '0' && text.data[i] <= '9';
		if (lower != '_' && (lower < 'a' || lower > 'z') && (!is_digit || i == 0))
			return false;
	}
	return text.bytes > 0 && !wr_view_equal(text, WR_VIEW("WORKER_RUNTIME_CHILD"));
}

const struct wr_option wr_profile_options[] = {
	{.name = "name",
	 .value = "NAME",
	 .help = "what a client calls it; `default` is what is run without a name",
	 .kind = WR_OPTION_NAME,
	 PLACE(name),
	 .is_good = is_profile_name,
	 .is_required = true,
	 .form = "up to 64 letters, digits, . _ and -, or builtin:coder, :intake, :orchestrator "
		 "or :reviewer"},
	{.name = "kind",
	 .value = "none|process|openai",
	 .help = "nothing runs the Worker, a program does, or a model",
	 .kind = WR_OPTION_CHOICE,
	 PLACE(runner),
	 .choices = "none|process|openai",
	 .max = WR_RUNNER_OPENAI,
	 .is_required = true},

	WORD(PROCESS | OPENAI, "busy", "reject|queue", busy, REJECT, QUEUE,
	     "input while a turn is running is refused, or waits"),
	NUMBER(PROCESS | OPENAI, "queue-inputs", "N", WR_OPTION_COUNT, queue_inputs, 1,
	       WR_QUEUE_INPUTS, WR_QUEUE_INPUTS_MAX, "busy = \"queue\": how many may wait"),

	TEXT(PROCESS, "argv", "[WORD, ...]", WR_OPTION_LIST, argv,
	     "process: program and arguments"),
	TEXT(PROCESS, "exec", "COMMAND", WR_OPTION_TEXT, exec, "process: or so, split into words"),
	WORD(PROCESS, "mode", "line|jsonl", mode, WR_PROCESS_LINE, WR_PROCESS_JSONL,
	     "process: how it is spoken to"),
	TEXT(PROCESS, "cwd", "DIR", WR_OPTION_TEXT, cwd, "process: its folder (ours)"),
	{.name = "environment",
	 .value = "[NAME, ...]",
	 .help = "process: variables it inherits (PATH HOME LANG ... as in the manual)",
	 .kind = WR_OPTION_LIST,
	 PLACE(environment),
	 .is_good = is_inheritable,
	 .form = "names of variables",
	 .belongs_to = PROCESS},
	WORD(PROCESS, "restart", "on-input|always|never", restart, WR_RESTART_ON_INPUT,
	     WR_RESTART_NEVER, "process: when it has ended: at the next input, at once, or not"),
	NUMBER(PROCESS, "grace-ms", "MS", WR_OPTION_MS, grace_ms, 0, WR_CHILD_GRACE_MS, DAY_MS,
	       "process: between end of input, TERM and KILL"),
	NUMBER(PROCESS, "interrupt-ms", "MS", WR_OPTION_MS, interrupt_ms, 0,
	       WR_CHILD_INTERRUPT_MS_MAX, DAY_MS, "process: jsonl: from `cancel` to `done`"),
	NUMBER(PROCESS, "ready-ms", "MS", WR_OPTION_MS, ready_ms, 1, WR_CHILD_READY_MS_MAX, DAY_MS,
	       "process: jsonl: from its start to `ready`"),
	NUMBER(PROCESS, "backoff-min-ms", "MS", WR_OPTION_MS, backoff_min_ms, 10,
	       WR_CHILD_BACKOFF_MS_MIN, DAY_MS, "process: before the start after an early end"),
	NUMBER(PROCESS, "backoff-max-ms", "MS", WR_OPTION_MS, backoff_max_ms, 10,
	       WR_CHILD_BACKOFF_MS_MAX, DAY_MS, "process: up to which that doubles"),
	NUMBER(PROCESS, "stable-ms", "MS", WR_OPTION_MS, stable_ms, 0, WR_CHILD_STABLE_MS, DAY_MS,
	       "process: an end after so long is not early"),
	NUMBER(PROCESS, "address-space", "SIZE", WR_OPTION_BYTES, address_space, 0, 0, BYTES_MAX,
	       "process: its memory (0: no limit)"),
	NUMBER(PROCESS, "file-bytes", "SIZE", WR_OPTION_BYTES, file_bytes, 0, 0, BYTES_MAX,
	       "process: a file it writes (0: no limit)"),
	NUMBER(PROCESS, "cpu-seconds", "N", WR_OPTION_COUNT, cpu_seconds, 0, 0, UINT32_MAX,
	       "process: processor time (0: no limit)"),
	NUMBER(PROCESS, "open-files", "N", WR_OPTION_COUNT, open_files, 4, WR_CHILD_FD_COUNT_MAX,
	       1u << 20, "process: its descriptors"),

	{.name = "base-url",
	 .value = "URL",
	 .help = "openai: where /chat/completions is, as http://127.0.0.1:8080/v1",
	 .kind = WR_OPTION_URL,
	 PLACE(base_url),
	 .is_required = true,
	 .belongs_to = OPENAI},
	TEXT(OPENAI, "model", "NAME", WR_OPTION_NAME, model, "openai: the model's name there"),
	TEXT(OPENAI, "key-file", "FILE", WR_OPTION_TEXT, key_file,
	     "openai: the key, alone in a file of which only its owner can read"),
	TEXT(OPENAI, "key-env", "NAME", WR_OPTION_VARIABLE, key_env,
	     "openai: or in this environment variable, which is emptied"),
	TEXT(OPENAI, "system-prompt", "TEXT", WR_OPTION_LABEL, system_prompt,
	     "openai: what the model is told first"),
	TEXT(OPENAI, "system-prompt-file", "FILE", WR_OPTION_TEXT, system_prompt_file,
	     "openai: or the text of this file"),
	TEXT(OPENAI, "temperature", "NUMBER", WR_OPTION_TEXT, temperature,
	     "openai: as \"0.7\" (what the server thinks)"),
	NUMBER(OPENAI, "max-tokens", "N", WR_OPTION_COUNT, max_tokens, 0, 0, UINT32_MAX,
	       "openai: of an answer (0: what the server thinks)"),
	NUMBER(OPENAI, "history-bytes", "SIZE", WR_OPTION_BYTES, history_bytes, 0,
	       WR_OPENAI_HISTORY_BYTES_MAX, (uint64_t)64 << 20,
	       "openai: of the transcript that is sent"),
	NUMBER(OPENAI, "answer-bytes", "SIZE", WR_OPTION_BYTES, answer_bytes, 1, WR_EVENT_BYTES_MAX,
	       WR_EVENT_BYTES_MAX, "openai: of text of one answer"),
	NUMBER(OPENAI, "first-token-ms", "MS", WR_OPTION_MS, first_token_ms, 1,
	       WR_OPENAI_FIRST_TOKEN_MS_MAX, DAY_MS, "openai: of silence before an answer begins"),
	NUMBER(OPENAI, "silence-ms", "MS", WR_OPTION_MS, silence_ms, 1, WR_OPENAI_SILENCE_MS_MAX,
	       DAY_MS, "openai: of silence within it"),
	NUMBER(OPENAI, "retries", "N", WR_OPTION_COUNT, retries, 0, WR_OPENAI_RETRY_COUNT_MAX, 100,
	       "openai: tries again, while nothing was said"),
	TEXT(OPENAI, "tls-ca", "FILE", WR_OPTION_TEXT, tls_ca,
	     "openai: PEM file of who vouches for the server (the system's)"),
	TEXT(OPENAI, "tls-pin", "PIN", WR_OPTION_TEXT, tls_pin,
	     "openai: or the server's key itself: sha256//BASE64"),
	TEXT(OPENAI, "tls-name", "NAME", WR_OPTION_TEXT, tls_name,
	     "openai: what its certificate is for (the host of base-url)"),
	WR_OPTION_END,
};
_Static_assert(WR_COUNT(wr_profile_options) <= WR_PROFILE_KEY_COUNT_MAX + 1, "a line for each");

struct wr_busy_policy wr_profile_setting_busy(const struct wr_profile_setting *self)
{
	if (self->busy == QUEUE)
		return (struct wr_busy_policy){WR_BUSY_QUEUE, (uint32_t)self->queue_inputs};
	return (struct wr_busy_policy){WR_BUSY_REJECT, 0};
}

uint32_t wr_profile_setting_line(const struct wr_profile_setting *self, const void *value)
{
	size_t place = (size_t)((const char *)value - (const char *)self);

	for (size_t i = 0; !wr_option_is_end(&wr_profile_options[i]); i++)
		if (wr_profile_options[i].place == place && self->lines[i] != 0)
			return self->lines[i];
	return self->line;
}

static void put(struct wr_buf *out, const char *text)
{
	wr_buf_append_view(out, wr_view_of_string(text));
}

bool wr_profile_setting_blame(const struct wr_profile_setting *self, const char *file,
			      uint32_t line, struct wr_buf *message)
{
	if (line == 0) {
		put(message, "--exec: ");
		return false;
	}
	put(message, file);
	put(message, ":");
	wr_buf_append_u64(message, line);
	put(message, ": [[profile]] `");
	put(message, self->name);
	put(message, "`: ");
	return false;
}

const struct wr_profile_setting *wr_profile_settings_find(const struct wr_profile_setting *list,
							  uint32_t count, struct wr_view name)
{
	for (uint32_t i = 0; i < count; i++)
		if (wr_view_equal(wr_view_of_string(list[i].name), name))
			return &list[i];
	return NULL;
}

void wr_profile_setting_of_exec(struct wr_profile_setting *out, const char *exec, uint64_t mode)
{
	*out = (struct wr_profile_setting){.line = 0};
	for (const struct wr_option *at = wr_profile_options; !wr_option_is_end(at); at++)
		wr_option_reset(at, (char *)out + at->place);
	out->name = "default";
	out->runner = WR_RUNNER_PROCESS;
	out->exec = exec;
	out->mode = mode;
}

/* ---- what no key can say alone ---- */

struct fault {
	const void *value; /* of the key whose line is told */
	const char *words; /* NULL: there is none */
};

static struct fault find_queue_fault(const struct wr_profile_setting *self)
{
	if (self->busy != QUEUE && wr_profile_setting_has(self, &self->queue_inputs))
		return (struct fault){&self->queue_inputs, "`queue-inputs` needs busy = \"queue\""};
	if (self->busy == QUEUE && self->runner == WR_RUNNER_PROCESS &&
	    self->mode == WR_PROCESS_LINE)
		return (struct fault){&self->busy,
				      "only who has turns can queue: mode = \"jsonl\""};
	return (struct fault){NULL, NULL};
}

static struct fault find_process_fault(const struct wr_profile_setting *self)
{
	bool has_argv = wr_profile_setting_has(self, &self->argv);

	if (has_argv && self->exec != NULL)
		return (struct fault){&self->exec, "`argv` and `exec` say the same; keep one"};
	if (!has_argv && self->exec == NULL)
		return (struct fault){self, "it needs `argv` or `exec`"};
	if (has_argv && self->argv.count == 0)
		return (struct fault){&self->argv, "`argv` begins with a program"};
	if (self->backoff_min_ms > self->backoff_max_ms)
		return (struct fault){wr_profile_setting_has(self, &self->backoff_max_ms)
					      ? &self->backoff_max_ms
					      : &self->backoff_min_ms,
				      "`backoff-min-ms` is above `backoff-max-ms`"};
	return find_queue_fault(self);
}

static struct fault find_openai_fault(const struct wr_profile_setting *self)
{
	if (self->key_file != NULL && self->key_env != NULL)
		return (struct fault){&self->key_env, "`key-file` and `key-env`; keep one"};
	if (self->system_prompt != NULL && self->system_prompt_file != NULL)
		return (struct fault){&self->system_prompt_file,
				      "`system-prompt` and `system-prompt-file`; keep one"};
	if (self->tls_ca != NULL && self->tls_pin != NULL)
		return (struct fault){&self->tls_pin, "`tls-ca` and `tls-pin`; keep one"};
	return find_queue_fault(self);
}

static struct fault find_fault(const struct wr_profile_setting *self)
{
	switch ((enum wr_runner)self->runner) {
	case WR_RUNNER_PROCESS:
		return find_process_fault(self);
	case WR_RUNNER_OPENAI:
		return find_openai_fault(self);
	case WR_RUNNER_NONE:
		break;
	}
	return (struct fault){NULL, NULL};
}

static bool refuse_twin(const struct wr_profile_setting *self, uint32_t line, const char *file,
			struct wr_buf *message)
{
	wr_profile_setting_blame(self, file, self->line, message);
	put(message, "there is one of this name on line ");
	wr_buf_append_u64(message, line);
	return false;
}

bool wr_profile_settings_are_sound(const struct wr_profile_setting *list, uint32_t count,
				   const char *file, struct wr_buf *message)
{
	for (uint32_t i = 0; i < count; i++) {
		struct wr_view name = wr_view_of_string(list[i].name);
		const struct wr_profile_setting *first =
			wr_profile_settings_find(list, count, name);
		struct fault fault = find_fault(&list[i]);

		if (first != &list[i])
			return refuse_twin(&list[i], first->line, file, message);
		if (fault.words == NULL)
			continue;
		wr_profile_setting_blame(&list[i], file,
					 wr_profile_setting_line(&list[i], fault.value), message);
		put(message, fault.words);
		return false;
	}
	return true;
}
