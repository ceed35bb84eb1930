#include "runtime_server/config.h"

#include "bytes/utf8.h"
#include "check.h"
#include "io/log.h"
#include "wire/worker_json.h"

enum kind {
	KIND_TEXT,    /* const char *; not empty */
	KIND_NAME,    /* const char *; UTF-8, not blank */
	KIND_LABEL,   /* const char *; UTF-8, may be empty */
	KIND_SECRET,  /* const char *; not empty, wiped, never printed */
	KIND_ADDRESS, /* const char *; checked by wr_address_parse */
	KIND_FOLDER,  /* const char *; choosing the fs store, too */
	KIND_LIST,    /* struct wr_texts */
	KIND_COUNT,   /* uint64_t */
	KIND_BYTES,   /* uint64_t; with K, M, G */
	KIND_MS,      /* uint64_t */
	KIND_CHOICE,  /* uint64_t: index of a word in `choices` */
	KIND_SWITCH   /* bool; takes no value */
};

struct flag {
	const char *name, *value, *help;
	const char *choices; /* words, joined with | in the order of their numbers */
	enum kind kind;
	size_t place; /* in struct wr_config */
	uint64_t number, min, max;
};

/* What stands in the table between two groups. */
#define GROUP(title)            \
	{                       \
		.help = (title) \
	}
#define TEXT(n, v, k, field, h)                                      \
	{                                                            \
		.name = (n), .value = (v), .help = (h), .kind = (k), \
		.place = offsetof(struct wr_config, field)           \
	}
#define NUMBER(n, v, k, field, low, default_value, high, h)                            \
	{                                                                              \
		.name = (n), .value = (v), .help = (h), .kind = (k),                   \
		.place = offsetof(struct wr_config, field), .number = (default_value), \
		.min = (low), .max = (high)                                            \
	}
#define CHOICE(n, words, field, default_index, h)                                \
	{                                                                        \
		.name = (n), .value = (words), .choices = (words), .help = (h),  \
		.kind = KIND_CHOICE, .place = offsetof(struct wr_config, field), \
		.number = (default_index)                                        \
	}
#define SWITCH(n, field, h)                                    \
	{                                                      \
		.name = (n), .help = (h), .kind = KIND_SWITCH, \
		.place = offsetof(struct wr_config, field)     \
	}

#define HOUR_MS 3600000u
#define BYTES_MAX ((uint64_t)1 << 46)

static const struct flag flags[] = {
	GROUP("Serving"),
	TEXT("bind", "ADDR", KIND_ADDRESS, bind,
	     "IP:PORT, [v6]:PORT or unix:PATH (127.0.0.1:0: a free port)"),
	TEXT("runtime-id", "ID", KIND_NAME, runtime_id, "id of this Runtime (made at random)"),
	TEXT("display-name", "NAME", KIND_LABEL, display_name, "a label for people"),
	CHOICE("compat", "none|yoi-2026-06", compat, WR_COMPAT_NONE,
	       "speak to a Backend of that month"),

	GROUP("Access"),
	TEXT("token-file", "FILE", KIND_TEXT, token_file,
	     "lines `NAME SCOPES TOKEN` or `TOKEN`; SIGHUP reads it again"),
	TEXT("local-token-env", "NAME", KIND_TEXT, local_token_env,
	     "a token from this environment variable"),
	TEXT("local-token", "TOKEN", KIND_SECRET, local_token,
	     "a token that others may see while we start: rather use a file"),
	TEXT("allow-origin", "ORIGIN", KIND_LIST, origins,
	     "pages of this origin may ask us (may repeat)"),
	TEXT("allow-host", "HOST", KIND_LIST, hosts,
	     "further Host that is ours when there is no token (may repeat)"),

	GROUP("Workers"),
	TEXT("exec", "COMMAND", KIND_TEXT, exec,
	     "program that runs each Worker; words, quotes, no shell (none: input is only kept)"),
	CHOICE("exec-mode", "line|jsonl", exec_mode, WR_EXEC_LINE,
	       "one message per line, or one JSON object per line"),
	NUMBER("max-children", "N", KIND_COUNT, children_max, 1, WR_CHILD_COUNT_MAX, 4096,
	       "programs running at once"),
	NUMBER("max-workers", "N", KIND_COUNT, workers_max, 0, WR_WORKER_COUNT_MAX, 1u << 24,
	       "Workers of this Runtime"),

	GROUP("What is kept"),
	CHOICE("store", "memory|fs|fs-store", store, WR_STORE_MEMORY,
	       "where the log is kept (fs is not in this build)"),
	TEXT("fs-root", "PATH", KIND_FOLDER, fs_root, "folder of the fs store"),
	NUMBER("worker-retention-events", "N", KIND_COUNT, worker_retention_events, 1,
	       WR_WORKER_RETENTION_EVENTS, UINT32_MAX, "newest events kept of each Worker"),
	NUMBER("worker-retention-bytes", "SIZE", KIND_BYTES, worker_retention_bytes, 0,
	       WR_WORKER_RETENTION_BYTES, BYTES_MAX, "and bytes of them"),
	NUMBER("retention-events", "N", KIND_COUNT, retention_events, 1, WR_RETENTION_EVENTS,
	       UINT32_MAX, "events kept of all Workers together"),
	NUMBER("retention-bytes", "SIZE", KIND_BYTES, retention_bytes, 0, WR_RETENTION_BYTES,
	       BYTES_MAX, "and bytes of them"),
	NUMBER("worker-transcript-bytes", "SIZE", KIND_BYTES, worker_transcript_bytes, 0,
	       WR_WORKER_TRANSCRIPT_BYTES, BYTES_MAX, "transcript kept of each Worker"),
	NUMBER("transcript-bytes", "SIZE", KIND_BYTES, transcript_bytes, 0, WR_TRANSCRIPT_BYTES,
	       BYTES_MAX, "transcripts kept of all Workers together"),

	GROUP("Limits"),
	NUMBER("max-transcript-projection-items", "N", KIND_COUNT, transcript_items_max, 0,
	       WR_TRANSCRIPT_PAGE_ITEMS_MAX, UINT32_MAX, "items of one transcript page"),
	NUMBER("max-event-batch-items", "N", KIND_COUNT, event_batch_items_max, 0,
	       WR_EVENT_BATCH_ITEMS_MAX, UINT32_MAX, "events of one batch"),
	NUMBER("max-memory", "SIZE", KIND_BYTES, memory_max, 0, 0, BYTES_MAX,
	       "all memory together; beyond it requests are refused (0: no limit)"),
	NUMBER("max-connections", "N", KIND_COUNT, connections_max, 1, WR_CONN_COUNT_MAX, 1u << 20,
	       "connections; lowered to what the descriptor limit leaves"),

	GROUP("Times"),
	NUMBER("idle-ms", "MS", KIND_MS, idle_ms, 1, WR_HTTP_IDLE_MS_MAX, 24 * HOUR_MS,
	       "between two requests of a connection"),
	NUMBER("head-ms", "MS", KIND_MS, head_ms, 1, WR_HTTP_HEAD_MS_MAX, HOUR_MS,
	       "for the head of a request"),
	NUMBER("body-ms", "MS", KIND_MS, body_ms, 1, WR_HTTP_BODY_MS_MAX, HOUR_MS,
	       "for its body, then 1 KiB a second"),
	NUMBER("send-ms", "MS", KIND_MS, send_ms, 1, WR_CONN_SEND_MS_MAX, HOUR_MS,
	       "for a reader that takes nothing"),
	NUMBER("ping-ms", "MS", KIND_MS, ping_ms, 1, WR_WS_PING_MS, HOUR_MS,
	       "of silence before a stream is pinged"),
	NUMBER("drain-ms", "MS", KIND_MS, drain_ms, 0, WR_DRAIN_MS_MAX, HOUR_MS,
	       "from SIGTERM to the end"),

	GROUP("Other"),
	CHOICE("log-level", "error|warning|info|debug", log_level, WR_LOG_INFO,
	       "what is told on stderr"),
	SWITCH("print-config", wants_print, "print every flag with its value, and end"),
	SWITCH("version", wants_version, "print the version, and end"),
	SWITCH("help", wants_help, "print this, and end"),
};

enum { HELP_COLUMN = 38, CHOICE_BYTES_MAX = 32 };

static void *place_of(struct wr_config *config, const struct flag *flag)
{
	return (char *)config + flag->place;
}

static const void *value_of(const struct wr_config *config, const struct flag *flag)
{
	return (const char *)config + flag->place;
}

static bool is_text(enum kind kind)
{
	return kind <= KIND_FOLDER;
}

static bool is_number(enum kind kind)
{
	return kind >= KIND_COUNT && kind <= KIND_CHOICE;
}

static void put(struct wr_buf *out, const char *text)
{
	wr_buf_append_view(out, wr_view_of_string(text));
}

/* ---- values ---- */

/* The word with this number in a list joined with |. */
static struct wr_view choice_word(const char *choices, uint64_t index)
{
	for (;; index--) {
		size_t bytes = strcspn(choices, "|");
		if (index == 0)
			return wr_view_of(choices, bytes);
		wr_assert(choices[bytes] == '|');
		choices += bytes + 1;
	}
}

static bool read_choice(const char *choices, struct wr_view text, uint64_t *index)
{
	for (*index = 0;; (*index)++) {
		struct wr_view word = choice_word(choices, *index);
		if (wr_view_equal(word, text))
			return true;
		if (word.data[word.bytes] == '\0')
			return false;
	}
}

/* Digits; false on anything else and beyond 64 bits. */
static bool read_digits(struct wr_view *text, uint64_t *number)
{
	size_t digits = 0;

	*number = 0;
	for (; digits < text->bytes && text->data[digits] >= '0' && text->data[digits] <= '9';
	     digits++) {
		uint64_t digit = (uint64_t)(text->data[digits] - '0');
		if (*number > (UINT64_MAX - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	*text = wr_view_skip(*text, digits);
	return digits > 0;
}

/* K, KB and KiB are 1024 bytes, and so on. */
static bool read_unit(struct wr_view text, uint64_t *number)
{
	static const char letters[] = "KMG";
	const char *letter;
	unsigned shift;

	if (text.bytes == 0)
		return true;
	letter = memchr(letters, text.data[0] & ~0x20, 3);
	if (letter == NULL)
		return false;
	shift = 10 * (unsigned)(letter - letters + 1);
	text = wr_view_skip(text, 1);
	if (text.bytes != 0 && !wr_view_equal(text, WR_VIEW("iB")) &&
	    !wr_view_equal(text, WR_VIEW("B")))
		return false;
	if (*number > UINT64_MAX >> shift)
		return false;
	*number <<= shift;
	return true;
}

static bool read_number(const struct flag *flag, struct wr_view text, uint64_t *number)
{
	if (flag->kind == KIND_CHOICE)
		return read_choice(flag->choices, text, number);
	if (!read_digits(&text, number))
		return false;
	if (flag->kind == KIND_BYTES ? !read_unit(text, number) : text.bytes != 0)
		return false;
	return *number >= flag->min && *number <= flag->max;
}

static bool is_good_text(const struct flag *flag, const char *text)
{
	struct wr_view view = wr_view_of_string(text);
	struct wr_address address;

	if (flag->kind == KIND_ADDRESS)
		return wr_address_parse(&address, view) == WR_OK;
	if (flag->kind == KIND_NAME)
		return wr_utf8_is_valid(view) && !wr_utf8_is_blank(view);
	if (flag->kind == KIND_LABEL)
		return wr_utf8_is_valid(view);
	return view.bytes > 0;
}

/* Takes a value; false when it is not one of this flag. */
static bool set(struct wr_config *self, const struct flag *flag, const char *text)
{
	if (is_number(flag->kind)) {
		uint64_t number;
		if (!read_number(flag, wr_view_of_string(text), &number))
			return false;
		/* `fs-store` is another name of `fs`. */
		if (flag->place == offsetof(struct wr_config, store) && number > WR_STORE_FS)
			number = WR_STORE_FS;
		*(uint64_t *)place_of(self, flag) = number;
		return true;
	}
	if (!is_good_text(flag, text))
		return false;
	if (flag->kind == KIND_LIST) {
		struct wr_texts *list = place_of(self, flag);
		if (list->count == WR_GUARD_LIST_MAX)
			return false;
		list->items[list->count++] = text;
		return true;
	}
	*(const char **)place_of(self, flag) = text;
	if (flag->kind == KIND_FOLDER)
		self->store = WR_STORE_FS;
	return true;
}

static void set_defaults(struct wr_config *self)
{
	*self = (struct wr_config){.bind = "127.0.0.1:0"};
	for (size_t i = 0; i < WR_COUNT(flags); i++)
		if (flags[i].name != NULL && is_number(flags[i].kind))
			*(uint64_t *)place_of(self, &flags[i]) = flags[i].number;
}

/* ---- the command line ---- */

/* The flag that an argument names; *value is what follows its `=`, else NULL. */
static const struct flag *find(const char *argument, const char **value)
{
	size_t bytes;

	*value = NULL;
	if (strcmp(argument, "-h") == 0)
		argument = "--help";
	if (argument[0] != '-' || argument[1] != '-')
		return NULL;
	argument += 2;
	bytes = strcspn(argument, "=");
	for (size_t i = 0; i < WR_COUNT(flags); i++) {
		if (flags[i].name == NULL || strlen(flags[i].name) != bytes ||
		    memcmp(flags[i].name, argument, bytes) != 0)
			continue;
		if (argument[bytes] == '=')
			*value = argument + bytes + 1;
		return &flags[i];
	}
	return NULL;
}

static bool refuse(struct wr_buf *message, const struct flag *flag, const char *what)
{
	put(message, "--");
	put(message, flag->name);
	put(message, " ");
	put(message, what);
	return false;
}

/* A value is never repeated in the message: it may be a secret that stands at the wrong place. */
static bool refuse_value(struct wr_buf *message, const struct flag *flag)
{
	refuse(message, flag, "cannot be that; it takes ");
	put(message, flag->value);
	if (flag->kind == KIND_ADDRESS)
		put(message, ": IP:PORT, [v6]:PORT or unix:PATH, and no host names");
	if (flag->kind == KIND_BYTES)
		put(message, ": a number of bytes, or one with K, M or G");
	if (flag->kind == KIND_COUNT || flag->kind == KIND_MS || flag->kind == KIND_BYTES) {
		put(message, ", from ");
		wr_buf_append_u64(message, flag->min);
		put(message, " to ");
		wr_buf_append_u64(message, flag->max);
	}
	return false;
}

/* What no flag can say alone. */
static bool check_together(struct wr_config *self, struct wr_buf *message)
{
	wr_address_parse(&self->address, wr_view_of_string(self->bind));
	if (self->store == WR_STORE_FS && self->fs_root == NULL) {
		put(message, "--store fs needs --fs-root PATH");
		return false;
	}
	return true;
}

bool wr_config_parse(struct wr_config *self, struct wr_buf *message, int argc,
		     const char *const *argv)
{
	set_defaults(self);
	for (int i = 1; i < argc; i++) {
		const char *value;
		const struct flag *flag = find(argv[i], &value);

		if (flag == NULL) {
			put(message, argv[i][0] == '-' ? "there is no flag "
						       : "what is meant by the argument ");
			wr_buf_append(message, argv[i], strcspn(argv[i], "="));
			return false;
		}
		if (flag->kind == KIND_SWITCH) {
			if (value != NULL)
				return refuse(message, flag, "takes no value");
			*(bool *)place_of(self, flag) = true;
			if (self->wants_help || self->wants_version)
				return true;
			continue;
		}
		if (value == NULL && ++i < argc)
			value = argv[i];
		if (value == NULL) {
			refuse(message, flag, "needs ");
			put(message, flag->value);
			return false;
		}
		if (!set(self, flag, value))
			return refuse_value(message, flag);
	}
	return check_together(self, message);
}

void wr_config_wipe_secrets(struct wr_config *self, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value;
		const struct flag *flag = find(argv[i], &value);

		if (flag == NULL || flag->kind == KIND_SWITCH)
			continue;
		if (value != NULL && flag->kind == KIND_SECRET)
			wr_tokens_wipe(argv[i] + (value - argv[i]), strlen(value));
		if (value == NULL && ++i < argc && flag->kind == KIND_SECRET)
			wr_tokens_wipe(argv[i], strlen(argv[i]));
	}
	self->local_token = NULL;
}

/* ---- telling ---- */

static void put_number(struct wr_buf *out, const struct flag *flag, uint64_t number)
{
	static const char units[] = "KMG";
	unsigned unit = 0;

	if (flag->kind == KIND_CHOICE) {
		wr_buf_append_view(out, choice_word(flag->choices, number));
		return;
	}
	for (; flag->kind == KIND_BYTES && unit < 3 && number != 0 && number % 1024 == 0; unit++)
		number /= 1024;
	wr_buf_append_u64(out, number);
	if (unit > 0)
		wr_buf_append_byte(out, units[unit - 1]);
}

static void put_help_line(struct wr_buf *out, const struct flag *flag)
{
	size_t start = out->bytes;

	put(out, "  --");
	put(out, flag->name);
	if (flag->value != NULL) {
		put(out, " ");
		put(out, flag->value);
	}
	do
		put(out, " ");
	while (out->bytes < start + HELP_COLUMN);
	put(out, flag->help);
	if (is_number(flag->kind)) {
		put(out, " [");
		put_number(out, flag, flag->number);
		put(out, "]");
	}
	put(out, "\n");
}

void wr_config_usage(struct wr_buf *out)
{
	put(out,
	    "usage: worker-runtime [--bind ADDR] [--token-file FILE] [--exec COMMAND] [FLAG ...]\n"
	    "       worker-runtime --help\n");
}

void wr_config_help(struct wr_buf *out)
{
	wr_config_usage(out);
	put(out, "Hosts LLM Workers behind REST and WebSocket.\n");
	for (size_t i = 0; i < WR_COUNT(flags); i++) {
		if (flags[i].name != NULL) {
			put_help_line(out, &flags[i]);
			continue;
		}
		put(out, "\n");
		put(out, flags[i].help);
		put(out, "\n");
	}
	put(out, "\nExamples\n"
		 "  worker-runtime --bind 127.0.0.1:8650 --exec ./agent --exec-mode jsonl\n"
		 "  worker-runtime --bind 0.0.0.0:8650 --token-file /etc/worker-runtime/tokens\n");
}

static void put_setting(struct wr_buf *out, const struct flag *flag)
{
	put(out, "--");
	put(out, flag->name);
	put(out, "=");
}

static void print_flag(struct wr_buf *out, const struct flag *flag, const void *value)
{
	if (flag->kind == KIND_LIST) {
		const struct wr_texts *list = value;
		for (uint32_t i = 0; i < list->count; i++) {
			put_setting(out, flag);
			put(out, list->items[i]);
			put(out, "\n");
		}
		return;
	}
	if (flag->kind == KIND_SWITCH ||
	    (is_text(flag->kind) && *(const char *const *)value == NULL))
		return;
	put_setting(out, flag);
	if (flag->kind == KIND_SECRET)
		put(out, "(hidden)");
	else if (is_number(flag->kind))
		put_number(out, flag, *(const uint64_t *)value);
	else
		put(out, *(const char *const *)value);
	put(out, "\n");
}

void wr_config_print(const struct wr_config *self, struct wr_buf *out)
{
	for (size_t i = 0; i < WR_COUNT(flags); i++)
		if (flags[i].name != NULL)
			print_flag(out, &flags[i], value_of(self, &flags[i]));
}
