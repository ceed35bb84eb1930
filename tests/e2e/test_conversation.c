/*
 * Goal: a conversation of 50 turns with a model is streamed by a Runtime and a Backend to WebSocket
 * clients and to a browser page at once, with cuts in the middle of a message and a killed Backend,
 * and each of them has every event once, in order, and the model's words to the letter. With TLS on
 * every hop where the build has it.
 *
 * Method: the test is the model, and says its next piece when everybody has the one before; clients
 * reach the programs through tunnels of openssl, the page is that of headless Chromium, driven by
 * console_talk.py.
 */
#include "e2e/conversation_rig.h"

enum {
	TURNS = 50,
	PIECES_MAX = 12,
	HISTORY_BYTES = 4096,
	CUT_EVERY = 8,	  /* turns: one follower is cut within the answer */
	KILLED_TURN = 23, /* the Backend is killed within the answer */
	PAGE_WAIT_MS = 60000,
	PAGE_LINE_ROOM = 65536,
	SKIPPED = 77,
};

static char worker[WR_CLIENT_ID_BYTES];
static char questions[TURNS + 1][64], answers[TURNS + 1][PIECES_MAX * 64];
static struct follower direct, steady, cut; /* at the Runtime; at the Backend; cut and resumed */
static struct wr_client client;

static bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

static unsigned pieces_of(unsigned turn)
{
	return 5 + turn % (PIECES_MAX - 5);
}

static void make_piece(char text[64], unsigned turn, unsigned piece)
{
	snprintf(text, 64, "%s w%u.%u \xc3\xbc\xe5\xa4\x9c", piece % 3 == 2 ? "," : "", turn,
		 piece);
}

/* ---- the page ---- */

static struct {
	bool is_there;
	struct wr_process driver;
	int told_fd, done_fd;
} page;

static int open_fifo(const char *name)
{
	int fd;

	CHECK(mkfifo(key(name), 0600) == 0);
	fd = open(key(name), O_RDWR | O_NONBLOCK | O_CLOEXEC); /* both ends: it never ends */
	CHECK(fd >= 0);
	return fd;
}

static _Noreturn void end_without_page(void)
{
	int code = wr_process_wait(&page.driver, WR_PROCESS_WAIT_MS);

	if (code == SKIPPED) {
		end_talk();
		wr_test_skip("there is no Chromium here, or it does not start");
	}
	printf("%s%s", page.driver.out, page.driver.err);
	wr_test_fail(__FILE__, __LINE__, "the page does not show it");
}

/* Tells the driver a command, and waits until it is done. */
__attribute__((format(printf, 1, 2))) static void tell_page(const char *format, ...)
{
	uint64_t until = wr_process_now_ms() + wr_test_patience(PAGE_WAIT_MS);
	static char line[PAGE_LINE_ROOM];
	va_list values;
	char letter;
	int bytes;

	if (!page.is_there)
		return;
	va_start(values, format);
	bytes = vsnprintf(line, sizeof line, format, values);
	va_end(values);
	CHECK(bytes > 0 && (size_t)bytes < sizeof line);
	CHECK(write(page.told_fd, line, (size_t)bytes) == bytes);
	while (read(page.done_fd, &letter, 1) != 1) {
		struct pollfd done = {.fd = page.done_fd, .events = POLLIN};

		CHECK(wr_process_now_ms() < until);
		poll(&done, 1, 100);
		if (!wr_process_is_alive(&page.driver))
			end_without_page();
	}
}

static void open_page(void)
{
	static const char script[] = "tests/e2e/console_talk.py";

	if (!wr_test_find_file(script))
		wr_test_skip("run from the root of the repository");
	page.told_fd = open_fifo("told");
	page.done_fd = open_fifo("done");
	wr_process_spawn(&page.driver, wr_test_program("python3"),
			 WR_ARGUMENTS(script, key("told"), key("done")), NULL);
	page.is_there = true;
	tell_page("[\"open\", \"%s://%s\", \"#/worker/box/%s\", \"" BROWSER_TOKEN "\"]\n", SCHEME,
		  talk.backend_address, worker);
}

static void close_page(void)
{
	if (!page.is_there)
		return;
	tell_page("[\"end\"]\n");
	CHECK_U64((uint64_t)wr_process_wait(&page.driver, WR_PROCESS_WAIT_MS), 0);
	close(page.told_fd);
	close(page.done_fd);
}

/* So many lines are there, and the last one says this. */
static void page_shows(unsigned lines, const char *text)
{
	tell_page("[\"shows\", %u, \"%s\"]\n", lines, text);
}

/* Everything that was said, and nothing else. */
static void page_shows_all(void)
{
	static char lines[PAGE_LINE_ROOM - 64];
	size_t used = 0;

	for (unsigned i = 1; i <= TURNS; i++) {
		used += (size_t)snprintf(lines + used, sizeof lines - used,
					 "%s[\"user\", \"%s\"], [\"assistant\", \"%s\"]",
					 i == 1 ? "" : ", ", questions[i], answers[i]);
		CHECK(used < sizeof lines);
	}
	tell_page("[\"lines\", [%s]]\n", lines);
}

/* ---- one turn ---- */

/* What was said before the question is in the request: the newest of it, without a gap, as much as
 * the limit lets in. */
static void check_history(unsigned turn)
{
	const char *body = talk.model.body;
	unsigned first = turn;
	size_t bytes = 0;
	char marker[64];

	CHECK(has(talk.model.request, "\r\nAuthorization: Bearer " PROVIDER_KEY "\r\n"));
	CHECK(has(body, "You are brief.") && has(body, questions[turn]));
	while (first > 1 && has(body, answers[first - 1]) && has(body, questions[first - 1])) {
		first--;
		bytes += strlen(answers[first]) + strlen(questions[first]);
	}
	for (unsigned i = 1; i < first; i++)
		CHECK(!has(body, questions[i]) && !has(body, answers[i]));
	CHECK(bytes <= HISTORY_BYTES);
	if (first == 1)
		return;
	CHECK(bytes + strlen(answers[first - 1]) + strlen(questions[first - 1]) > HISTORY_BYTES);
	snprintf(marker, sizeof marker, "[The first %u messages ", 2 * (first - 1));
	CHECK(has(body, marker));
}

/* By the Backend and by the Runtime itself in turns. */
static void ask(unsigned turn)
{
	snprintf(questions[turn], sizeof questions[turn], "question %u, please.", turn);
	if (turn % 2 == 0) {
		struct wr_client at_runtime;

		wr_client_open(&at_runtime, &talk.to_runtime, RUNTIME_TOKEN);
		wr_client_input(&at_runtime, worker, questions[turn]);
		wr_client_close(&at_runtime);
	} else {
		char once[32];

		snprintf(once, sizeof once, "turn-%u", turn);
		CHECK(wr_backend_say(&client, "box", worker, questions[turn], once));
	}
}

static void kill_backend(void)
{
	char listen[128];

	snprintf(listen, sizeof listen, "%s", talk.backend_address);
	kill_program(&talk.backend);
	unfollow(&steady);
	unfollow(&cut);
	wr_client_close(&client);
	start_backend_of_talk(listen);
	wr_client_open(&client, &talk.to_backend, BROWSER_TOKEN);
	wr_backend_await_status(&client, "box", "running");
	follow(&steady);
	follow(&cut);
}

/* The answer, piece by piece: everybody has a piece before the next one is said. Whoever is away
 * for some of them has them afterwards. */
static void answer(unsigned turn)
{
	unsigned count = pieces_of(turn), away = turn % CUT_EVERY == 3 ? 2 : PIECES_MAX;

	model_begins(&talk.model);
	for (unsigned i = 0; i < count; i++) {
		char piece[64];

		make_piece(piece, turn, i);
		strcat(answers[turn], piece);
		model_says(&talk.model, piece);
		hear_until(&direct, "text_delta", piece);
		hear_until(&steady, "text_delta", piece);
		if (i < away || i > away + 2)
			hear_until(&cut, "text_delta", piece);
		if (i + 1 == away)
			unfollow(&cut);
		if (i == away + 2) {
			follow(&cut);
			hear_until(&cut, "text_delta", piece);
		}
		if (turn == KILLED_TURN && i == 3)
			kill_backend();
		if (i == 1 || turn == KILLED_TURN)
			page_shows(2 * turn, answers[turn]);
		if (turn % 10 == 4 && i == 2) {
			tell_page("[\"reload\"]\n");
			page_shows(2 * turn, answers[turn]);
		}
	}
	model_ends(&talk.model);
}

static void take_turn(unsigned turn)
{
	static char label[32];

	snprintf(label, sizeof label, "turn %u", turn);
	wr_test_case(label);
	ask(turn);
	take_request(&talk.model);
	check_history(turn);
	answer(turn);
	hear_until(&direct, "text_done", answers[turn]);
	hear_until(&steady, "text_done", answers[turn]);
	hear_until(&cut, "text_done", answers[turn]);
	hear_until(&direct, "run_end", NULL);
	hear_until(&steady, "run_end", NULL);
	hear_until(&cut, "run_end", NULL);
	page_shows(2 * turn, answers[turn]);
}

/* ---- what everybody has heard ---- */

/* Each turn begins, is said and ends, in this order; its deltas make its text. */
static void check_story(const struct follower *follower)
{
	char said[sizeof answers[0]] = "";
	unsigned turn = 0;
	bool is_open = false;

	for (unsigned i = 0; i < follower->count; i++) {
		const struct heard *heard = &follower->heard[i];

		if (is_event(heard, "user_message")) {
			CHECK(!is_open && ++turn <= TURNS);
			CHECK(has(heard->payload, questions[turn]));
		} else if (is_event(heard, "turn_start")) {
			CHECK(!is_open);
			is_open = true;
			said[0] = '\0';
		} else if (is_event(heard, "text_delta")) {
			struct wr_view text = text_of(heard);

			CHECK(is_open && strlen(said) + text.bytes < sizeof said);
			strncat(said, text.data, text.bytes);
		} else if (is_event(heard, "text_done")) {
			CHECK(is_open && strcmp(said, answers[turn]) == 0);
			CHECK_STRING(text_of(heard), answers[turn]);
		} else if (is_event(heard, "turn_end")) {
			CHECK(is_open);
			is_open = false;
		}
	}
	CHECK(turn == TURNS && !is_open);
}

static void check_same(const struct follower *one, const struct follower *other, bool with_cursors)
{
	for (unsigned i = 0; i < one->count && i < other->count; i++) {
		CHECK_STRING(wr_view_of_string(one->heard[i].payload), other->heard[i].payload);
		CHECK(!with_cursors || strcmp(one->heard[i].cursor, other->heard[i].cursor) == 0);
		for (unsigned before = 0; before < i; before++)
			CHECK(strcmp(one->heard[before].cursor, one->heard[i].cursor) != 0);
	}
	CHECK_U64(one->count, other->count);
}

/* What is kept of it, from both ends: every line, in pages of 40. */
static void check_transcript(struct wr_client *at, const char *path, const char *items)
{
	unsigned seen = 0;
	struct wr_answer page_of_it;

	while (seen < 2 * TURNS) {
		char content[64];

		wr_client_get(at, &page_of_it, "%s/transcript?start=%u&limit=40", path, seen);
		CHECK_U64(page_of_it.status, 200);
		for (unsigned i = 0; i < 40 && seen < 2 * TURNS; i++, seen++) {
			snprintf(content, sizeof content, "%s.%u.content", items, i);
			CHECK_STRING(wr_json_find(page_of_it.body, content),
				     seen % 2 == 0 ? questions[seen / 2 + 1]
						   : answers[seen / 2 + 1]);
		}
	}
}

static void open_followers(void)
{
	static char at_runtime[WR_PATH_ROOM], at_backend[WR_PATH_ROOM];

	snprintf(at_runtime, sizeof at_runtime, "/v1/workers/%s/events/ws", worker);
	snprintf(at_backend, sizeof at_backend, "/api/runtimes/box/workers/%s/events/ws", worker);
	direct = (struct follower){&talk.to_runtime, RUNTIME_TOKEN, at_runtime, .count = 0};
	steady = (struct follower){&talk.to_backend, BROWSER_TOKEN, at_backend, .count = 0};
	cut = steady;
	follow(&direct);
	follow(&steady);
	follow(&cut);
}

static void check_transcripts(void)
{
	char path[WR_PATH_ROOM];
	struct wr_client at_runtime;

	wr_client_open(&at_runtime, &talk.to_runtime, RUNTIME_TOKEN);
	snprintf(path, sizeof path, "/v1/workers/%s", worker);
	check_transcript(&at_runtime, path, "transcript.items");
	wr_client_close(&at_runtime);
	snprintf(path, sizeof path, "/api/runtimes/box/workers/%s", worker);
	check_transcript(&client, path, "items");
}

static void converse(bool with_page)
{
	open_talk();
	start_talk("history_bytes = \"4K\"\n", "");
	wr_client_open(&client, &talk.to_backend, BROWSER_TOKEN);
	wr_backend_await_status(&client, "box", "running");
	wr_backend_spawn(&client, "box", worker);
	open_followers();
	if (with_page)
		open_page();
	for (unsigned turn = 1; turn <= TURNS; turn++)
		take_turn(turn);
	check_story(&direct);
	check_story(&steady);
	check_same(&steady, &cut, true);
	check_same(&direct, &steady, false);
	check_transcripts();
	page_shows_all();
	tell_page("[\"reload\"]\n");
	page_shows(2 * TURNS, answers[TURNS]);
	page_shows_all();
	close_page();
	unfollow(&direct);
	unfollow(&steady);
	unfollow(&cut);
	wr_client_close(&client);
	forget_heard(&direct);
	forget_heard(&steady);
	forget_heard(&cut);
	end_talk();
}

static void test_fifty_turns_are_heard_once_in_order_by_everybody(void)
{
	converse(false);
}

static void test_fifty_turns_are_shown_by_a_page_too(void)
{
	converse(true);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_fifty_turns_are_heard_once_in_order_by_everybody, 120),
	WR_TEST_LIMIT(test_fifty_turns_are_shown_by_a_page_too, 240),
	WR_TEST_END,
};
